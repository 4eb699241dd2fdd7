"""M40-5.2: the source bound to the schema: every field a checked column, derived ones recomputed, keys unique."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np

from synthspec.backend.artifacts import write_report
from synthspec.backend.conservation import CONSERVATION_REPORT
from synthspec.backend.dataset import Column, Dataset, write_dataset
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute.core.columns import Cells, bind_column
from synthspec.execute.core.conserve import conservation
from synthspec.execute.core.content import allowed
from synthspec.execute.core.expressions import derive
from synthspec.execute.core.read_csv import read_csv
from synthspec.execute.core.read_numpy import read_npy, read_npz
from synthspec.execute.core.read_sklearn import read_sklearn
from synthspec.execute.core.row_ids import row_ids
from synthspec.execute.core.source import SKLEARN, locate, not_read, read_bytes
from synthspec.execute.core.table import Table, bad_value
from synthspec.ir.ops import Bind
from synthspec.ir.schema import Field, Schema

SCHEMA = "schema.json"
"""The schema beside the data: what later nodes need to read codes, units and keys."""


def bind(op: Bind, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``data.safetensors``, ``schema.json`` and ``conservation.json``.

    Raises DataError: `schema.bad-value` with row and column for a value that the schema does not allow,
    `schema.not-found` for a field without a column, `schema.duplicate-name` for two records of one key.
    """
    del inputs
    table = _read(op, context)
    columns = derive(op.schema, bind_table(table, op.schema))
    _check_derived(table, op.schema, columns)
    write_dataset(context.out, Dataset(columns))
    write_report(context.out, SCHEMA, op.schema)
    found = conservation(table, _matched(table, op.schema), op.schema, columns)
    write_report(context.out, CONSERVATION_REPORT, found)


def _check_derived(table: Table, schema: Schema, columns: Mapping[str, Column]) -> None:
    for field in schema.with_role("derived"):
        if field.name not in columns:
            raise ValueError(f"the derived field {field.name!r} was checked, but its operands are not there")
        wrong = np.flatnonzero(~allowed(field, columns[field.name]))
        if len(wrong):
            value = columns[field.name][wrong[0]].item()
            what = f"{field.expr} gives {value!r}, which {field.name!r} does not allow"
            raise bad_value(
                table, field.name, wrong, what, "correct the record, or the range or nullability of the field"
            )


def _read(op: Bind, context: Context) -> Table:
    reason = not_read(op.source)
    if reason:
        raise DataError("engine.backend-unsupported", reason, "convert it to one of these")
    if op.source.startswith(SKLEARN):
        return read_sklearn(op.source, op.sha256)
    data = read_bytes(locate(op.source, context.root), op.source, op.sha256)
    wanted = set(_source_names(op.schema))
    match PurePosixPath(op.source).suffix.lower():
        case ".csv":
            return read_csv(op.source, data, wanted)
        case ".npz":
            return read_npz(op.source, data, wanted)
        case _:
            return read_npy(op.source, data, _only_content(op))


def _source_names(schema: Schema) -> dict[str, str]:
    """Field by the names that a source may have for it; its own name is always one of them."""
    own = {field.name: field.name for field in schema.fields}
    return own | dict(schema.aliases)


def _only_content(op: Bind) -> str:
    content = op.schema.with_role("content")
    if len(content) != 1:
        message = f"{op.source} is one array, but the schema has {len(content)} content fields"
        raise DataError("schema.bad-value", message, "use an npz with one array a field")
    return content[0].name


def bind_table(table: Table, schema: Schema) -> dict[str, Column]:
    """The columns of every field that is not derived, in the order of `schema`."""
    if not table.rows:
        raise DataError("schema.bad-value", f"{table.name} has no records", "give a source with at least one")
    names = _matched(table, schema)
    columns: dict[str, Column] = {}
    for field in schema.fields:
        if field.role == "derived":
            continue
        name = names.get(field.name)
        if name is not None:
            columns[field.name] = bind_column(Cells(table, name, field, table.columns[name]))
        elif (field.name,) == schema.pk and np.dtype(_whole(field)).kind in "iu":
            columns[field.name] = np.arange(table.rows, dtype=field.dtype)
        else:
            raise _no_column(table, field, schema)
    _unique(table, schema, columns, names)
    return columns


def _matched(table: Table, schema: Schema) -> dict[str, str]:
    """Column name of the source by field. Raises DataError when a field has two."""
    names: dict[str, str] = {}
    for name, field in _source_names(schema).items():
        if name not in table.columns:
            continue
        if field in names:
            message = f"{table.name} has two columns for {field!r}: {names[field]!r} and {name!r}"
            raise DataError("schema.duplicate-name", message, "drop one, or change the alias_map")
        names[field] = name
    return names


def _whole(field: Field) -> str:
    return field.dtype if field.dtype not in {"categorical", "string", "timestamp", "bool"} else "float64"


def _no_column(table: Table, field: Field, schema: Schema) -> DataError:
    aliases = [alias for alias, name in schema.aliases if name == field.name]
    looked = " or ".join(repr(name) for name in (field.name, *aliases))
    message = f"{table.name} has no column for the field {field.name!r} (looked for {looked})"
    return DataError("schema.not-found", message, "name the column of the source in the alias_map of the SRef")


def _unique(table: Table, schema: Schema, columns: Mapping[str, Column], names: Mapping[str, str]) -> None:
    """P403-2: unique(pk)."""
    keys = [columns[name] for name in schema.pk if name in columns]
    if not keys:
        return
    place = row_ids(keys, table.rows)
    first = np.full(place.max() + 1, table.rows)
    np.minimum.at(first, place, np.arange(table.rows))
    again = np.flatnonzero(first[place] != np.arange(table.rows))
    if len(again):
        earlier = table.where(int(first[place[again[0]]]))
        column = ", ".join(names.get(name, name) for name in schema.pk)
        what = f"the key is the one of {earlier}"
        raise bad_value(table, column, again, what, "a primary key is unique (P403-2): remove or renumber the record")
