"""The table of gamma(ell) as a path in SI: read, checked against the SRef, its arc length given or made of chords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from pathlib import PurePosixPath

import numpy as np

from synthspec.arrival import Path, Resolution, bad_steps, chord_length
from synthspec.arrival.quadrature import F64
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.execute.core.columns import Cells, bind_column
from synthspec.execute.core.read_csv import read_csv
from synthspec.execute.core.read_numpy import read_npz
from synthspec.execute.core.source import locate, read_bytes
from synthspec.execute.core.table import Raw, Table, bad_value
from synthspec.execute.core.timed import points
from synthspec.ir.ops import Arrive
from synthspec.ir.schema import Field
from synthspec.text import counted
from synthspec.units import parse_unit

_SORT = "sort the nodes along the path, and remove what stands there twice"


@dataclass(frozen=True, slots=True)
class Gamma:
    """The path, the steps its numbers are written in, and where its arc length comes from."""

    path: Path
    resolution: Resolution
    how: str


def read_gamma(op: Arrive, root: FilePath) -> Gamma:
    """The path of `op`. Raises DataError with the row of what does not fit."""
    table = _table(op, root)
    if table.rows < 2:
        raise DataError("schema.bad-value", f"{op.path} has {counted(table.rows, 'node')}", "a path has at least two")
    columns = {field.name: _column(table, field) for field in op.columns}
    steps = {field.name: _step(table.columns[field.name], columns[field.name], field) for field in op.columns}
    si = {field.name: _si(field, columns[field.name]) for field in op.columns}
    ell, at, how = _arc(op, columns, si)
    _ascending(table, at, ell)
    stopped = np.flatnonzero(si["c_ref"] <= 0)
    if len(stopped):
        raise bad_value(table, "c_ref", stopped, "a speed of reference is positive", "correct the table")
    step_ell = steps["ell"] if at == "ell" else max(steps[field.name] for field in points(op.columns))
    resolution = Resolution(ell=step_ell, n_eff=steps["n_eff"], c_ref=steps["c_ref"])
    return Gamma(Path(ell, si["n_eff"], si["c_ref"]), resolution, how)


def _table(op: Arrive, root: FilePath) -> Table:
    data = read_bytes(locate(op.path, root), op.path, op.sha256)
    wanted = {column.name for column in op.columns}
    csv = PurePosixPath(op.path).suffix.lower() == ".csv"
    table = read_csv(op.path, data, wanted) if csv else read_npz(op.path, data, wanted)
    for name in sorted(wanted.difference(table.columns)):
        message = f"{op.path} has no column {name!r}, which the SRef declares for the path"
        raise DataError("schema.not-found", message, "add it, or take it out of path.fields")
    return table


def _column(table: Table, field: Field) -> Column:
    # What a float32 loses is lost by the declaration, not by the table: values are kept as they are written.
    wide = replace(field, dtype="float64")
    return bind_column(Cells(table, field.name, wide, table.columns[field.name])).astype(np.dtype(field.dtype))


def _si(field: Field, column: Column) -> F64:
    values: F64 = parse_unit(field.unit).affine_to(None)(column.astype(np.float64))
    return values


def _step(raw: Raw, column: Column, field: Field) -> float:
    """The step in which a column is written, in SI: its last decimal, or the spacing of its numbers where that is wider."""
    factor = float(parse_unit(field.unit).factor)
    spacing = float(np.spacing(np.abs(column).max()))
    if not isinstance(raw, list):
        spacing = max(spacing, float(np.spacing(np.abs(raw).max())) if raw.dtype.kind == "f" else 1.0)
        return spacing * factor
    return max(spacing, min(map(_last_digit, raw), default=1.0)) * factor


def _last_digit(cell: str) -> float:
    """The weight of the last digit written.

    >>> _last_digit("1.4680"), _last_digit("2.5e3"), _last_digit("40")
    (0.0001, 100.0, 1.0)
    """
    mantissa, _, exponent = cell.strip().lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(f"1e{int(exponent or 0) - decimals}")


def _arc(op: Arrive, columns: Mapping[str, Column], si: Mapping[str, F64]) -> tuple[F64, str, str]:
    """Arc length in m, the column that steps are counted in, and where it comes from."""
    if "ell" in columns:
        return si["ell"], "ell", "as written"
    axes = points(op.columns)
    stacked = np.stack([si[field.name] for field in axes], axis=1)
    return chord_length(stacked), axes[0].name, f"by cumulated chords of {', '.join(field.name for field in axes)}"


def _ascending(table: Table, column: str, ell: F64) -> None:
    """P106-02: every step is positive."""
    bad = bad_steps(ell)
    if len(bad):
        row = int(bad[0])
        step = float(ell[row] - ell[row - 1])
        what = "the point is the one before it" if column != "ell" else f"the step from the node before is {step:g} m"
        fault = bad_value(table, column, bad, what, _SORT)
        raise DataError("P405-6.path-step", fault.message, fault.help)
