"""The mark on records of the examples: no more alarms on real ones than stated, and a choice that is one by chance."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, ks_2samp, kstest
from sklearn.datasets import load_breast_cancer, load_digits

from synthspec.backend.dataset import Dataset
from synthspec.execute.core.export import to_csv
from synthspec.execute.core.loose import read_records, read_released
from synthspec.execute.core.mark import groups
from synthspec.ir.schema import Field, Schema
from synthspec.metrics.psi import index
from synthspec.pipeline.front import load_sref
from synthspec.resolve import bind_schema
from synthspec.watermark.selection import canonical, detect, scores, select

EXAMPLES = Path(__file__).parents[3] / "examples"
KEYS = [f"a key that marked nothing {number}".encode().ljust(32) for number in range(300)]


def schema_of(path: Path) -> Schema:
    found = load_sref(path).then(bind_schema).value
    assert found is not None
    return found


def real(name: str) -> tuple[Schema, Dataset]:
    """500 real records of an example, and what they are."""
    rows = np.arange(500)
    if name == "series":
        schema = schema_of(EXAMPLES / "fiber-link-flow" / "fiber_link.sref.yaml")
        return schema, read_records(EXAMPLES / "fiber-link-flow" / "fiber_link.csv", schema).take(rows)
    if name == "digits":
        schema = schema_of(EXAMPLES / "digits-diffusion" / "digits.sref.yaml")
        found = load_digits()
        (pixels,) = schema.with_role("content")
        (digit,) = schema.with_role("condition")
        content = found.images.reshape(-1, *pixels.shape).astype(np.float32)
        return schema, Dataset({pixels.name: content, digit.name: found.target.astype(np.int64)}).take(rows)
    schema = schema_of(EXAMPLES / "cancer-dp-vae" / "cancer.sref.yaml")
    table = load_breast_cancer(as_frame=True)
    columns = {str(key).replace(" ", "_"): table.data[key].to_numpy(np.float32) for key in table.data}
    columns["diagnosis"] = table.target.to_numpy(np.int64)
    return schema, Dataset({f.name: columns[f.name] for f in schema.fields if f.name in columns}).take(rows)


@pytest.mark.parametrize("name", ["digits", "table", "series"])
def test_real_records_raise_no_more_alarms_than_stated_over_300_keys(name):
    schema, data = real(name)
    records = canonical(schema, data)
    assert len(set(records)) == len(records) == 500, "each record is one piece of evidence"
    p = np.array([detect(key, records, 2, 1e-6).p for key in KEYS])
    for level in (0.05, 0.01):
        assert binomtest(int((p < level).sum()), len(p), level, alternative="greater").pvalue > 1e-3
    assert kstest(p, "uniform").pvalue > 1e-3
    assert not (p < 1e-6).any()


@pytest.mark.parametrize("name", ["digits", "table", "series"])
def test_the_mark_of_a_key_chooses_among_records_as_chance_does(name):
    """PSI of one column of what is kept beside all candidates: under 300 keys, and 300 times by chance."""
    schema, data = real(name)
    records, alike = canonical(schema, data), groups(schema, data)
    content = schema.with_role("content")[0].name
    column = np.asarray(data[content], dtype=np.float64).reshape(len(data), -1)
    column = column[:, column.std(axis=0).argmax()]
    codes = np.searchsorted(np.unique(np.quantile(column, np.arange(1, 10) / 10)), column, side="right").astype(float)
    rng = np.random.default_rng(3)

    def moved(values):
        return index(codes[select(values, alike, 2)], codes, 10)

    keyed = [moved(scores(key, records)) for key in KEYS]
    drawn = [moved(rng.random(len(records))) for _ in KEYS]
    assert ks_2samp(keyed, drawn).pvalue > 1e-3


def test_records_with_instants_and_gaps_read_back_as_they_were_marked(tmp_path):
    """Metrics read no instants; whoever asks whose records these are does."""
    schema = Schema(
        modality="tabular",
        fields=(
            Field(name="seen", role="content", dtype="timestamp"),
            Field(name="kind", role="content", dtype="categorical", enum=("a", "b"), nullable=True),
            Field(name="mass", role="content", dtype="float32", nullable=True),
            Field(name="count", role="content", dtype="int64"),
            Field(name="held", role="content", dtype="bool"),
            Field(name="cost", role="content", dtype="float64", resolution=0.01),
        ),
    )
    rng = np.random.default_rng(1)
    mass = rng.normal(size=400).astype(np.float32)
    mass[::7] = np.nan
    data = Dataset(
        {
            "seen": rng.integers(-(10**18), 10**18, 400),
            "kind": rng.integers(-1, 2, 400),
            "mass": mass,
            "count": rng.integers(-(2**62), 2**62, 400),
            "held": rng.integers(0, 2, 400).astype(np.uint8),
            "cost": rng.integers(0, 10**6, 400) / 100,
        }
    )
    path = tmp_path / "samples.csv"
    path.write_text(to_csv(schema, data), encoding="utf-8")
    assert canonical(schema, read_released(path, schema)) == canonical(schema, data)
