"""Laws of the split (P405-9): disjoint, stable, near its shares, torn nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.backend.artifacts import DATA, SPLIT, write_report
from synthspec.backend.dataset import Dataset, read_rows, write_dataset
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute.core.split import key_texts, rows_of, split
from synthspec.ir.ops import Split
from synthspec.ir.schema import Field, Schema
from synthspec.spec.data import ColumnSplit, HashSplit, RandomSplit, TimeSplit
from synthspec.units import parse_quantity

SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}


def schema_of(dtype="int64", **more):
    return Schema(modality="tabular", fields=(Field(name="k", role="key", dtype=dtype, **more),))


def rows(rule, column, schema=None):
    return rows_of(Split(rule=rule), Dataset({"k": np.asarray(column)}), schema or schema_of())


def by_hash(column, seed=11, schema=None, **shares):
    return rows(HashSplit(method="hash", key="k", seed=seed, **(shares or SHARES)), column, schema)


def at_random(n, seed=1, **shares):
    return rows(RandomSplit(method="random", seed=seed, **(shares or SHARES)), np.arange(n))


def by_time(column, gap=None, schema=None, **shares):
    quantity = None if gap is None else parse_quantity(gap)
    rule = TimeSplit(method="time", key="k", gap=quantity, **(shares or SHARES))
    return rows(rule, column, schema or schema_of("float64", unit="s"))


def places(found, n):
    """0, 1, 2 or -1 for each row; fails when a row is in two splits."""
    place = np.full(n, -1)
    for number, part in enumerate((found.train, found.val, found.test)):
        assert part.dtype == np.int64
        assert np.all(np.diff(part) > 0), "sorted, each once"
        assert np.all(place[part] == -1), "a row in two splits"
        place[part] = number
    return place


KEYS = st.lists(st.integers(-(2**62), 2**62), min_size=200, max_size=400, unique=True)


@given(KEYS, st.integers(0, 2**53 - 1))
@settings(max_examples=20, deadline=None)
def test_by_hash_every_row_is_in_exactly_one_split(keys, seed):
    assert set(places(by_hash(keys, seed), len(keys))) == {0, 1, 2}


@given(KEYS, st.data())
@settings(max_examples=20, deadline=None)
def test_by_hash_a_row_keeps_its_split_when_others_come_or_go(keys, data):
    whole = dict(zip(keys, places(by_hash(keys), len(keys)), strict=True))
    fewer = data.draw(st.permutations(keys))[: len(keys) // 2 + 50]
    assert dict(zip(fewer, places(by_hash(fewer), len(fewer)), strict=True)) == {key: whole[key] for key in fewer}


def test_by_hash_the_shares_come_out_as_binomials():
    n = 20_000
    counts = np.bincount(places(by_hash(np.arange(n)), n))
    for count, share in zip(counts, SHARES.values(), strict=True):
        assert abs(count - n * share) < 4 * np.sqrt(n * share * (1 - share))


def test_by_hash_the_seed_reshuffles_and_nothing_else_does():
    n = 2000
    base = places(by_hash(np.arange(n)), n)
    assert np.array_equal(base, places(by_hash(np.arange(n)), n))
    same = (base == places(by_hash(np.arange(n), seed=12), n)).mean()
    assert same == pytest.approx(0.7**2 + 2 * 0.15**2, abs=0.05)


def test_by_hash_is_what_it_was():
    """A change here moves test rows into training sets of earlier runs."""
    assert "".join(map(str, places(by_hash(np.arange(40)), 40))) == GOLDEN


def test_by_hash_shares_below_one_leave_the_rest_out():
    n = 5000
    place = places(by_hash(np.arange(n), train=0.5, val=0.2, test=0.1), n)
    assert (place == -1).mean() == pytest.approx(0.2, abs=0.03)


def test_by_hash_the_value_decides_not_how_it_is_stored():
    integers, floats = by_hash(np.arange(300)), by_hash(np.arange(300.0), schema=schema_of("float64"))
    assert np.array_equal(integers.test, floats.test)
    category = Field(name="k", role="key", dtype="categorical", enum=("b", "a"))
    reordered = Field(name="k", role="key", dtype="categorical", enum=("a", "b"))
    assert key_texts(category, np.array([0, 1])) == key_texts(reordered, np.array([1, 0])) == ["b", "a"]
    text = Field(name="k", role="key", dtype="string")
    assert key_texts(text, np.frombuffer(b"7\0\x0012", np.uint8).reshape(1, 5)[:, :2]) == ["7"]


def test_by_hash_rows_of_one_entity_stay_together():
    entity = np.repeat(np.arange(300), 7)
    place = places(by_hash(entity), len(entity)).reshape(300, 7)
    assert np.all(place == place[:, :1])


@given(st.integers(20, 500), st.integers(0, 2**53 - 1))
@settings(max_examples=20, deadline=None)
def test_at_random_shares_are_exact_and_rows_in_exactly_one(n, seed):
    place = places(at_random(n, seed), n)
    assert np.array_equal(np.bincount(place), np.diff([0, round(0.7 * n), round(0.85 * n), n]))


def test_at_random_is_a_uniform_shuffle_by_its_seed():
    n = 10_000
    first, second = places(at_random(n, 1), n), places(at_random(n, 2), n)
    assert np.array_equal(first, places(at_random(n, 1), n))
    assert (first == second).mean() == pytest.approx(0.7**2 + 2 * 0.15**2, abs=0.03)
    assert np.flatnonzero(first == 2).mean() == pytest.approx(n / 2, rel=0.05)


TIMES = st.lists(st.integers(0, 300), min_size=30, max_size=120)


@given(TIMES, st.integers(0, 5), st.randoms())
@settings(max_examples=40, deadline=None)
def test_by_time_splits_follow_one_another_with_the_gap_between(times, gap, random):
    random.shuffle(times)
    column = np.array(times, np.float64)
    try:
        found = by_time(column, f"{gap} s")
    except DataError as error:
        assert error.code == "P405-9.split-empty"  # noqa: PT017
        return
    place = places(found, len(column))
    for number in (1, 2):
        begin, end = column[place == number].min(), column[place == number - 1].max()
        assert begin - end > gap
        lost = column[(place == -1) & (column > end) & (column < begin)]
        assert np.all(lost - end <= gap)
    assert column[place == 0].max() >= np.quantile(column, 0.7, method="lower") - 1e-9


def test_by_time_nothing_is_lost_without_a_gap():
    place = places(by_time(np.random.default_rng(0).permutation(np.arange(1000.0))), 1000)
    assert np.bincount(place).tolist() == [700, 150, 150]


@pytest.mark.parametrize(
    ("schema", "scale"),
    [
        (schema_of("float64", unit="s"), 1.0),
        (schema_of("float64", unit="ms"), 1e3),
        (schema_of("int64", unit="ms"), 1000),
        (schema_of("timestamp"), 10**9),
    ],
)
def test_by_time_the_gap_is_in_the_unit_of_the_key(schema, scale):
    column = np.arange(100) * scale
    place = places(by_time(column, "2 s", schema=schema), 100)
    assert np.flatnonzero(place == -1).tolist() == [70, 71, 85, 86]


def test_by_time_instants_keep_their_nanoseconds():
    base = 1_767_225_600_000_000_000
    place = places(by_time(base + np.arange(100), "2 ns", schema=schema_of("timestamp")), 100)
    assert np.flatnonzero(place == -1).tolist() == [70, 71, 85, 86]


@pytest.mark.parametrize(
    ("schema", "column"),
    [
        (schema_of("float64", unit="s"), [1.0, np.nan, 2.0] * 20),
        (schema_of("categorical", enum=("a",)), [0] * 60),
    ],
)
def test_by_time_needs_an_order(schema, column):
    with pytest.raises(DataError, match="does not order the rows"):
        by_time(np.array(column), schema=schema)


def test_by_column_the_data_decide():
    category = schema_of("categorical", enum=("test", "train", "val"), nullable=True)
    found = rows(ColumnSplit(method="column", column="k"), [1, 0, -1, 2, 1], category)
    assert [part.tolist() for part in (found.train, found.val, found.test)] == [[0, 4], [3], [1]]
    other = schema_of("categorical", enum=("test", "train", "holdout"))
    with pytest.raises(DataError, match="'holdout', which names no split"):
        rows(ColumnSplit(method="column", column="k"), [1, 0, 2], other)


def test_what_cannot_be_split_is_said():
    with pytest.raises(DataError, match="no row falls into val and test") as caught:
        by_time(np.zeros(50))
    assert caught.value.code == "P405-9.split-empty"
    with pytest.raises(DataError, match="'rid', which is no field"):
        rows(HashSplit(method="hash", key="rid", **SHARES), [1, 2, 3])


def test_the_kernel_reads_the_schema_beside_the_data(tmp_path):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    write_dataset(tmp_path / "in", Dataset({"k": np.arange(500)}))
    write_report(tmp_path / "in", "schema.json", schema_of())
    context = Context(out=tmp_path / "out", root=tmp_path, workers=1, progress=None)
    op = Split(rule=HashSplit(method="hash", key="k", seed=11, **SHARES))
    split(op, {"data": Artifact(tmp_path / "in", (DATA, "schema.json"))}, context)
    found = read_rows(tmp_path / "out" / SPLIT)
    assert np.array_equal(found.test, by_hash(np.arange(500)).test)


GOLDEN = "0010001210010002120121002021022000100001"
