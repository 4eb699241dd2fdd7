"""The keys of other tables that foreign keys point to, and which records point to none of them (P403-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import spelled
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.backend.schema_report import ForeignKeyReport
from synthspec.execute.core.columns import Cells, bind_column
from synthspec.execute.core.expressions import readable
from synthspec.execute.core.reading import tables
from synthspec.execute.core.source import locate
from synthspec.execute.core.table import Table, bad_value
from synthspec.ir.field_types import INTEGERS
from synthspec.ir.ops import Bind, Referred
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sref import Policies

WORST = 10
"""Records that a report names."""

Keys = NDArray[np.generic]


@dataclass(slots=True)
class ForeignKey:
    """One foreign key over records that come a chunk at a time, beside the sorted `keys` that there are."""

    referred: Referred
    asked: Field
    keys: Keys
    policy: str
    used: NDArray[np.bool_]
    checked: int = 0
    unmatched: int = 0
    worst: list[str] = field(default_factory=list)

    def orphans(self, table: Table, column: Column) -> NDArray[np.bool_]:
        """Which records of `column`, bound of `table`, have a value that is no key."""
        values, known = comparable(self.asked, column)
        at = np.minimum(np.searchsorted(self.keys, values), len(self.keys) - 1)
        hit = known & np.asarray(self.keys[at] == values)
        self.used[at[hit]] = True
        lost = known & ~hit
        self.checked += int(known.sum())
        self.unmatched += int(lost.sum())
        for row in np.flatnonzero(lost)[: WORST - len(self.worst)].tolist():
            self.worst.append(f"{table.where(row)}: {values[row].item()!r}")
        return np.asarray(lost)

    def require(self, source: str) -> None:
        """Raise DataError (`data.orphan`) where a record points to nothing and the SRef does not say what to do with it."""
        if not self.unmatched or self.policy != "refuse":
            return
        where = "; ".join(self.worst[:3])
        message = (
            f"{source}, field {self.asked.name!r}: {self.unmatched:,} of {self.checked:,} records"
            f" ({self.unmatched / self.checked:.2%}) point to no {self.referred.column} of {self.referred.source} ({where})"
        )
        advice = f"correct them, or say under policy.orphans of the SRef: {{{self.asked.name}: drop}}"
        raise DataError("data.orphan", message, advice)

    def require_members(self) -> None:
        """Raise DataError where the enum of a learned field has a member that is no key: records would be made with it."""
        if self.asked.dtype != "categorical":
            return
        members = np.array([spelled(member) for member in self.asked.enum], np.str_)
        lost = members[~np.isin(members, self.keys)].tolist()
        if lost:
            message = (
                f"the enum of {self.asked.name!r} has {lost[0]!r}, which is no {self.referred.column} of"
                f" {self.referred.source} ({len(lost)} of {len(members)} members)"
            )
            raise DataError("data.orphan", message, "leave it out of the enum, or add its record to the table")

    def stored(self) -> Column:
        """The keys as the column of the field holds them: codes, numbers, or UTF-8 bytes padded to the longest."""
        if self.keys.dtype.kind != "U":
            return self.keys
        if self.asked.dtype == "categorical":
            code = {spelled(member): number for number, member in enumerate(self.asked.enum)}
            return np.array([code[key] for key in self.keys.tolist() if key in code], np.int64)
        encoded = [text.encode() for text in self.keys.tolist()]
        width = max(map(len, encoded))
        return np.frombuffer(b"".join(text.ljust(width, b"\0") for text in encoded), np.uint8).reshape(-1, width)

    def report(self) -> ForeignKeyReport:
        """What was found."""
        return ForeignKeyReport(
            field=self.asked.name,
            table=self.referred.table,
            column=self.referred.column,
            source=self.referred.source,
            keys=len(self.keys),
            used=int(self.used.sum()),
            checked=self.checked,
            unmatched=self.unmatched,
            share=self.unmatched / self.checked if self.checked else 0.0,
            worst=tuple(self.worst),
            policy=self.policy,
        )


def foreign_keys(op: Bind, root: Path) -> tuple[ForeignKey, ...]:
    """The foreign keys of `op`, with the keys of each referred table read. Raises DataError as `referred_keys`."""
    policy = (op.policy or Policies()).orphans
    found = []
    for each in op.references:
        asked = op.schema.field(each.field)
        keys = referred_keys(each, asked, root)
        what = policy.get(each.field, "refuse")
        found.append(ForeignKey(each, asked, keys, what, np.zeros(len(keys), bool)))
    return tuple(found)


def referred_keys(referred: Referred, asked: Field, root: Path) -> Keys:
    """The keys of the referred table, sorted: numbers of the dtype of `asked`, or text.

    Raises DataError: `schema.not-found` without the column, `schema.bad-value` for a key that is missing, stands there
    twice or is no value of the field, and for a table without records; otherwise as `reading.tables`.
    """
    name, source = referred.column, referred.source
    key = _key_field(asked, name)
    schema = Schema(modality="tabular", fields=(key,))
    parts: list[Keys] = []
    for table in tables(source, locate(source, root), referred.sha256, schema):
        if name not in table.columns:
            message = f"{source} has no column {name!r}, which {asked.name!r} points to"
            columns = ", ".join(table.others[:10])
            raise DataError("schema.not-found", message, f"it has: {columns}" if columns else "name one that it has")
        parts.append(_unique(table, key, parts))
    keys = np.sort(np.concatenate(parts))
    if not len(keys):
        raise DataError("schema.bad-value", f"{source} has no records to point to", "give a table with at least one")
    return keys


def _unique(table: Table, key: Field, before: list[Keys]) -> Keys:
    """The keys of `table`. Raises DataError for one that it has twice, or that stands in a part `before`."""
    values, _ = comparable(key, bind_column(Cells(table, key.name, key, table.columns[key.name])))
    _, first = np.unique(values, return_index=True)
    again = np.ones(len(values), bool)
    again[first] = False
    for part in before:
        again |= np.isin(values, part)
    rows = np.flatnonzero(again)
    if len(rows):
        what = f"{values[rows[0]].item()!r} stands there a second time"
        raise bad_value(table, key.name, rows, what, "a key that is referred to is unique (P403-2)")
    return values


def _key_field(asked: Field, name: str) -> Field:
    """What the referred column is read as: a key has no range or enum of its own, and members are text."""
    dtype = asked.dtype if asked.dtype in INTEGERS else "string"
    return replace(
        asked, name=name, role="key", dtype=dtype, nullable=False, enum=(), range=None, unit="", dimension=""
    )


def comparable(asked: Field, column: Column) -> tuple[Keys, NDArray[np.bool_]]:
    """The values of a key that can be compared with another table's, and where there is one: numbers, or text."""
    meant = readable(asked, column)
    if isinstance(meant, list):
        known = np.array([value is not None and value != "" for value in meant], bool)
        return np.array([value or "" for value in meant], np.str_), known
    return meant, np.ones(len(meant), bool)


def orphaned(found: tuple[ForeignKey, ...], table: Table, columns: Mapping[str, Column]) -> NDArray[np.bool_]:
    """Which records the policies leave out because a key of theirs points to nothing."""
    gone = np.zeros(table.rows, bool)
    for each in found:
        lost = each.orphans(table, columns[each.asked.name])
        if each.policy == "drop":
            gone |= lost
    return gone
