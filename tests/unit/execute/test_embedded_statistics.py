"""The kernel of a noisy mean embedding: what is charged, who gets the same bytes, and that no record is looked at twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from synthspec.accounting import Gaussian
from synthspec.backend import embedding, latent
from synthspec.backend.cells import Cells
from synthspec.backend.dataset import Dataset, Rows, read_dataset, read_rows, write_dataset, write_rows
from synthspec.backend.noise import Noise
from synthspec.backend.protocol import Artifact, Context, DataError, Identity
from synthspec.backend.releases import counted, read_record
from synthspec.execute.core import statistics as kernel
from synthspec.execute.core.backend import CORE
from synthspec.execute.core.statistics import VALIDATION, statistics
from synthspec.ir.ops import Statistics
from synthspec.ir.schema import Field, Schema
from synthspec.spec.privacy import DpNoise

FIELDS = (
    Field(name="age", role="content", dtype="int32", range=(0, 40)),
    Field(name="dose", role="content", dtype="float64", range=(0.0, 1.0), resolution=0.125),
    Field(name="area", role="content", dtype="float32", range=(0.5, 300.0)),
    Field(name="site", role="content", dtype="categorical", enum=("x", "y", "z")),
    Field(name="arm", role="condition", dtype="bool"),
)
NAMES = tuple(field.name for field in FIELDS)
SCHEMA = Schema(modality="tabular", fields=(Field(name="rid", role="key", dtype="int64"), *FIELDS), pk=("rid",))
BLOCK = DpNoise(mechanism="dp-noise", unit="record", adjacency="add_remove", statistics=("mean_embedding",), records=64,
                eps_budget=3.0, delta=1e-5, bounds="sref", accountant="analytic")  # fmt: skip


def op(**changes):
    stated = {"schema": SCHEMA, "privacy": BLOCK, "kind": "mean_embedding", "fields": NAMES, "target": "arm", "sigma": 1.5,
              "records": 64, "seed": 3}  # fmt: skip
    return Statistics(**stated | changes)


def table(n, seed=0):
    r = np.random.default_rng(seed)
    return {
        "rid": np.arange(n),
        "age": r.integers(0, 41, n).astype(np.int32),
        "dose": r.integers(0, 9, n) / 8,
        "area": r.uniform(0.5, 300, n).astype(np.float32),
        "site": r.integers(0, 3, n),
        "arm": r.integers(0, 2, n).astype(np.uint8),
    }


class Quiet:
    def start(self, label, total, unit): ...

    def advance(self, count=1, note=""): ...


def run(tmp_path, stated, columns, key="one", **context):
    real = tmp_path / "real"
    real.mkdir(exist_ok=True)
    write_dataset(real, Dataset(columns))
    write_rows(real, Rows(train=np.arange(len(columns["rid"])), val=np.arange(0), test=np.arange(0)))
    out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    out.mkdir()
    inputs = {"data": Artifact(real, ("data.safetensors",)), "split": Artifact(real, ("split.safetensors",))}
    identity = Identity(key, {"backend": "core"})
    statistics(
        stated, inputs, Context(out=out, root=tmp_path, workers=1, progress=Quiet(), identity=identity, **context)
    )
    return out


def test_what_is_charged_is_the_one_vector_that_was_released(tmp_path):
    out = run(tmp_path, op(), table(50), meter=tmp_path / "meter")
    record, vectors = read_record(out / "privacy.json"), load_file(out / "statistics.safetensors")
    assert {each.name: each.size for each in record.made} == {name: len(vector) for name, vector in vectors.items()}
    assert record.releases == record.planned == counted(tmp_path / "meter") == 1
    assert (record.multiplier, record.made[0].parts) == (pytest.approx(1.5), 1)
    assert eps_same(record.event, Gaussian(1.5))
    assert [each.charge for each in record.accesses].count("ledger") == 1
    assert "sums" in record.hardening


def eps_same(event, other):
    from synthspec.accounting import eps_total

    return eps_total(event, 1e-5, "analytic").eps == eps_total(other, 1e-5, "analytic").eps


def test_drawn_records_are_records_of_the_schema_and_of_nobody(tmp_path):
    columns = table(300)
    out = run(tmp_path, op(), columns)
    drawn, rows = read_dataset(out / "data.safetensors"), read_rows(out / "split.safetensors")
    assert set(drawn.columns) == set(NAMES)
    assert (len(rows.train), len(rows.val), len(rows.test)) == (64, -(-64 // VALIDATION), 0)
    assert {name: drawn[name].dtype for name in NAMES} == {name: columns[name].dtype for name in NAMES}
    assert not np.any((drawn["dose"] * 8) % 1)
    assert not set(drawn["area"].tolist()) & set(columns["area"].tolist())
    assert 0.1 < drawn["arm"].mean() < 0.9


def test_who_holds_the_secret_gets_the_same_bytes(tmp_path):
    secret, names = tmp_path / "secret", ("data.safetensors", "statistics.safetensors", "privacy.json")
    first, second = (run(tmp_path, op(), table(50), secret=secret) for _ in range(2))
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
    other = run(tmp_path, op(), table(50))
    assert (other / "statistics.safetensors").read_bytes() != (first / "statistics.safetensors").read_bytes()
    with pytest.raises(DataError) as refused:
        run(tmp_path, op(), table(50), key="another", secret=secret)
    assert refused.value.code == "P405-4.secret"


class Frozen(Noise):
    """Record replay: keeps what was summed, and gives back what another run released."""

    def __init__(self, outputs=None):
        super().__init__(key=bytes(32))
        self.outputs, self.summed = outputs, {}

    def release(self, name, parts, sigma):
        self.summed[name] = parts[0].copy()
        made = super().release(name, parts, sigma)
        return made if self.outputs is None else self.outputs[name]


def moved(columns, neighbour):
    """How far the sums move between two tables, and whether all that follows is the same of the same outputs."""
    cells, drawn, released = [Cells.of(field) for field in FIELDS], [], None
    noises = []
    for each in (columns, neighbour):
        noises.append(Frozen(released))
        drawn.append(kernel._looked(op(), cells, Dataset(each), noises[-1]))
        released = noises[0].vectors
    same = all(np.array_equal(a, b) for a, b in zip(*drawn, strict=True))
    apart = np.linalg.norm(noises[0].summed["mean_embedding"] - noises[1].summed["mean_embedding"])
    return apart, same and noises[0].made == noises[1].made


@pytest.fixture(scope="module")
def brief():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latent, "STEPS", 3)
        yield


@pytest.mark.usefixtures("brief")
@settings(deadline=None, max_examples=15)
@given(n=st.integers(1, 60), row=st.integers(0, 59), seed=st.integers(0, 2**31))
def test_record_replay(n, row, seed):
    columns, other = table(n, seed), table(1, seed + 1)
    row %= n
    apart, same = moved(columns, {name: np.delete(column, row) for name, column in columns.items()})
    assert same
    assert 1 - 1e-6 < apart <= 1
    swapped = {name: np.concatenate([c[:row], other[name], c[row + 1 :]]) for name, c in columns.items()}
    apart, same = moved(columns, swapped)
    assert same
    assert apart <= 2


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("bug", ["raw centres", "raw frequencies"])
def test_the_replay_finds_a_second_look(monkeypatch, bug):
    """Laws that begin at the records themselves, and frequencies by their spread: neither is in the one release."""
    columns = table(30)
    if bug == "raw frequencies":
        right, spread = embedding.Features.sums, []

        def sums(self, given):
            spread.append(float(np.std(given[2])))
            self.frequencies[:] = self.frequencies * spread[-1] / 80
            return right(self, given)

        monkeypatch.setattr(embedding.Features, "sums", sums)
    else:
        begin, fit = latent.Mixture.first, kernel.match_embedding

        def peeking(cells, given, *more):
            def first(features, count, rng):
                law = begin(features, count, rng)
                law.centres[:] = cells[0].places(given[0]).mean()
                return law

            monkeypatch.setattr(latent.Mixture, "first", first)
            return fit(cells, given, *more)

        monkeypatch.setattr(kernel, "match_embedding", peeking)
    apart, same = moved(columns, {name: column[1:] for name, column in columns.items()})
    assert not same or apart > 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fields": ("age", "nobody")}, "no field"),
        ({"sigma": 0.0}, "not solved"),
        ({"schema": Schema(modality="tabular", fields=(Field(name="age", role="content", dtype="float64"),), pk=()),
          "fields": ("age",)}, "no range"),
        ({"schema": Schema(modality="tabular", pk=(), fields=(
            Field(name="age", role="content", dtype="categorical", enum=tuple(range(5001))),)), "fields": ("age",)},
         "5001 members"),
    ],
)  # fmt: skip
def test_what_cannot_be_embedded_is_said_before_anything_runs(changes, said):
    assert CORE.supports(op()) == ()
    assert any(said in reason for reason in CORE.supports(op(**changes)))


def test_one_field_is_enough():
    assert CORE.supports(op(fields=("age",), target="")) == ()
