"""What the policies of the SRef do to records as they were read: left out, or given a member of the enum; all of it counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import spelled
from synthspec.execute.core.columns import Cells, lacking, plain, strange
from synthspec.execute.core.table import Raw, Table
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sref import Into, Member, Policies

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Counts:
    """What became of the records of one field."""

    dropped_gaps: int = 0
    dropped_unknown: int = 0
    moved_unknown: int = 0


@dataclass(slots=True)
class Policing:
    """The policies over tables that come a chunk at a time. Each record is judged by itself: no other one changes its fate."""

    schema: Schema
    policy: Policies
    counts: dict[str, Counts] = field(default_factory=dict)
    read: int = 0
    dropped: int = 0

    def clean(self, table: Table, names: Mapping[str, str]) -> Table:
        """`table` without the records that are left out, and with members for values that are none."""
        self.read += table.rows
        gone = np.zeros(table.rows, bool)
        columns = dict(table.columns)
        for asked in self.schema.fields:
            name = names.get(asked.name)
            if name is None or asked.role == "derived":
                continue
            cells = Cells(table, name, asked, columns[name])
            gone |= self._gaps(cells)
            unknown = self._unknown(cells)
            what = self.policy.enums.get(asked.name)
            if isinstance(what, Into):
                self._of(asked).moved_unknown += int(_records(unknown).sum())
                columns[name] = _moved(cells, unknown, what.into)
            elif what == "drop":
                self._of(asked).dropped_unknown += int(_records(unknown).sum())
                gone |= _records(unknown)
        return self.without(replace(table, columns=columns), gone)

    def without(self, table: Table, gone: Mask) -> Table:
        """`table` without the records `gone`, which are counted as dropped."""
        self.dropped += int(gone.sum())
        return taken(table, np.flatnonzero(~gone)) if gone.any() else table

    def _gaps(self, cells: Cells) -> Mask:
        if self.policy.nulls.get(cells.field.name) != "drop":
            return np.zeros(cells.table.rows, bool)
        gaps = lacking(cells)
        self._of(cells.field).dropped_gaps += int(gaps.sum())
        return gaps

    def _unknown(self, cells: Cells) -> Mask:
        what = self.policy.enums.get(cells.field.name, "refuse")
        return np.zeros(cells.table.rows, bool) if what == "refuse" else strange(cells)

    def _of(self, asked: Field) -> Counts:
        return self.counts.setdefault(asked.name, Counts())


def taken(table: Table, rows: NDArray[np.intp]) -> Table:
    """The records `rows` of `table`, which still know where they stand."""
    chosen: dict[str, Raw] = {
        name: [raw[row] for row in rows.tolist()] if isinstance(raw, list) else raw[rows]
        for name, raw in table.columns.items()
    }
    where: Callable[[int], str] = table.where
    return replace(table, rows=len(rows), columns=chosen, where=lambda row: where(int(rows[row])))


def _records(entries: Mask) -> Mask:
    return np.asarray(entries.reshape(len(entries), -1).any(axis=1)) if entries.size else np.zeros(len(entries), bool)


def _moved(cells: Cells, unknown: Mask, into: Member) -> Raw:
    """The column of `cells` with `into` where it is `unknown`."""
    raw = plain(cells).raw
    if isinstance(raw, list):
        return [
            spelled(into) if strange_here else cell for cell, strange_here in zip(raw, unknown.tolist(), strict=True)
        ]
    if isinstance(into, str):
        return [
            into if strange_here else spelled(cell)
            for cell, strange_here in zip(raw.tolist(), unknown.tolist(), strict=True)
        ]
    return np.where(unknown, np.asarray(into, raw.dtype), raw)
