"""Records as JSON lines (UTF-8): one object a record, its keys in the order of the schema, null for a missing value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.protocol import DataError
from synthspec.execute.core.expressions import readable as meaning
from synthspec.ir.schema import Field, Schema


def to_jsonl(schema: Schema, dataset: Dataset) -> Iterator[str]:
    """One line a record. Numbers have the fewest digits that give them back; a field with axes is a nested list.

    Raises DataError (`schema.bad-value`) for an infinite number, which JSON has no word for.
    """
    fields = [field for field in schema.fields if field.name in dataset.columns]
    columns = [_tokens(field, dataset[field.name]) for field in fields]
    keys = [json.dumps(field.name) for field in fields]
    for row in zip(*columns, strict=True):
        yield "{" + ", ".join(f"{key}: {token}" for key, token in zip(keys, row, strict=True)) + "}\n"


def _tokens(field: Field, column: Column) -> Sequence[str]:
    """The value of each record as JSON."""
    if not field.shape:
        return _plain(field, column)
    inner = _plain(field, column.reshape(-1))
    for length in reversed(field.shape):
        inner = [f"[{', '.join(inner[at : at + length])}]" for at in range(0, len(inner), length)]
    return inner


def _plain(field: Field, column: Column) -> list[str]:
    if field.dtype == "timestamp":
        return [f'"{when}Z"' for when in np.datetime_as_string(column.astype("datetime64[ns]"))]
    if field.dtype == "categorical":
        members = [*(json.dumps(member, ensure_ascii=False) for member in field.enum), "null"]
        return [members[code] if -1 <= code < len(field.enum) else "null" for code in column.tolist()]
    meant = meaning(field, column)
    if isinstance(meant, list):
        return ["null" if value in {None, ""} else json.dumps(value, ensure_ascii=False) for value in meant]
    if meant.dtype.kind != "f":
        return [json.dumps(value) for value in meant.tolist()]
    if np.isinf(meant.astype(np.float64)).any():
        message = f"{field.name!r} has an infinite value, which JSON cannot say"
        raise DataError("schema.bad-value", message, "publish as csv, parquet or npz")
    # str of a numpy number has the shortest digits that give this number of this width back.
    return ["null" if np.isnan(value) else str(value) for value in meant]
