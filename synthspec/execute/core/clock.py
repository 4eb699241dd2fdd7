"""Columns of times as readings of a clock, and whole nanoseconds as columns of times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import column_dtype
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.protocol import DataError
from synthspec.ir.ops import Align
from synthspec.ir.schema import Field
from synthspec.timebase import ClockFit, Publisher, TooFewReadingsError
from synthspec.timebase.breaks import GAP
from synthspec.timebase.line import F64
from synthspec.timebase.publish import NANO, TICK
from synthspec.units import Affine, parse_unit

Ticks = NDArray[np.int64]
Rows = NDArray[np.int64]
SECOND = 10**9


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The field of tau_mono: its dtype and the maps between its unit and seconds."""

    field: Field
    to_si: Affine
    from_si: Affine

    @classmethod
    def of(cls, op: Align) -> TimeAxis:
        field = op.schema.field(op.timebase.train_on)
        unit = parse_unit(field.unit or "s")
        return cls(field, unit.affine_to(None), unit.affine_from_si())

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(column_dtype(self.field))

    def seconds(self, column: Column) -> F64:
        """The column in s."""
        seconds: F64 = self.to_si(column.astype(np.float64))
        return seconds

    def quantum(self, tau_ref: float, records: int, drawn: Ticks) -> int:
        """The grid of made times in ns: coarse enough for the dtype to tell its ticks apart, and for the resolution.

        Four spacings of the dtype where the last record will lie, at least `TICK` ns, and a multiple of the field's own step.
        """
        last = self.from_si(np.float64(tau_ref + float(drawn.mean()) * records / NANO))
        whole = self.dtype.kind in "iu"
        fine = 1.0 if whole else 4.0 * float(np.spacing(np.abs(self.dtype.type(last))))
        step = self.field.resolution or (1.0 if whole else 0.0)
        scale = (self.to_si(1.0) - self.to_si(0.0)) * NANO
        least = max(TICK, fine * scale)
        if step * scale >= 1.0:
            return round(math.ceil(least / (step * scale)) * step * scale)
        return int(10 ** math.ceil(math.log10(least) - 1e-9))

    def column(self, tau_ref: float, begin: float, dtau: Ticks, quantum: int) -> Column:
        """Times of `dtau` ns behind ``tau_ref + begin`` s, as the field stores them.

        They lie on the grid of `quantum` ns counted from tau_ref.
        """
        origin = np.rint(begin * NANO / quantum).astype(np.int64) * quantum
        on_grid = np.rint((origin + dtau) / quantum).astype(np.int64) * quantum
        values = self.from_si(tau_ref + on_grid / NANO)
        return np.asarray(np.rint(values) if self.dtype.kind in "iu" else values).astype(self.dtype)

    def ticks(self, column: Column, tau_ref: float) -> Ticks:
        """Stored times in ns since tau_ref."""
        return np.asarray(np.rint((self.seconds(column) - tau_ref) * NANO), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The readings of a dataset in the order of tau: `tau` in s since `tau_ref`, `error` in s against an ideal clock.

    The ideal clock shows `t_ref` ns at tau_ref: a whole second that far behind the zero of tau_mono, so that the offset is
    what is left of a second.
    """

    order: NDArray[np.intp]
    tau: F64
    error: F64
    tau_ref: float
    t_ref: int

    @classmethod
    def of(cls, op: Align, axis: TimeAxis, data: Dataset) -> Clock:
        """Raises DataError (`P405-5.too-few-readings`) for a dataset without records."""
        tau, ts = axis.seconds(data[op.timebase.train_on]), data[op.timebase.publish_on].astype(np.int64)
        if not len(tau):
            raise DataError("P405-5.too-few-readings", "there is no record to fit a clock to", "give more data")
        order = np.argsort(tau, kind="stable")
        tau_ref = float(tau[order[0]])
        whole = np.rint((int(ts[order[0]]) - round(tau_ref * NANO)) / SECOND)
        t_ref = int(whole) * SECOND + round(tau_ref * NANO)
        since = np.rint((tau[order] - tau_ref) * NANO).astype(np.int64)
        return cls(order, since / NANO, ((ts[order] - t_ref) - since) / NANO, tau_ref, t_ref)

    def publisher(self, fit: ClockFit) -> Publisher:
        """The map of `fit`. Raises DataError (`P405-5.clock-unusable`)."""
        places, errors = fit.knots
        try:
            return Publisher(self.t_ref, places, errors)
        except ValueError as error:
            raise DataError("P405-5.clock-unusable", f"{error}", "check the units of tau_mono and ts") from error


def spacings(order: NDArray[np.intp], column: Column, train: Rows, axis: TimeAxis) -> Ticks:
    """Spacings in ns of records that are neighbours in time and both in training; gaps of the clock are none.

    Raises TooFewReadingsError.
    """
    kept = np.zeros(len(order), bool)
    kept[train] = True
    both = kept[order[1:]] & kept[order[:-1]]
    found = np.diff(axis.seconds(column)[order])[both]
    usual = np.median(found) if len(found) else 0.0
    within = found[found <= GAP * usual] if usual > 0 else found
    if len(within) < 2:
        raise TooFewReadingsError(f"{len(within)} spacings of neighbouring training records")
    return np.asarray(np.rint(within * NANO), dtype=np.int64)
