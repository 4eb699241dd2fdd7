"""Where a clock was set, and where nobody read it. Both are found and told; no line is laid across either.

A step is a change of level that stays: medians of the readings before and behind a place differ by more than the jitter
allows. A single outlier moves no median, and a drift moves neighbouring medians everywhere alike. A gap is a spacing far
beyond the usual one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from synthspec.timebase.line import F64

SIDE = 15
"""Readings on either side of a place whose medians are compared."""
BEYOND = 7.0
"""A difference of medians is a step when it is so many robust standard deviations of all of them."""
GAP = 30.0
"""A spacing is a gap when it is so many medians of all spacings. Exponential spacings reach it once in 10^9."""
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Step:
    """The clock jumped by `size` s (positive: forwards) between the readings at `before` and `after`, in s of tau."""

    before: float
    after: float
    size: float
    u: float
    row: int
    """The first reading behind it, in the order of tau."""


@dataclass(frozen=True, slots=True)
class Gap:
    """No reading between `before` and `after`, in s of tau."""

    before: float
    after: float
    row: int

    @property
    def length(self) -> float:
        return self.after - self.before


def find_gaps(tau: F64) -> tuple[Gap, ...]:
    """The gaps of `tau` [n], ascending."""
    if len(tau) < 3:
        return ()
    spacing = np.diff(tau)
    usual = float(np.median(spacing))
    rows = np.flatnonzero(spacing > GAP * usual) if usual > 0 else np.zeros(0, np.intp)
    return tuple(Gap(float(tau[row]), float(tau[row + 1]), row + 1) for row in rows.tolist())


def find_steps(tau: F64, error: F64) -> tuple[Step, ...]:
    """The steps of `error` [n] along `tau` [n], ascending; none where there are too few readings to tell."""
    n, side = len(tau), SIDE
    if n < 4 * side:
        return ()
    trend, u_trend = _trend(tau, error)
    level = error - trend * tau
    levels = np.median(sliding_window_view(level, side), axis=1)
    places = sliding_window_view(tau, side).mean(axis=1)
    # Entry i compares the readings i .. i + side - 1 with those behind them: the place between is before row i + side.
    change, run = levels[side:] - levels[:-side], places[side:] - places[:-side]
    allowed = np.hypot(_scatter(change), u_trend * run)
    found: list[Step] = []
    for first, last in _excursions(np.abs(change) > BEYOND * allowed, side):
        peak = first + int(np.argmax(np.abs(change[first : last + 1])))
        row = _edge(level, peak + side, side)
        found.append(Step(float(tau[row - 1]), float(tau[row]), float(change[peak]), float(allowed[peak]), row))
    return tuple(found)


def _trend(tau: F64, error: F64) -> tuple[float, float]:
    """The median slope of readings an eighth of them apart, and its u: a few steps lie within few of the pairs only."""
    lag = len(tau) // 8
    run = tau[lag:] - tau[:-lag]
    slopes = (error[lag:] - error[:-lag])[run > 0] / run[run > 0]
    if not len(slopes):
        return 0.0, 0.0
    trend = float(np.median(slopes))
    # Each reading is in two pairs: half as many of them count.
    return trend, 1.2533 * _MAD * float(np.median(np.abs(slopes - trend))) / math.sqrt(len(slopes) / 2)


def _scatter(change: F64) -> float:
    """The standard deviation of what does not stand out, never below the rounding of the readings."""
    mad = _MAD * float(np.median(np.abs(change - np.median(change))))
    return max(mad, 1e-15, float(np.abs(change).max()) * 1e-12)


def _excursions(over: np.ndarray[tuple[int], np.dtype[np.bool_]], side: int) -> list[tuple[int, int]]:
    """Runs of True; those less than `side` apart belong to one step."""
    rows = np.flatnonzero(over)
    if not len(rows):
        return []
    cuts = np.flatnonzero(np.diff(rows) > side)
    starts, ends = np.r_[rows[0], rows[cuts + 1]], np.r_[rows[cuts], rows[-1]]
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _edge(level: F64, guess: int, side: int) -> int:
    """The row near `guess` at which two constant levels leave the least absolute deviation."""
    low, high = max(guess - side, 1), min(guess + side, len(level) - 1)
    best, least = guess, math.inf
    begin, end = max(guess - 2 * side, 0), min(guess + 2 * side, len(level))
    for row in range(low, high + 1):
        one, other = level[begin:row], level[row:end]
        left = float(np.abs(one - np.median(one)).sum() + np.abs(other - np.median(other)).sum())
        if left < least:
            best, least = row, left
    return best
