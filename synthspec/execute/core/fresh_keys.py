"""The primary key of records that were made: drawn for none of them, given to all that are kept (P403-2)."""

from __future__ import annotations

import numpy as np

from synthspec.backend.dataset import Column, Dataset
from synthspec.ir.schema import Field, Schema


def with_key(schema: Schema, kept: Dataset) -> Dataset:
    """`kept` with a running number for every key field of the primary key that it lacks: a number, or its digits as text.

    One such field tells the records apart, whatever stands in the other parts of the key.
    """
    given = {
        name: _numbered(schema.field(name), len(kept))
        for name in schema.pk
        if name not in kept.columns and schema.field(name).role == "key"
    }
    return Dataset({**kept.columns, **given}) if given else kept


def without_key(schema: Schema, data: Dataset) -> Dataset:
    """`data` without the key fields of its primary key, which are of the records that were, not of those that stay."""
    given = {name for name in schema.pk if schema.field(name).role == "key"}
    return Dataset({name: column for name, column in data.columns.items() if name not in given})


def _numbered(field: Field, records: int) -> Column:
    """0, 1, ... in the dtype of `field`. Raises ValueError where it cannot count so far (the compiler has asked)."""
    if field.dtype == "string":
        digits = np.char.encode(np.arange(records).astype("U"), "ascii")
        return np.frombuffer(digits.tobytes(), np.uint8).reshape(records, digits.itemsize)
    if "int" not in field.dtype or records - 1 > np.iinfo(field.dtype).max:
        raise ValueError(f"{field.name} is {field.dtype}, which has no running number for each of {records} records")
    return np.arange(records, dtype=field.dtype)
