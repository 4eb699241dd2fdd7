"""Keys of records that were made: one for each, none twice, whatever kind of key it is."""

from __future__ import annotations

import numpy as np
import pytest

from synthspec.backend.dataset import Dataset
from synthspec.execute.core.export import to_csv
from synthspec.execute.core.fresh_keys import with_key, without_key
from synthspec.ir.schema import Field, Schema


def schema(*keys, pk=None):
    """A measured field beside key fields (name, dtype)."""
    fields = (*(Field(name=name, role="key", dtype=dtype) for name, dtype in keys),)
    fields += (Field(name="x", role="content", dtype="float64"),)
    return Schema(modality="tabular", fields=fields, pk=pk or tuple(name for name, _ in keys))


def kept(records):
    return Dataset({"x": np.linspace(0.0, 1.0, records)})


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "string"])
@pytest.mark.parametrize("records", [0, 1, 128])
def test_every_record_has_a_key_of_its_own(dtype, records):
    made = with_key(schema(("sid", dtype)), kept(records))
    lines = to_csv(schema(("sid", dtype)), made).splitlines()
    assert [line.split(",")[0] for line in lines] == ["sid", *map(str, range(records))]


def test_a_text_is_as_long_as_its_number_needs():
    column = with_key(schema(("sid", "string")), kept(11))["sid"]
    assert column.dtype == np.uint8
    assert [bytes(row).rstrip(b"\0") for row in column][9:] == [b"9", b"10"]


def test_each_part_of_a_key_that_is_missing_is_given_and_none_that_is_there():
    both = schema(("site", "string"), ("visit", "int64"))
    there = Dataset({**kept(3).columns, "visit": np.array([7, 7, 7])})
    made = with_key(both, there)
    assert made["visit"].tolist() == [7, 7, 7]
    assert len({bytes(row) for row in made["site"]}) == 3
    assert without_key(both, made).columns.keys() == {"x"}


def test_what_is_learned_is_no_key_to_take_away():
    learned = schema(("sid", "int64"), pk=("sid", "x"))
    made = with_key(learned, kept(3))
    assert without_key(learned, made).columns.keys() == {"x"}


@pytest.mark.parametrize(("dtype", "records"), [("int8", 129), ("uint8", 257), ("float64", 1), ("categorical", 1)])
def test_a_dtype_that_cannot_count_so_far_gives_none_twice(dtype, records):
    with pytest.raises(ValueError, match="no running number"):
        with_key(schema(("sid", dtype)), kept(records))
