"""The mark: exact under its null, visible under its key, and no change of the law (S413-3)."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest

from synthspec.backend.dataset import Dataset
from synthspec.ir.schema import Field, Schema
from synthspec.watermark import KeyFault, key_path, make_key, read_key
from synthspec.watermark.selection import canonical, detect, harmonic, scores, select

KEY = bytes(range(32))
SCHEMA = Schema(
    modality="tabular",
    fields=(
        Field(name="rid", role="key", dtype="int64"),
        Field(name="x", role="content", dtype="float32"),
        Field(name="k", role="condition", dtype="categorical", enum=("a", "b", "c")),
    ),
    pk=("rid",),
)


def table(n, seed):
    rng = np.random.default_rng(seed)
    return Dataset({"x": rng.normal(size=n).astype(np.float32), "k": rng.integers(0, 3, n).astype(np.int64)})


def marked(n, m, seed, key=KEY):
    data = table(n * m, seed)
    values = scores(key, canonical(SCHEMA, data))
    return data.take(select(values, np.asarray(data["k"]), m))


@pytest.mark.parametrize("m", [2, 4])
def test_a_mark_shows_as_strongly_as_it_should(m):
    found = detect(KEY, canonical(SCHEMA, marked(500, m, 1)), m, 1e-6)
    assert found.detected
    assert found.p < 1e-6
    assert found.z == pytest.approx(found.expected_z, abs=5.0)
    assert found.expected_z == pytest.approx(math.sqrt(500) * (harmonic(m) - 1))


def test_without_the_key_or_the_mark_there_is_nothing():
    assert detect(bytes(32), canonical(SCHEMA, marked(500, 2, 1)), 2, 1e-6).p > 1e-4
    assert detect(KEY, canonical(SCHEMA, table(500, 2)), 2, 1e-6).p > 1e-4


def test_false_alarms_over_300_keys_are_as_many_as_alpha_says():
    """Also on a table of few distinct records, where every repeat would be counted as new evidence."""
    unmarked = canonical(SCHEMA, table(300, 3))
    few = unmarked[:9] * 100
    p = np.array(
        [
            [detect(bytes([i % 256, i // 256]) * 16, records, 2, 0.01).p for i in range(300)]
            for records in (unmarked, few)
        ]
    )
    for each in p:
        assert binomtest(int((each < 0.01).sum()), 300, 0.01, alternative="greater").pvalue > 1e-3
        assert kstest(each, "uniform").pvalue > 1e-3


def test_the_law_stays_what_it_was():
    kept = np.concatenate([np.asarray(marked(2000, 2, seed, bytes([seed]) * 32)["x"]) for seed in range(5)])
    assert kstest(kept, "norm").pvalue > 1e-3


def test_the_shares_of_categories_stay_but_for_one_record_each():
    data = table(3000, 4)
    groups = np.asarray(data["k"])
    chosen = select(scores(KEY, canonical(SCHEMA, data)), groups, 3)
    assert len(chosen) == 1000
    before, after = np.bincount(groups), np.bincount(groups[chosen], minlength=3)
    assert (np.abs(after - before / 3) < 1.01).all()
    assert (np.diff(chosen) > 0).all()


@given(
    st.lists(st.floats(0.001, 0.999), min_size=12, max_size=12), st.lists(st.integers(0, 2), min_size=12, max_size=12)
)
@settings(deadline=None)
def test_each_chosen_one_is_the_best_of_its_like(values, groups):
    values, groups = np.array(values), np.array(groups)
    chosen = select(values, groups, 3)
    assert len(set(chosen)) == 4
    assert values.max() == values[chosen].max()


def test_too_few_records_are_no_proof():
    found = detect(KEY, canonical(SCHEMA, marked(50, 2, 5)), 2, 0.5)
    assert not found.able
    assert not found.detected
    with pytest.raises(ValueError, match="no records"):
        detect(KEY, [], 2, 0.01)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
@settings(deadline=None)
def test_a_record_is_the_same_here_and_in_a_text_file(numbers):
    """float32 here, and what a reader makes of the shortest text for it."""
    here = Dataset({"x": np.array(numbers, np.float32), "k": np.zeros(len(numbers), np.int64)})
    there = Dataset(
        {"x": np.array([float(str(v)) for v in np.array(numbers, np.float32)]), "k": np.zeros(len(numbers), np.int64)}
    )
    assert canonical(SCHEMA, here) == canonical(SCHEMA, there)


def test_what_is_no_content_is_not_in_a_record():
    data = table(20, 6)
    with_key = Dataset({**data.columns, "rid": np.arange(20)})
    assert canonical(SCHEMA, with_key) == canonical(SCHEMA, data)


def test_pictures_are_read_by_their_levels():
    schema = Schema(
        modality="image", fields=(Field(name="p", role="content", dtype="float32", shape=(1, 2, 2), resolution=1.0),)
    )
    flat = np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2)
    assert canonical(schema, Dataset({"p": flat})) == canonical(schema, Dataset({"p": flat + 0.2}))
    assert canonical(schema, Dataset({"p": flat})) != canonical(schema, Dataset({"p": flat + 0.6}))


def test_keys_are_made_once_and_read_by_their_owner_alone(tmp_path):
    path = key_path(tmp_path / "below", "team")
    make_key(path)
    assert len(read_key(path)) == 32
    with pytest.raises(KeyFault, match="already"):
        make_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyFault, match="chmod 600"):
        read_key(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(KeyFault, match="not a key"):
        read_key(path)
    with pytest.raises(KeyFault, match="synthspec watermark new"):
        read_key(tmp_path / "none.key")
    with pytest.raises(KeyFault):
        key_path(tmp_path, "../x")
