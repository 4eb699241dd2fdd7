"""M40-5.2: the source bound to the schema: every field a checked column, derived ones recomputed, keys unique."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from synthspec.backend.artifacts import write_report
from synthspec.backend.conservation import CONSERVATION_REPORT
from synthspec.backend.dataset import Column, Dataset, write_dataset
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.schema_report import REFERENCES, SCHEMA_REPORT
from synthspec.execute.core.bound import Bound
from synthspec.execute.core.columns import Cells, bind_column
from synthspec.execute.core.conserve import Conserving
from synthspec.execute.core.content import allowed, missing
from synthspec.execute.core.expressions import derive
from synthspec.execute.core.policing import Policing
from synthspec.execute.core.reading import source_names, tables
from synthspec.execute.core.referred import ForeignKey, foreign_keys, orphaned
from synthspec.execute.core.row_ids import row_ids
from synthspec.execute.core.schema_report import schema_report
from synthspec.execute.core.source import locate
from synthspec.execute.core.table import Table, bad_value
from synthspec.ir.ops import Bind
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sref import Policies

SCHEMA = "schema.json"
"""The schema beside the data: what later nodes need to read codes, units and keys."""


def bind(op: Bind, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``data.safetensors``, ``schema.json``, ``schema_report.json``, ``conservation.json``; ``references.safetensors``.

    The source is read a chunk at a time: what is held of it whole are columns of the dtypes of their fields. Raises
    DataError: `schema.bad-value` with row and column for a value that the schema does not allow, `schema.not-found` for a
    field without a column, `schema.duplicate-name` for two records of one key, `data.orphan` for a foreign key to nothing.
    """
    del inputs
    schema = with_gaps(op.schema, op.filled)
    keys = foreign_keys(op, context.root)
    found = tables(op.source, locate(op.source, context.root), op.sha256, schema)
    kept = bind_tables(found, schema, Policing(schema, op.policy or Policies()), keys)
    for each in keys:
        each.require(op.source)
        each.require_members()
    columns = derive(schema, kept.columns)
    _check_derived(kept.places, schema, columns, op.filled)
    kept.conserving.add(None, {}, {name: column for name, column in columns.items() if name not in kept.columns})
    write_dataset(context.out, Dataset(columns))
    write_report(context.out, SCHEMA, op.schema)
    write_report(context.out, SCHEMA_REPORT, schema_report(op, kept, keys))
    write_report(context.out, CONSERVATION_REPORT, kept.conserving.report())
    if keys:
        write_dataset(context.out, Dataset({f"{each.asked.name}.keys": each.stored() for each in keys}), REFERENCES)


def with_gaps(schema: Schema, filled: tuple[str, ...]) -> Schema:
    """`schema` as the source is read, whose gaps in `filled` are not yet filled."""
    fields = tuple(replace(field, nullable=True) if field.name in filled else field for field in schema.fields)
    return replace(schema, fields=fields) if filled else schema


def _check_derived(table: Table, schema: Schema, columns: Mapping[str, Column], filled: tuple[str, ...]) -> None:
    gaps = np.zeros(table.rows, bool)
    for name in filled:
        gaps |= missing(schema.field(name), columns[name])
    for field in schema.with_role("derived"):
        if field.name not in columns:
            raise ValueError(f"the derived field {field.name!r} was checked, but its operands are not there")
        wrong = np.flatnonzero(~allowed(field, columns[field.name]) & ~gaps)
        if len(wrong):
            value = columns[field.name][wrong[0]].item()
            what = f"{field.expr} gives {value!r}, which {field.name!r} does not allow"
            raise bad_value(
                table, field.name, wrong, what, "correct the record, or the range or nullability of the field"
            )


def bind_table(table: Table, schema: Schema) -> dict[str, Column]:
    """The columns of every field that is not derived, in the order of `schema`."""
    return bind_tables(iter([table]), schema).columns


def bind_tables(
    parts: Iterator[Table], schema: Schema, policing: Policing | None = None, keys: tuple[ForeignKey, ...] = ()
) -> Bound:
    """The columns of every field that is not derived, in the order of `schema`, of the records of all `parts`.

    `policing` leaves records out, and so do foreign `keys`, which are told what points to them.
    """
    policing = policing or Policing(schema, Policies())
    conserving = Conserving(schema)
    bound: dict[str, list[Column]] = {}
    starts: list[int] = [0]
    wheres: list[Callable[[int], str]] = []
    table, names = None, dict[str, str]()
    for part in parts:
        table = part
        if not part.rows:
            continue
        names = _matched(part, schema)
        table = policing.clean(part, names)
        columns = _chunk(table, schema, names)
        if (gone := orphaned(keys, table, columns)).any():
            table, columns = policing.without(table, gone), {name: each[~gone] for name, each in columns.items()}
        if not table.rows:
            continue
        for name, column in columns.items():
            bound.setdefault(name, []).append(column)
        conserving.add(table, names, columns)
        starts.append(starts[-1] + table.rows)
        wheres.append(table.where)
    if table is None or not wheres:
        raise _empty("the source" if table is None else table.name, policing)

    def where(row: int) -> str:
        part = bisect_right(starts, row) - 1
        return wheres[part](row - starts[part])

    places = Table(name=table.name, rows=starts[-1], columns={}, where=where)
    whole = _whole_columns(schema, bound, places.rows)
    _unique(places, schema, whole, names)
    return Bound(
        columns=whole,
        names=names,
        others=table.others,
        rows=places.rows,
        places=places,
        conserving=conserving,
        policing=policing,
    )


def _empty(name: str, policing: Policing) -> DataError:
    if not policing.read:
        return DataError("schema.bad-value", f"{name} has no records", "give a source with at least one")
    message = f"{name} has {policing.read:,} records, and the policies of the SRef leave out all of them"
    return DataError("schema.bad-value", message, "look at what they lack, or choose other policies")


def _chunk(table: Table, schema: Schema, names: Mapping[str, str]) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for field in schema.fields:
        name = names.get(field.name)
        if name is not None and field.role != "derived":
            columns[field.name] = bind_column(Cells(table, name, field, table.columns[name]))
        elif field.role != "derived" and not _numbered(field, schema):
            raise _no_column(table, field, schema)
    return columns


def _numbered(field: Field, schema: Schema) -> bool:
    """Whether records are numbered where the source has no such key."""
    return (field.name,) == schema.pk and np.dtype(_whole(field)).kind in "iu"


def _whole_columns(schema: Schema, bound: dict[str, list[Column]], rows: int) -> dict[str, Column]:
    """The parts of each column put together, and given back one after another."""
    columns: dict[str, Column] = {}
    for field in schema.fields:
        if field.role == "derived":
            continue
        parts = bound.pop(field.name, [])
        columns[field.name] = _joined(parts) if parts else np.arange(rows, dtype=field.dtype)
    return columns


def _joined(parts: list[Column]) -> Column:
    if len(parts) == 1:
        return parts[0]
    if len({part.shape[1:] for part in parts}) > 1:  # text, each part as wide as its longest
        width = max(part.shape[1] for part in parts)
        parts = [np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts]
    return np.concatenate(parts)


def _matched(table: Table, schema: Schema) -> dict[str, str]:
    """Column name of the source by field. Raises DataError when a field has two."""
    names: dict[str, str] = {}
    for name, field in source_names(schema).items():
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
    there = [*table.columns, *table.others]
    names = ", ".join(map(repr, there[:8])) + (", ..." if len(there) > 8 else "")
    message = f"{table.name} has no column for the field {field.name!r} (looked for {looked}, found {names or 'none'})"
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
