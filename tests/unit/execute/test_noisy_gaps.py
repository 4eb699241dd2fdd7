"""Gaps that are filled with noisy statistics: what a record moves, what comes out, and that no record is asked again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from synthspec.accounting import Gaussian, eps_total
from synthspec.backend.conservation import CONSERVATION_REPORT
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.noise import Noise
from synthspec.backend.protocol import Artifact, Context, Identity
from synthspec.backend.releases import counted, read_record
from synthspec.execute.core.backend import CORE
from synthspec.execute.core.bind import SCHEMA as SCHEMA_FILE
from synthspec.execute.core.impute import completed, impute
from synthspec.execute.core.noisy_gaps import released_values
from synthspec.execute.core.statistics import statistics
from synthspec.ir.ops import Impute, Statistics
from synthspec.ir.schema import Field, Schema
from synthspec.spec.data import Constant
from synthspec.spec.privacy import ConditionHistogram, DpSgd, NoisyImputation

FIELDS = (
    Field(name="dose", role="content", dtype="float64", range=(0.0, 10.0)),
    Field(name="level", role="content", dtype="float32", range=(0.0, 4.0), resolution=0.5),
    Field(name="grade", role="content", dtype="float64", enum=(1.5, 2.5, 9.0)),
    Field(name="note", role="content", dtype="float64", range=(0.0, 1.0)),
    Field(name="site", role="condition", dtype="categorical", enum=("x", "y", "z")),
)
SCHEMA = Schema(modality="tabular", fields=(Field(name="rid", role="key", dtype="int64"), *FIELDS), pk=("rid",))
FILL = (("dose", "median"), ("level", "mean"), ("grade", "mode"), ("note", Constant(constant=0.25)), ("site", "mode"))
BLOCK = DpSgd(mechanism="dp-sgd", unit="record", adjacency="zero_out", imputation=NoisyImputation(multiplier=4.0))
BOTH = BLOCK.model_copy(update={"condition_histogram": ConditionHistogram(multiplier=9.0)})


def op(**changes):
    stated = {"schema": SCHEMA, "privacy": BLOCK, "kind": "imputation", "fields": (), "sigma": 4.0, "records": 0, "seed": 3,
              "fill": FILL, "fill_sigma": 4.0}  # fmt: skip
    return Statistics(**stated | changes)


BESIDE = (SCHEMA_FILE, CONSERVATION_REPORT)
WITH_CONDITIONS = op(privacy=BOTH, kind="condition_histogram", fields=("site",), sigma=9.0, records=600)


def table(n, seed=0):
    r = np.random.default_rng(seed)
    columns = {
        "rid": np.arange(n),
        "dose": r.gamma(2.0, 1.0, n).clip(0, 10),
        "level": (r.integers(0, 9, n) / 2).astype(np.float32),
        "grade": r.choice([1.5, 2.5, 2.5, 2.5, 9.0], n),
        "note": r.random(n),
        "site": r.choice([0, 1, 1, 1, 2], n),
    }
    for name, column in columns.items():
        if name != "rid":
            column[r.random(n) < 0.2] = -1 if name == "site" else np.nan
    return columns


class Kept(Noise):
    def __init__(self, key=bytes(32)):
        super().__init__(key=key)
        self.parts = {}

    def release(self, name, parts, sigma):
        self.parts[name] = [part.copy() for part in parts]
        return super().release(name, parts, sigma)


@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 50), row=st.integers(0, 49), seed=st.integers(0, 2**31))
def test_a_record_moves_the_counts_by_no_more_than_their_noise_is_for(n, row, seed):
    columns, noises = table(n, seed), []
    other = {
        name: np.concatenate([c[: row % n], table(1, seed + 1)[name], c[row % n + 1 :]]) for name, c in columns.items()
    }
    for each in (columns, {name: np.delete(c, row % n) for name, c in columns.items()}, other):
        noises.append(Kept())
        released_values(op(), Dataset(each), noises[-1])
    first, *neighbours = (np.concatenate(noise.parts["imputation"]) for noise in noises)
    gone, swapped = (np.linalg.norm(first - each) / math.sqrt(4) for each in neighbours)
    assert gone <= 1
    assert swapped <= math.sqrt(2) + 1e-12
    assert all(noise.made == noises[0].made for noise in noises)
    assert (noises[0].made[0].parts, noises[0].made[0].sigma) == (4, 4.0)


def test_with_little_noise_they_are_those_of_the_values_that_there_are():
    columns = table(4000)
    found = released_values(op(fill_sigma=0.01), Dataset(columns), Noise(key=bytes(32)))
    known = {name: column[np.isfinite(column)] for name, column in columns.items() if name != "site"}
    assert found["dose"] == pytest.approx(np.median(known["dose"]), abs=10 / 48)
    assert found["level"] == pytest.approx(known["level"].mean(), abs=0.25)
    assert found["level"] * 2 == round(found["level"] * 2), "on the resolution of the field"
    assert (found["grade"], found["site"]) == (2.5, 1.0)
    assert "note" not in found


@pytest.mark.parametrize("rows", [0, 3])
def test_with_much_noise_they_are_values_that_the_fields_allow(rows):
    """Even where no record has a value: whether one does is not told."""
    columns = table(rows)
    found = released_values(op(fill_sigma=1e4), Dataset(columns), Noise(key=bytes(32)))
    assert 0 <= found["dose"] <= 10
    assert 0 <= found["level"] <= 4
    assert found["grade"] in (1.5, 2.5, 9.0)
    assert found["site"] in (0, 1, 2)


class Quiet:
    def start(self, label, total, unit): ...

    def advance(self, count=1, note=""): ...


def run(tmp_path, kernel, stated, columns, **inputs):
    real = tmp_path / "real"
    real.mkdir(exist_ok=True)
    write_dataset(real, Dataset(columns))
    n = len(columns["rid"])
    write_rows(real, Rows(train=np.arange(n // 2), val=np.arange(n // 2, n), test=np.arange(0)))
    for name in BESIDE:
        (real / name).write_text("{}")
    out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
    out.mkdir()
    given = {
        "data": Artifact(real, ("data.safetensors", *BESIDE)),
        "split": Artifact(real, ("split.safetensors",)),
        **inputs,
    }
    secret, identity = tmp_path / "secret", Identity("one", {"backend": "core"})
    kernel(stated, given, Context(out=out, root=tmp_path, workers=1, progress=Quiet(), secret=secret, identity=identity,
                                  meter=tmp_path / "meter"))  # fmt: skip
    return out


def test_gaps_are_filled_with_what_was_released_and_nothing_else(tmp_path):
    columns = table(80)
    out = run(tmp_path, statistics, op(), columns)
    record = read_record(out / "privacy.json")
    assert {path.name for path in out.iterdir()} == {"fill.json", "privacy.json", "statistics.safetensors"}
    assert record.releases == record.planned == counted(tmp_path / "meter") == 1
    assert eps_total(record.event, 1e-5, "analytic").eps == eps_total(Gaussian(4.0), 1e-5, "analytic").eps
    assert [each.charge for each in record.accesses].count("ledger") == 1
    filling = {"fill": Artifact(out, ("fill.json",))}
    made = [read_dataset(run(tmp_path, impute, Impute(schema=SCHEMA, fill=FILL), each, **filling) / "data.safetensors")
            for each in (columns, {**columns, "dose": np.where(np.isnan(columns["dose"]), np.nan, 9.0)})]  # fmt: skip
    gaps = np.isnan(columns["dose"])
    assert len(set(made[0]["dose"][gaps].tolist()) | set(made[1]["dose"][gaps].tolist())) == 1
    np.testing.assert_array_equal(made[0]["dose"][~gaps], columns["dose"][~gaps])
    assert set(made[0]["note"][np.isnan(columns["note"])].tolist()) == {0.25}
    assert all(np.isfinite(made[0][field.name]).all() for field in FIELDS)


def test_conditions_are_counted_with_their_gaps_filled(tmp_path):
    columns = table(400)
    columns["site"][::2] = -1
    out = run(tmp_path, statistics, WITH_CONDITIONS, columns)
    record, vectors = read_record(out / "privacy.json"), load_file(out / "statistics.safetensors")
    assert [each.name for each in record.made] == ["imputation", "condition_histogram"]
    assert record.releases == record.planned == 2
    assert vectors["condition_histogram"].sum() == pytest.approx(200, abs=6 * 9 * math.sqrt(3))
    assert vectors["condition_histogram"].argmax() == 1
    again = run(tmp_path, statistics, WITH_CONDITIONS, columns)
    assert all((out / path.name).read_bytes() == path.read_bytes() for path in again.iterdir())


def test_what_is_filled_without_a_mechanism_is_as_it_was():
    columns = table(60)
    filled, _ = completed(Impute(schema=SCHEMA, fill=FILL), Dataset(columns), np.arange(60))
    assert filled["dose"][np.isnan(columns["dose"])][0] == np.nanmedian(columns["dose"])


def test_what_has_no_cells_is_said_before_anything_runs():
    wide = Schema(modality="tabular", fields=(Field(name="dose", role="content", dtype="float64"),), pk=())
    assert CORE.supports(op()) == CORE.supports(WITH_CONDITIONS) == ()
    assert any("no range" in reason for reason in CORE.supports(op(schema=wide, fill=(("dose", "mean"),))))
    assert CORE.supports(op(schema=wide, fill=(("dose", Constant(constant=1.0)),))) == ()
