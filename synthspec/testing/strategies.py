"""Hypothesis strategies for bound schemas, and for datasets that fit one. Imports hypothesis and numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from synthspec.backend.columns import column_dtype, stored_members
from synthspec.backend.dataset import Column, Dataset, Rows
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sref import Dtype, Modality, Role
from synthspec.testing.catalogue import MODALITIES

FLOATS: tuple[Dtype, ...] = ("float32", "float64")
INTEGERS: tuple[Dtype, ...] = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
DTYPES: tuple[Dtype, ...] = (*FLOATS, *INTEGERS, "bool", "categorical")
_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True)


@st.composite
def fields(draw: st.DrawFn, name: str, role: Role = "content") -> Field:
    """A field called `name`: a number with a range, a category, or a truth value; a scalar, or an array of few axes."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=3))) if role == "content" else ()
    match dtype:
        case "categorical":
            members = draw(st.lists(st.integers(-99, 99) | _NAMES, min_size=1, max_size=5, unique_by=str))
            return Field(name=name, role=role, dtype=dtype, shape=shape, enum=tuple(members))
        case "bool":
            return Field(name=name, role=role, dtype=dtype, shape=shape)
        case _:
            return Field(name=name, role=role, dtype=dtype, shape=shape, range=draw(ranges(dtype)))


@st.composite
def ranges(draw: st.DrawFn, dtype: str) -> tuple[float, float]:
    """Two ends that `dtype` holds exactly, the lower one first and not equal to the upper one."""
    if dtype in FLOATS:
        ends = st.floats(-1e6, 1e6, width=32).map(lambda end: end + 0.0)
    else:
        kind = np.iinfo(dtype)
        ends = st.integers(max(int(kind.min), -(2**31)), min(int(kind.max), 2**31)).map(float)
    low, high = sorted(draw(st.lists(ends, min_size=2, max_size=2, unique=True)))
    return low, high


@st.composite
def schemas(draw: st.DrawFn, modality: Modality | None = None, max_fields: int = 4) -> Schema:
    """A schema with a key, one field of content or more, and perhaps a condition with an enum."""
    names = draw(st.lists(_NAMES, min_size=2, max_size=max_fields + 1, unique=True))
    content = [draw(fields(name)) for name in names[1:]]
    key = Field(name="rid_", role="key", dtype="int64")
    members = draw(st.lists(st.integers(0, 99), max_size=4, unique=True))
    label = Field(name=names[0], role="condition", dtype="categorical", enum=tuple(members))
    condition = (label,) if members else ()
    chosen = draw(st.sampled_from(MODALITIES if modality is None else (modality,)))
    return Schema(modality=chosen, fields=(key, *content, *condition), pk=(key.name,))


@st.composite
def datasets(draw: st.DrawFn, schema: Schema, min_records: int = 0, max_records: int = 12) -> Dataset:
    """Rows that fit `schema`; keys count up. Text fields raise ValueError."""
    records = draw(st.integers(min_records, max_records))
    kept = [field for field in schema.fields if field.role != "derived"]
    return Dataset({field.name: draw(columns(field, records)) for field in kept})


@st.composite
def columns(draw: st.DrawFn, field: Field, records: int) -> Column:
    """A column of `field` with `records` entries, its ends and members among them often."""
    dtype = np.dtype(column_dtype(field))
    if field.role == "key":
        return np.arange(records, dtype=dtype)
    size = records * field.size
    values = draw(st.lists(_entries(field, dtype), min_size=size, max_size=size))
    return np.asarray(values, dtype=np.float64).reshape(records, *field.shape).astype(dtype)


def _entries(field: Field, dtype: np.dtype[Any]) -> st.SearchStrategy[float]:
    if field.enum:
        return st.sampled_from(stored_members(field))
    if field.dtype == "bool":
        return st.integers(0, 1).map(float)
    low, high = field.range or (0.0, 1.0)
    if dtype.kind in "iu":
        return st.integers(int(np.ceil(low)), int(np.floor(high))).map(float)
    return st.floats(low, high, width=32 if dtype == np.float32 else 64)


@st.composite
def splits(draw: st.DrawFn, records: int) -> Rows:
    """A split of `records` rows; any part may be empty."""
    places = np.asarray(draw(st.lists(st.integers(0, 2), min_size=records, max_size=records)), dtype=np.int64)
    train, val, test = (np.flatnonzero(places == part) for part in range(3))
    return Rows(train=train, val=val, test=test)
