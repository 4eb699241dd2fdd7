"""P405-7 on what was read: does every value survive the way to SI and back, and what did its dtype cost it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.conservation import ConservationReport, FieldConservation
from synthspec.backend.dataset import Column
from synthspec.execute.core.columns import MISSING
from synthspec.execute.core.table import Raw, Table
from synthspec.ir.field_types import NUMBERS
from synthspec.ir.schema import Field, Schema
from synthspec.units import parse_unit

F64 = NDArray[np.float64]
SMALLEST = 1e-290
"""Below it a conversion may meet numbers that float64 holds with fewer digits."""
_LARGEST = np.nextafter(np.finfo(np.float64).max, 0.0)
"""The largest number that has a next one."""
_SHRUNK = 2.0**-64
"""What is added up is made so much smaller first: sums of the largest numbers have to be numbers, too."""


@dataclass(slots=True)
class _Tally:
    values: int = 0
    not_restored: int = 0
    lost: float = 0.0
    largest: float = 0.0
    size: float = 0.0
    """In units of 1 / _SHRUNK."""


class Conserving:
    """The report of columns that come a chunk at a time, each with the cells that it was made of."""

    def __init__(self, schema: Schema) -> None:
        self._fields = [field for field in schema.fields if field.dtype in NUMBERS and field.unit]
        self._tallies: dict[str, _Tally] = {}

    def add(self, table: Table | None, names: Mapping[str, str], columns: Mapping[str, Column]) -> None:
        """Count `columns`; `names` are those of the source, by field. None: nothing was read for them."""
        for field in self._fields:
            if field.name in columns:
                raw = None if table is None else table.columns.get(names.get(field.name, ""))
                self._count(field, columns[field.name], raw)

    def _count(self, field: Field, column: Column, raw: Raw | None) -> None:
        stored = column.astype(np.float64).ravel()
        known = np.isfinite(stored)
        stored = stored[known]
        loss = np.abs(_written(raw, column)[known] - stored) if raw is not None and _narrow(column) else np.zeros(0)
        tally = self._tallies.setdefault(field.name, _Tally())
        tally.values += len(stored)
        tally.not_restored += not_restored(field, stored, column.dtype)
        tally.lost += float(loss.sum())
        tally.largest = max(tally.largest, float(loss.max(initial=0.0)))
        tally.size += float((np.abs(stored) * _SHRUNK).sum())

    def report(self) -> ConservationReport:
        """What was counted, one entry a field of numbers, in the order of the schema."""
        return ConservationReport(
            fields=tuple(
                _entry(field, self._tallies[field.name]) for field in self._fields if field.name in self._tallies
            )
        )


def conservation(
    table: Table, names: Mapping[str, str], schema: Schema, columns: Mapping[str, Column]
) -> ConservationReport:
    """The report of `columns`, which were bound to the fields of `schema`; `names` are those of the source, by field."""
    found = Conserving(schema)
    found.add(table, names, columns)
    return found.report()


def _entry(field: Field, tally: _Tally) -> FieldConservation:
    unit = parse_unit(field.unit)
    return FieldConservation(
        name=field.name,
        unit=unit.symbol,
        a=float(unit.factor),
        b=float(unit.offset),
        values=tally.values,
        not_restored=tally.not_restored,
        loss_cast=tally.lost / tally.values if tally.values else 0.0,
        largest_loss=tally.largest,
        mean_size=tally.size / tally.values / _SHRUNK if tally.values else 0.0,
    )


def not_restored(field: Field, stored: F64, dtype: np.dtype[np.generic]) -> int:
    """How many of `stored` the inverse of ``a x + b`` does not give again.

    The maps are computed in float64 and may be off by two units in its last place, at the size that the value has beside
    the offset of its unit; what is narrower than float64 and has no offset comes back bit by bit.
    """
    unit = parse_unit(field.unit)
    back: F64 = unit.affine_from_si()(unit.affine_to(None)(stored))
    if dtype.kind != "f":
        return int((np.rint(back) != stored).sum())
    cast = back.astype(dtype).astype(np.float64)
    size = np.minimum(np.abs(stored) + abs(float(unit.offset / unit.factor)), _LARGEST)
    place = 2.0 * np.spacing(size) + SMALLEST
    return int((np.abs(cast - stored) > place).sum())


def _narrow(column: Column) -> bool:
    """Whether storing in this dtype can lose anything of a float64; integers were checked to be whole."""
    return column.dtype.kind == "f" and column.dtype.itemsize < np.dtype(np.float64).itemsize


def _written(raw: Raw, column: Column) -> F64:
    """The values of the source in float64, NaN where there is none."""
    if isinstance(raw, list):
        cells = [np.nan if cell.strip() in MISSING else float(cell) for cell in raw]
        return np.array(cells, np.float64).reshape(column.shape).ravel()
    return raw.astype(np.float64).ravel()
