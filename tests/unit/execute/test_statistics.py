"""The one look of dp-noise: what a record moves, what is charged, and that nothing else of a record gets past it."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from synthspec.accounting import gaussian_eps
from synthspec.backend import marginals
from synthspec.backend.dataset import Dataset, Rows, read_dataset, read_rows, write_dataset, write_rows
from synthspec.backend.engines import check_stated_size
from synthspec.backend.noise import Noise
from synthspec.backend.protocol import Artifact, Context, DataError, Identity
from synthspec.backend.releases import counted, read_record
from synthspec.execute.core import statistics as kernel
from synthspec.execute.core.statistics import VALIDATION, apportioned, statistics
from synthspec.execute.keys import execution_key
from synthspec.ir.ops import Statistics
from synthspec.ir.schema import Field, Schema
from synthspec.ir.statistics import SHARES, solved_sigma, statistics_event
from synthspec.spec.privacy import ConditionHistogram, DpNoise, DpSgd

FIELDS = (
    Field(name="age", role="content", dtype="int32", range=(0, 40)),
    Field(name="dose", role="content", dtype="float64", range=(0.0, 1.0)),
    Field(name="grade", role="content", dtype="int64", enum=(1, 2, 5)),
    Field(name="flag", role="content", dtype="bool"),
    Field(name="site", role="condition", dtype="categorical", enum=("x", "y", "z")),
)
SCHEMA = Schema(modality="tabular", fields=(Field(name="rid", role="key", dtype="int64"), *FIELDS), pk=("rid",))
NAMES = tuple(field.name for field in FIELDS)


def noisy(**changes):
    stated = {"mechanism": "dp-noise", "unit": "record", "adjacency": "add_remove", "statistics": ("marginals",),
              "records": 64, "eps_budget": 3.0, "delta": 1e-5, "bounds": "sref", "accountant": "analytic"}  # fmt: skip
    return DpNoise.model_validate(stated | changes)


def op(**changes):
    stated = {"schema": SCHEMA, "privacy": noisy(), "kind": "marginals", "fields": NAMES, "target": "site", "sigma": 1.5,
              "records": 64, "seed": 3}  # fmt: skip
    return Statistics(**stated | changes)


COUNTED = ConditionHistogram(multiplier=4.0)
HISTOGRAM = op(
    privacy=DpSgd(mechanism="dp-sgd", unit="record", adjacency="zero_out", condition_histogram=COUNTED),
    kind="condition_histogram", fields=("site",), target="", sigma=4.0, records=600,
)  # fmt: skip


def table(n, seed=0):
    r = np.random.default_rng(seed)
    return {
        "rid": np.arange(n),
        "age": r.integers(0, 41, n).astype(np.int32),
        "dose": r.random(n),
        "grade": r.choice([1, 2, 5], n),
        "flag": r.integers(0, 2, n).astype(np.uint8),
        "site": r.integers(0, 3, n),
    }


class Frozen(Noise):
    """Record replay: keeps what was summed, and gives back the outputs of another run where it has them."""

    def __init__(self, outputs=None):
        super().__init__(key=bytes(32))
        self.outputs, self.parts = outputs, {}

    def release(self, name, parts, sigma):
        self.parts[name] = [part.copy() for part in parts]
        made = super().release(name, parts, sigma)
        if self.outputs is None:
            return made
        self.vectors[name] = self.outputs[name]
        return self.outputs[name]


def looked(stated, columns, noise):
    from synthspec.backend.cells import Cells

    cells = [Cells.of(stated.schema.field(name)) for name in stated.fields]
    return kernel._looked(stated, cells, Dataset(columns), noise)


def moved(stated, columns, neighbour):
    """How far each vector moves between two tables, in units of what its noise is for; infinite when they differ in kind."""
    first = Frozen()
    drawn = looked(stated, columns, first)
    second = Frozen(first.vectors)
    again = looked(stated, neighbour, second)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True)), "what follows looks at records"
    if first.made != second.made:
        return {"flow": math.inf}
    return {
        each.name: math.sqrt(
            sum(
                float(np.square(a - b).sum()) if a.shape == b.shape else math.inf
                for a, b in zip(first.parts[each.name], second.parts[each.name], strict=True)
            )
        )
        / math.sqrt(each.parts)
        for each in first.made
    }


def without(columns, row):
    return {name: np.delete(column, row) for name, column in columns.items()}


def replaced(columns, row, seed):
    other = table(1, seed)
    return {name: np.concatenate([column[:row], other[name], column[row + 1 :]]) for name, column in columns.items()}


@pytest.mark.parametrize(
    "stated", [op(), op(target=""), op(sigma=0.05), HISTOGRAM], ids=["target", "none", "fine", "hist"]
)
@settings(deadline=None, max_examples=15)
@given(n=st.integers(1, 80), row=st.integers(0, 79), seed=st.integers(0, 2**31))
def test_a_record_moves_each_vector_by_no_more_than_its_noise_is_for(stated, n, row, seed):
    """Neighbours of add_remove and zero_out move it by 1; of replace_one, which an accountant doubles, by 2."""
    columns = table(n, seed)
    gone = moved(stated, columns, without(columns, row % n))
    assert gone
    assert max(gone.values()) <= 1 + 1e-9
    assert max(moved(stated, columns, replaced(columns, row % n, seed + 1)).values()) <= 2 + 1e-9


def test_counts_move_by_exactly_what_is_stated():
    columns = table(50)
    found = moved(op(), columns, without(columns, 7))
    assert found["fields"] == pytest.approx(1.0)
    assert found["tables"] == pytest.approx(1.0)
    assert found["pairs"] <= 1.0 + 1e-9


BUGS = {
    "a table counted twice": ("counted", lambda right: lambda *given: 2 * right(*given)),
    "counts of squares": ("counted", lambda right: lambda *given: right(*given) ** 2),
    "the number of records released beside": (
        "projected", lambda right: lambda counts, total: right(counts, max(1.0, float(BUGS_ROWS[0])))),
}  # fmt: skip
BUGS_ROWS = [0]


@pytest.mark.parametrize("bug", BUGS)
def test_the_replay_finds_planted_bugs(monkeypatch, bug):
    name, make = BUGS[bug]
    monkeypatch.setattr(marginals, name, make(getattr(marginals, name)))
    columns = table(60)
    right = marginals.fit_marginals

    def counting(cells, codes, *given):
        BUGS_ROWS[0] = 100 * len(codes[0])
        return right(cells, codes, *given)

    monkeypatch.setattr(kernel, "fit_marginals", counting)
    with pytest.raises(AssertionError):
        assert max(moved(op(), columns, without(columns, 0)).values()) <= 1 + 1e-9


def test_groups_made_of_raw_counts_are_found(monkeypatch):
    """Cells put together by a look at the records themselves: another grouping for a neighbour."""
    right, raw = marginals.Grouping.merged, []

    def peeking(law, parts, *, ordered, apart):
        return right(raw[0].pop(0), parts, ordered=ordered, apart=apart)

    monkeypatch.setattr(marginals.Grouping, "merged", peeking)
    fit = marginals.fit_marginals

    def keeping(cells, codes, *given):
        found = [np.bincount(code, minlength=cell.count).astype(float) for code, cell in zip(codes, cells, strict=True)]
        raw[:] = [[each / each.sum() for each in found]]
        return fit(cells, codes, *given)

    monkeypatch.setattr(kernel, "fit_marginals", keeping)
    columns = table(12)
    with pytest.raises(AssertionError):
        assert max(moved(op(sigma=0.05), columns, without(columns, 0)).values()) <= 1 + 1e-9


class Quiet:
    def start(self, label, total, unit): ...

    def advance(self, count=1, note=""): ...


def run(tmp_path, stated, columns, rows=None, **context):
    real = tmp_path / "real"
    real.mkdir(exist_ok=True)
    n = len(columns["rid"])
    write_dataset(real, Dataset(columns))
    write_rows(real, rows or Rows(train=np.arange(n), val=np.arange(0), test=np.arange(0)))
    out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    out.mkdir()
    inputs = {"data": Artifact(real, ("data.safetensors",)), "split": Artifact(real, ("split.safetensors",))}
    identity = identity_of(stated, inputs)
    statistics(
        stated, inputs, Context(out=out, root=tmp_path, workers=1, progress=Quiet(), identity=identity, **context)
    )
    return out


def identity_of(stated, inputs):
    """As the executor has it, for a backend of one version in one environment."""
    digests = {port: sha256((each.folder / each.files[0]).read_bytes()).hexdigest() for port, each in inputs.items()}
    key = execution_key(stated, digests, backend="core", version="1", environment={}, outside=())
    return Identity(key, {"backend": "core 1"})


@pytest.mark.parametrize(("stated", "rows", "fits"), [
    (930, 930, True), (1000, 930, True), (1030, 930, False), (820, 930, False), (5000, 930, False),
    (90, 70, True), (100, 70, False), (1, 0, False), (60_000, 61_500, True), (60_000, 70_000, False),
])  # fmt: skip
def test_a_public_number_of_records_is_about_what_there_is(stated, rows, fits):
    for public in (True, False):
        block = noisy(dataset_size={"public": public, "value": stated})
        with nullcontext() if fits or not public else pytest.raises(DataError, match=f"write {rows}|has {rows}"):
            check_stated_size(block, rows)
    check_stated_size(noisy(), rows)


def test_a_number_of_records_that_is_not_true_ends_a_release_before_it_is_counted(tmp_path):
    stated = op(privacy=noisy(dataset_size={"public": True, "value": 500}))
    with pytest.raises(DataError, match="500 records are learned, and the train split has 50") as refused:
        run(tmp_path, stated, table(50), meter=tmp_path / "meter")
    assert refused.value.code == "P405-4.dataset-size-untrue"
    assert not (tmp_path / "meter").exists()


def test_what_is_charged_is_what_was_released(tmp_path):
    out = run(tmp_path, op(), table(50), meter=tmp_path / "meter")
    record, vectors = read_record(out / "privacy.json"), load_file(out / "statistics.safetensors")
    assert {each.name: each.size for each in record.made} == {name: len(vector) for name, vector in vectors.items()}
    assert [each.name for each in record.made] == [name for name, _ in SHARES]
    assert record.releases == record.planned == counted(tmp_path / "meter") == 3
    assert record.multiplier == pytest.approx(1.5)
    assert record.event == statistics_event("marginals", 1.5)
    assert [each.charge for each in record.accesses[:3]] == ["ledger"] * 3
    text = (out / "privacy.json").read_text()
    assert "50" not in json.loads(text).values()


def test_no_value_of_a_record_gets_through(tmp_path):
    """A planted outlier, and every other number: what is drawn lies in public cells, at places that nobody had."""
    columns = table(400)
    columns["dose"][17] = 0.123456789012345
    columns["age"][17] = 40
    drawn = read_dataset(run(tmp_path, op(), columns) / "data.safetensors")
    assert not set(drawn["dose"].tolist()) & set(columns["dose"].tolist())
    assert set(drawn.columns) == set(NAMES)


def test_only_the_train_rows_are_counted(tmp_path):
    columns = table(300)
    halves = [Rows(train=np.arange(200), val=np.arange(200, 300), test=np.arange(0)),
              Rows(train=np.arange(200), val=np.arange(0), test=np.arange(200, 300))]  # fmt: skip
    changed = {name: column.copy() for name, column in columns.items()}
    changed["age"][200:] = 0
    noise = [Frozen(), Frozen()]
    for each, (rows, given_) in zip(noise, zip(halves, (columns, changed), strict=True), strict=True):
        looked(op(), {name: column[rows.train] for name, column in given_.items()}, each)
    assert all(np.array_equal(a, b) for a, b in zip(noise[0].parts["fields"], noise[1].parts["fields"], strict=True))
    out = run(tmp_path, op(), columns, halves[0])
    rows = read_rows(out / "split.safetensors")
    assert (len(rows.train), len(rows.val), len(rows.test)) == (64, -(-64 // VALIDATION), 0)


def test_drawn_records_are_records_of_the_schema(tmp_path):
    drawn = read_dataset(run(tmp_path, op(), table(200)) / "data.safetensors")
    assert set(drawn["grade"].tolist()) <= {1, 2, 5}
    assert set(drawn["flag"].tolist()) <= {0, 1}
    assert set(drawn["site"].tolist()) <= {0, 1, 2}
    assert drawn["age"].dtype == np.int32
    assert drawn["age"].min() >= 0
    assert drawn["age"].max() <= 40


def test_who_holds_the_secret_gets_the_same_bytes(tmp_path):
    secret, names = tmp_path / "secret", ("data.safetensors", "statistics.safetensors", "privacy.json")
    first, second = (run(tmp_path, op(), table(50), secret=secret) for _ in range(2))
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
    assert secret.stat().st_mode & 0o777 == 0o600
    other = run(tmp_path, op(), table(50))
    assert (other / "statistics.safetensors").read_bytes() != (first / "statistics.safetensors").read_bytes()
    assert secret.read_text().split('"seed": "')[1][:64] not in (first / "privacy.json").read_text()


@pytest.mark.parametrize("change", [{"sigma": 1.6}, {"seed": 4}])
def test_noise_is_used_once(tmp_path, change):
    run(tmp_path, op(), table(50), secret=tmp_path / "secret")
    with pytest.raises(DataError) as refused:
        run(tmp_path, op(**change), table(50), secret=tmp_path / "secret")
    assert refused.value.code == "P405-4.secret"
    with pytest.raises(DataError):
        run(tmp_path, op(), table(51), secret=tmp_path / "secret")


def test_beside_a_training_the_secret_is_another(tmp_path):
    secret = tmp_path / "secret"
    out = run(tmp_path, HISTOGRAM, table(90), secret=secret)
    assert not secret.exists()
    assert Path(f"{secret}.statistics").exists()
    drawn, rows = read_dataset(out / "data.safetensors"), read_rows(out / "split.safetensors")
    shares = np.bincount(drawn["site"][rows.train], minlength=3) / 600
    noisy_counts = load_file(out / "statistics.safetensors")["condition_histogram"]
    np.testing.assert_allclose(shares, np.maximum(noisy_counts, 0) / np.maximum(noisy_counts, 0).sum(), atol=0.01)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=12).filter(lambda each: sum(each) > 1e-6), st.integers(1, 500))
def test_shares_are_written_out_to_within_a_record(counts, size):
    counts = np.array(counts)
    (codes,) = apportioned(counts, size)
    found = np.bincount(codes, minlength=len(counts))
    assert found.sum() == size
    assert np.abs(found - counts * size / counts.sum()).max() < 1 + 1e-6


@pytest.mark.parametrize(("adjacency", "doubled"), [("add_remove", 1), ("zero_out", 1), ("replace_one", 2)])
def test_the_budget_is_kept_by_the_closed_form(adjacency, doubled):
    sigma = solved_sigma(noisy(adjacency=adjacency))
    assert gaussian_eps(sigma / doubled, 1e-5) <= 3.0
    assert gaussian_eps(0.9999 * sigma / doubled, 1e-5) > 3.0
    precision = math.fsum(1 / each.sigma**2 for each in statistics_event("marginals", sigma).events)
    assert 1 / math.sqrt(precision) == pytest.approx(sigma)


def test_no_rows_are_noise_and_no_fault(tmp_path):
    empty = Rows(train=np.arange(0), val=np.arange(3), test=np.arange(0))
    assert len(read_dataset(run(tmp_path, op(), table(3), empty) / "data.safetensors")) == 64 + 8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": replace(SCHEMA, modality="image")}, "modality image"),
        ({"fields": ("age",)}, "two fields"),
        ({"fields": ("age", "nobody")}, "no field"),
        ({"sigma": 0.0}, "not solved"),
        (
            {"schema": replace(SCHEMA, fields=(*FIELDS[1:], Field(name="age", role="content", dtype="float64")))},
            "no range",
        ),
        ({"schema": replace(SCHEMA, fields=(*FIELDS[1:], replace(FIELDS[0], nullable=True)))}, "nullable"),
        ({"schema": replace(SCHEMA, fields=(*FIELDS[1:], replace(FIELDS[0], shape=(2,))))}, "axes"),
        ({"kind": "condition_histogram", "fields": ("dose",)}, "continuous condition"),
    ],
)
def test_what_cannot_be_counted_is_said_before_anything_runs(changes, said):
    from synthspec.execute.core.backend import CORE

    assert CORE.supports(op()) == ()
    assert any(said in reason for reason in CORE.supports(op(**changes)))
