"""Tables under a mechanism: laws that begin uniform and sum to one, draws that follow them, an encoder of residuals."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from synthspec.ir.families import VaeMlp  # noqa: E402
from synthspec.ir.schema import Field  # noqa: E402
from synthspec_torch.data.mixed import MixedCodec  # noqa: E402
from synthspec_torch.privacy.bookkeeping import BookKeeping  # noqa: E402
from synthspec_torch.privacy.engines import engine_of  # noqa: E402
from synthspec_torch.privacy.gradients import OneByOne  # noqa: E402
from synthspec_torch.training.seeding import initial_weights  # noqa: E402
from synthspec_torch.vae.objective import Records, terms  # noqa: E402
from synthspec_torch.vae.residual import ResidualVae  # noqa: E402
from synthspec_torch.vae.spans import BINS, GAIN, Spanned  # noqa: E402

FIELDS = (
    Field(name="area", role="content", dtype="float32", range=(0.0, 6000.0)),
    Field(name="age", role="content", dtype="int16", range=(17.0, 90.0), nullable=False),
    Field(name="count", role="content", dtype="int32", range=(-3.0, 5000.0)),
    Field(name="ratio", role="content", dtype="float64", range=(-1.0, 1.0), nullable=True),
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c"), nullable=True),
    Field(name="size", role="content", dtype="int16", enum=(1, 2, 4)),
    Field(name="on", role="content", dtype="bool"),
)
CODEC = MixedCodec.declared(FIELDS, BINS)
LAW = Spanned(CODEC.columns)
ARCHITECTURE = VaeMlp(name="mlp", hidden=(8, 8), latent_dim=3, likelihood="mixed")


def outputs(n=1, seed=0, scale=0.4):
    return scale * torch.randn((n, LAW.parameters), generator=torch.Generator().manual_seed(seed))


def masses(out):
    """The masses of all cells of each column under the outputs [1, parameters]."""
    return [
        span.log_mass(part.expand(span.levels, -1), torch.arange(span.levels)).exp() for span, part in LAW.parts(out)
    ]


@pytest.mark.parametrize("scale", [0.0, 0.4, 1.5])
def test_the_masses_of_each_column_sum_to_one(scale):
    for column in masses(outputs(scale=scale)):
        assert column.sum().item() == pytest.approx(1.0, abs=2e-5)
        assert (column >= 0).all()


def test_outputs_of_nothing_are_the_uniform_law_of_the_range():
    area, age, count, ratio, kind, size, on = masses(torch.zeros(1, LAW.parameters))
    for column in (area, age):
        assert column == pytest.approx(torch.full_like(column, 1 / len(column)), rel=1e-3)
    widths = np.diff(CODEC.columns[2].edges)
    assert count.numpy() == pytest.approx(widths / widths.sum(), rel=1e-2)
    assert ratio[-1].item() == 0.5
    assert [len(column) for column in (kind, size, on)] == [4, 3, 2]


def test_few_parameters_stand_for_many_cells():
    assert LAW.parameters == 2 + 2 + 2 + 3 + 4 + 3 + 2
    assert sum(CODEC.levels) > 3000


def test_a_narrow_law_lies_where_its_outputs_say():
    out = torch.zeros(1, LAW.parameters)
    out[0, :2] = torch.tensor([-2.0 / GAIN, -1.5 / GAIN])
    area = masses(out)[0]
    centre = (torch.arange(BINS) + 0.5) / BINS
    assert (area * centre).sum().item() == pytest.approx(1 / (1 + np.exp(2.0)), abs=0.01)
    assert area[centre > 0.5].sum().item() < 0.001


@torch.no_grad()
def test_draws_follow_the_masses():
    out = outputs(seed=4)
    u = (torch.arange(40_000) + 0.5) / 40_000
    drawn = LAW.draw(out.expand(len(u), -1), u[:, None].expand(-1, len(FIELDS)))
    for number, column in enumerate(masses(out)):
        codes = drawn[:, number].long()
        assert 0 <= codes.min() <= codes.max() < len(column)
        seen = torch.bincount(codes, minlength=len(column)) / len(u)
        assert (seen.cumsum(0) - column.cumsum(0)).abs().max() < 1e-3


@torch.no_grad()
def test_places_are_uniform_within_a_cell():
    out = outputs(seed=5)
    u = torch.linspace(0.3, 0.7, 20_000)
    places = LAW.draw(out.expand(len(u), -1), u[:, None].expand(-1, len(FIELDS)))[:, 0] % 1.0
    assert places.min() >= 0.0
    assert np.histogram(places, 4, (0, 1))[0] / len(u) == pytest.approx(np.full(4, 0.25), abs=0.02)


def records(n=12):
    rng = np.random.default_rng(3)
    codes = np.stack([rng.integers(0, levels, n) for levels in CODEC.levels], 1)
    x = np.concatenate([codes, np.zeros((n, 1))], 1).astype(np.float32)
    return Records(torch.from_numpy(x), torch.from_numpy(rng.integers(0, 2, n)))


def network(seed=1):
    with initial_weights(seed):
        return ResidualVae(LAW, ARCHITECTURE, partial(nn.Embedding, 3))


def test_the_first_law_is_uniform_and_the_first_posterior_says_something():
    vae, rows = network(), records()
    assert not vae.decode(torch.randn(4, 3), torch.zeros(4, dtype=torch.int64)).any()
    mean, log_variance = vae.encode(rows.x, rows.given)
    assert mean.var(0).min() > 0.02
    assert (log_variance == -1.0).all()


def test_the_encoder_sees_the_same_of_a_record_that_lies_alike_in_another_law():
    vae, rows = network(), records()
    before, _ = vae.encode(rows.x[:, :], rows.given)
    with torch.no_grad():
        vae.decoder.head.bias[0] -= 1.0
    after, _ = vae.encode(rows.x, rows.given)
    assert (after - before).abs().max() > 0.1
    residual = LAW.spans[0].residuals(torch.tensor([[0.25, 0.0]]), torch.tensor([BINS // 2]))
    # The middle of the range lies GAIN / 4 scales below the location.
    assert residual[0, 0].item() * 1.8 == pytest.approx(-GAIN / 4, abs=0.01)


def test_what_is_expected_is_a_constant_and_both_engines_agree():
    vae, rows = network(), records()
    eps = torch.randn((len(rows), 3), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        for weight in vae.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(weight.numel())))

    def losses(batch):
        found = terms(vae, LAW, Records(batch[0], batch[1]), batch[2])
        return found.kl.sum(1) - found.recon

    fast = engine_of(vae, losses, penalised=False)
    assert isinstance(fast, BookKeeping)
    sums = []
    for engine in (fast, OneByOne(vae, losses)):
        total = torch.zeros(engine.width, dtype=torch.float64)
        norms = engine.add(total, (rows.x, rows.given, eps), 1.0)
        sums.append(total)
        assert norms.isfinite().all()
    assert sums[0].norm() > 0.1
    assert (sums[0] - sums[1]).abs().max() < 1e-4
