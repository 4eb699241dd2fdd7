"""Two files of records, whoever made them, as the metrics want them: content and conditions of an SRef, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from synthspec.backend.dataset import Dataset
from synthspec.backend.protocol import DataError
from synthspec.execute.core.bind import bind_tables
from synthspec.execute.core.reading import tables
from synthspec.execute.core.table import Raw, Table, bad_value
from synthspec.ir.schema import Field, Schema

_LIKE_THAT = "write numbers, in columns called name.0, name.1, ..., or an npz with one array a field"


def judged(schema: Schema) -> Schema:
    """`schema` as far as records of any origin must keep it: content and conditions, without keys, ranges and rules.

    A value out of range, or one that is missing, is a fault of the records that their figures should show, not a reason
    to read none of them. Categories that the enum does not have are refused: they have no code.
    """
    kept = tuple(field for field in schema.fields if field.role in {"content", "condition"})
    names = {field.name for field in kept}
    return replace(
        schema,
        fields=tuple(replace(field, range=None, nullable=True) for field in kept),
        pk=(),
        rules=(),
        aliases=tuple((alias, name) for alias, name in schema.aliases if name in names),
    )


def read_records(path: Path, schema: Schema) -> Dataset:
    """The content and the conditions in the file or folder at `path`; a condition that is not there is left out.

    Raises DataError: for a file that is not there, cannot be read or lacks a content field, and for cells that do not
    fit their field (`schema.*`, `syntax.*`, `engine.backend-unsupported`).
    """
    texts = [field.name for field in schema.with_role("content") if field.dtype in {"string", "timestamp"}]
    if texts:
        message = f"no metric reads the content field {texts[0]!r}: it is text or an instant"
        raise DataError("engine.backend-unsupported", message, "measure fields of numbers and categories")
    return read_released(path, schema)


def read_released(path: Path, schema: Schema) -> Dataset:
    """As `read_records`, with texts and instants: for who asks what the records are, and not how good.

    Raises DataError as `read_records`, but for those.
    """
    wanted = judged(schema)
    parts = {f"{field.name}.{number}" for field in wanted.fields if field.shape for number in range(field.size)}
    found = (_shaped(table, wanted) for table in tables(path.name, path, "", wanted, parts))
    table = next(found)
    named = {field.name for field in wanted.fields} | {alias for alias, _ in wanted.aliases}
    there = {name for name in table.columns if name in named}
    aliased = {name for alias, name in wanted.aliases if alias in there}
    present = tuple(f for f in wanted.fields if f.role == "content" or f.name in there or f.name in aliased)
    return Dataset(bind_tables(chain([table], found), replace(wanted, fields=present)).columns)


def _shaped(table: Table, schema: Schema) -> Table:
    """`table` with the columns ``name.0, name.1, ...`` of each field that has axes put together."""
    columns: dict[str, Raw] = {name: raw for name, raw in table.columns.items() if not re.search(r"\.\d+$", name)}
    columns |= {name: raw for name, raw in table.columns.items() if any(f.name == name for f in schema.fields)}
    for field in schema.fields:
        parts = [f"{field.name}.{number}" for number in range(field.size)]
        if field.shape and field.name not in columns and all(part in table.columns for part in parts):
            columns[field.name] = _stacked(table, field, parts, table.columns)
    return replace(table, columns=columns)


def _stacked(table: Table, field: Field, parts: list[str], columns: Mapping[str, Raw]) -> Raw:
    found = np.empty((table.rows, len(parts)))
    for number, part in enumerate(parts):
        for row, cell in enumerate(columns[part]):
            try:
                found[row, number] = float(cell)
            except ValueError:
                raise bad_value(table, part, np.array([row]), f"{cell!r} is not a number", _LIKE_THAT) from None
    return found.reshape(table.rows, *field.shape)
