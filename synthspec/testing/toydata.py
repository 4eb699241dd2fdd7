"""Small data for any schema, with structure to learn: what the kit trains on. Importing this module imports numpy."""

from __future__ import annotations

import numpy as np

from synthspec.backend.columns import column_dtype
from synthspec.backend.dataset import Column, Dataset, Rows
from synthspec.backend.draws import Stream, generator, uniform, within
from synthspec.ir.schema import Field, Schema

_SEED = 20261122


def toy_dataset(schema: Schema, records: int) -> Dataset:
    """`records` rows that fit `schema`. Plain numbers are Gaussian around a centre that depends on the row's class.

    Classes are unequally frequent (the first member has half of the rows), so that drawing them empirically and drawing
    them uniformly can be told apart. Derived fields are left out. Text fields raise ValueError.
    """
    classes = np.minimum(generator(_SEED, Stream.CONDITION, 0).geometric(0.5, records) - 1, 7)
    kept = [field for field in schema.fields if field.role != "derived"]
    return Dataset({field.name: _column(field, index, classes) for index, field in enumerate(kept)})


def toy_rows(records: int) -> Rows:
    """Of each ten rows seven train, one validates, two test."""
    place = np.arange(records, dtype=np.int64) % 10
    train, val, test = (np.flatnonzero(mask) for mask in (place < 7, place == 7, place > 7))
    return Rows(train=train, val=val, test=test)


def _column(field: Field, index: int, classes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Column:
    size = len(classes)
    rng = generator(_SEED, Stream.START, index)
    if field.role in ("key", "time"):
        return np.arange(size).astype(column_dtype(field))
    if field.role == "condition" and field.dtype == "categorical" and field.enum and not field.shape:
        return classes % len(field.enum)
    if field.enum or field.dtype in ("bool", "timestamp"):
        return uniform(field, rng, size)
    low, high = field.range or (0.0, 1.0)
    axes = (size, *[1] * len(field.shape))
    centre = 0.5 + 0.2 * np.sin(classes + index).reshape(axes)
    ripple = 0.1 * np.cos(np.arange(field.size)).reshape(field.shape)
    values = centre + ripple + 0.08 * rng.standard_normal((size, *field.shape))
    return within(field, low + (high - low) * values)
