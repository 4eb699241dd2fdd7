"""An engine that learned 200 rows by heart: its membership advantage is shown, not only not excluded."""

import numpy as np
import pytest

from synthspec.metrics import Field, Request, Sample, measure

torch = pytest.importorskip("torch")

COLUMNS, ROWS = 6, 200


def rows(r, n):
    """Two clusters with a bend."""
    side = r.integers(0, 2, (n, 1)) * 2 - 1
    x = r.standard_normal((n, COLUMNS)) * 0.7 + side
    x[:, 1] += 0.5 * x[:, 0] ** 2
    return x


def overfitted(train, r, steps):
    """A generator with a code for each row (Bojanowski et al. 2018), trained until it returns the rows."""
    torch.manual_seed(0)
    x = torch.tensor(train, dtype=torch.float32)
    codes = torch.nn.Parameter(torch.randn(len(x), 8))
    net = torch.nn.Sequential(torch.nn.Linear(8, 128), torch.nn.SiLU(), torch.nn.Linear(128, x.shape[1]))
    optimizer = torch.optim.Adam([codes, *net.parameters()], lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        ((net(codes) - x) ** 2).mean().backward()
        optimizer.step()
    chosen = torch.as_tensor(r.integers(0, len(x), 1000))
    with torch.no_grad():
        noise = 0.02 * torch.as_tensor(r.standard_normal((1000, 8)), dtype=torch.float32)
        return net(codes[chosen] + noise).double().numpy()


def risk(synthetic, r, train):
    fields = tuple(Field(name=f"x{i}", low=-20.0, high=40.0) for i in range(COLUMNS))
    held = [Sample(content=rows(r, ROWS)) for _ in range(2)]
    return measure(("MI",), Request(
        modality="tabular", fields=fields, seed=1, train=Sample(content=train), val=held[0], test=held[1],
        synthetic=Sample(content=synthetic),
    ))[0]  # fmt: skip


def test_an_engine_that_memorised_200_rows_breaks_mi_max():
    r = np.random.default_rng(0)
    train = rows(r, ROWS)
    found = risk(overfitted(train, r, 400), r, train)
    assert found.lower > 0.30
    assert found.value > 0.5


def test_fresh_records_of_the_same_law_do_not():
    r = np.random.default_rng(1)
    train = rows(r, ROWS)
    found = risk(rows(r, 1000), r, train)
    assert found.upper < 0.30
    assert found.lower <= 0.0


def test_too_few_rows_prove_nothing():
    r = np.random.default_rng(2)
    train = rows(r, 30)
    found = risk(rows(r, 1000), r, train)
    assert found.value is None
    assert "30" in found.reason
