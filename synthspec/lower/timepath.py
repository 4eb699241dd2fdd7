"""The time base and the arrival times of a spec as ops (P405-5, P405-6)."""

from __future__ import annotations

from synthspec.ir.ops import Align, Arrive
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.schema import Field
from synthspec.spec.sref import PathField
from synthspec.units import parse_unit


def align_op(resolved: ResolvedSpec, seed: int) -> Align | None:
    """The `Align` of a spec; None where it declares no time base."""
    timebase, anchors = resolved.spec.timebase, resolved.sref.time
    if timebase is None or anchors is None:
        return None
    return Align(schema=resolved.schema, timebase=timebase, timezone=anchors.timezone or "UTC", seed=seed)


def arrive_op(resolved: ResolvedSpec) -> Arrive | None:
    """The `Arrive` of a spec; None where it asks for no arrival time, or has no path to integrate along."""
    arrival, path = resolved.spec.arrival, resolved.sref.path
    if arrival is None or path is None or not resolved.path_source:
        return None
    return Arrive(
        arrival=arrival,
        path=resolved.path_source,
        columns=tuple(map(_column, path.fields)),
        c_ref0=None if path.c_ref0 is None else path.c_ref0.si,
    )


def _column(field: PathField) -> Field:
    unit = parse_unit(field.unit or "dimensionless")
    return Field(
        name=field.name,
        role="content",
        dtype=field.dtype,
        unit=unit.symbol,
        dimension=str(unit.dimension),
        range=field.range,
    )
