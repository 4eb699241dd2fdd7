"""P405-7 on what was read: does every value survive the way to SI and back, and what did its dtype cost it?"""

from __future__ import annotations

from collections.abc import Mapping

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


def conservation(
    table: Table, names: Mapping[str, str], schema: Schema, columns: Mapping[str, Column]
) -> ConservationReport:
    """The report of `columns`, which were bound to the fields of `schema`; `names` are those of the source, by field."""
    return ConservationReport(
        fields=tuple(
            _field(field, columns[field.name], table.columns.get(names.get(field.name, "")))
            for field in schema.fields
            if field.dtype in NUMBERS and field.unit and field.name in columns
        )
    )


def _field(field: Field, column: Column, raw: Raw | None) -> FieldConservation:
    unit, stored = parse_unit(field.unit), column.astype(np.float64).ravel()
    known = np.isfinite(stored)
    stored = stored[known]
    loss = np.abs(_written(raw, column)[known] - stored) if raw is not None and _narrow(column) else np.zeros(0)
    return FieldConservation(
        name=field.name,
        unit=unit.symbol,
        a=float(unit.factor),
        b=float(unit.offset),
        values=len(stored),
        not_restored=not_restored(field, stored, column.dtype),
        loss_cast=float(loss.mean()) if len(loss) else 0.0,
        largest_loss=float(loss.max(initial=0.0)),
        mean_size=float(np.abs(stored).mean()) if len(stored) else 0.0,
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
    place = 2.0 * np.spacing(np.abs(stored) + abs(float(unit.offset / unit.factor))) + SMALLEST
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
