"""The exact map between tau_mono and ts: whole nanoseconds on both sides, and a way back that gives every tick again.

``ts = t_ref + dtau + round(error(dtau))`` with dtau in ns since tau_ref: the large parts are whole numbers, and only the error
of the clock, which is small, goes through a float. ts counts days of 86,400 s as POSIX does: it has no leap seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.timebase.line import F64

Ticks = NDArray[np.int64]
NANO = 1e9
TICK = 10
"""ns. Ticks so far apart stay apart and in order after rounding on both sides, for any skew below a tenth."""
STEEPEST = 0.1
REFINEMENTS = 6
"""Of the way back; each leaves a tenth of what was wrong at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Publisher:
    """The map through the knots of a fit; straight between them, and beyond them with the slope of the last piece."""

    t_ref: int
    """ns since 1970 at tau_ref, by an ideal clock: errors are counted from it."""
    places: F64
    """[k], k >= 2, in s since tau_ref, ascending."""
    errors: F64
    """[k], in s."""

    def __post_init__(self) -> None:
        slopes = np.diff(self.errors) / np.diff(self.places)
        if not (np.diff(self.places) > 0).all() or not (np.abs(slopes) < STEEPEST).all():
            raise ValueError(f"a clock that is off by more than {STEEPEST:g} s/s cannot be published by")

    def publish(self, dtau: Ticks) -> Ticks:
        """Ts in ns since 1970 for ns since tau_ref."""
        return np.asarray(self.t_ref + dtau + _rounded(dtau, self.places, self.errors), dtype=np.int64)

    def recover(self, ts: Ticks) -> Ticks:
        """Ns since tau_ref for ts in ns since 1970: within 2 ns of where it was, so exact on a grid of `TICK`."""
        since = ts - self.t_ref
        # Along a straight piece the error is straight in published time, too. Far beyond a short piece the slope that
        # floats give it there is not the one of the way out: what publishing makes of the answer says by how much.
        back = since - _rounded(since, self.places + self.errors, self.errors)
        for _ in range(REFINEMENTS):
            back = back - (self.publish(back) - ts)
        return np.asarray(back, dtype=np.int64)


def _rounded(dtau: Ticks, places: F64, errors: F64) -> Ticks:
    seconds = dtau / NANO
    inside = np.interp(seconds, places, errors)
    head = (errors[1] - errors[0]) / (places[1] - places[0])
    tail = (errors[-1] - errors[-2]) / (places[-1] - places[-2])
    before, behind = np.minimum(seconds - places[0], 0.0), np.maximum(seconds - places[-1], 0.0)
    return np.asarray(np.rint((inside + head * before + tail * behind) * NANO), dtype=np.int64)
