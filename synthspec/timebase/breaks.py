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
FEWEST = 5
"""Readings on either side below which a median says nothing."""
ROUNDS = 16
"""How often what was found is taken away to look for more."""
BEYOND = 7.0
"""A difference of medians is a step when it is so many robust standard deviations of all of them."""
GAP = 30.0
"""A spacing is a gap when it is so many medians of all spacings. Exponential spacings reach it once in 10^9."""
_MAD = 1.4826
_OF_MEDIANS = 1.2533 * math.sqrt(2.0)
"""The standard deviation of the difference of two medians of normal numbers, by that of the mean of as many."""


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
    """The steps of `error` [n] along `tau` [n], ascending; none where there are too few readings to tell (20).

    What was found is taken away and looked again, so that one step does not hide another beside it or bend the trend.
    In the end each has to stand out from what is left without all of them.
    """
    side = min(SIDE, len(tau) // 4)
    if side < FEWEST:
        return ()
    rows: list[int] = []
    floor = _quantum(error) / 3.0  # medians of rounded readings move by two quanta by chance
    for _ in range(ROUNDS):
        fresh = _standing_out(tau, _without(tau, error, rows, side), side, floor)
        fresh = [row for row in fresh if all(abs(row - known) > 1 for known in rows)]
        if not fresh:
            break
        rows = sorted([*rows, *fresh])
    return _confirmed(tau, error, rows, side, floor)


def _standing_out(tau: F64, error: F64, side: int, floor: float) -> list[int]:
    """The first rows behind the places at which the level changes most, one of each stretch of changes.

    Only those that stand out at least half as far as the first of them: once they are gone, the trend is known better.
    """
    trend, u_trend = _trend(tau, error)
    level = error - trend * tau
    change, allowed = _changes(tau, level, u_trend, side, floor)
    far = np.abs(change) / allowed
    found: list[int] = []
    for first, last in _excursions(far > max(BEYOND, far.max() / 2), side):
        peak = first + int(np.argmax(np.abs(change[first : last + 1])))
        found.append(_edge(level, peak + side, side))
    return found


def _changes(tau: F64, level: F64, u_trend: float, side: int, floor: float) -> tuple[F64, F64]:
    """By how much medians of neighbouring readings differ, and the standard deviation that this has without a step.

    Entry i compares the readings i .. i + side - 1 with those behind them: the place between is before row i + side.
    `floor`: what this is at least, since readings are rounded.
    """
    levels = np.median(sliding_window_view(level, side), axis=1)
    places = sliding_window_view(tau, side).mean(axis=1)
    change, run = levels[side:] - levels[:-side], places[side:] - places[:-side]
    scatter = _scatter(change)
    if len(tau) < 8 * side:  # a step would be most of what there is: neighbours say how much they scatter
        single = _MAD * float(np.median(np.abs(np.diff(level)))) / math.sqrt(2.0)
        scatter = min(scatter, max(3.0 * single * _OF_MEDIANS / math.sqrt(side), 1e-15))
    return change, np.hypot(max(scatter, floor), u_trend * run)


def _without(tau: F64, error: F64, rows: list[int], side: int) -> F64:
    """`error` less its changes of level at `rows`."""
    left = error.copy()
    for _ in range(2 if rows else 0):  # the second time with the trend of what the first one left
        trend, _ = _trend(tau, left)
        left = error.copy()
        for row, size in zip(rows, _sizes(error - trend * tau, rows, side), strict=True):
            left[row:] -= size
    return left


def _sizes(level: F64, rows: list[int], side: int) -> list[float]:
    """The difference of medians at each of `rows`, of at most `side` readings that no other of them lies between."""
    ends = [0, *rows, len(level)]
    return [
        float(np.median(level[row : min(row + side, behind)]) - np.median(level[max(row - side, before) : row]))
        for before, row, behind in zip(ends, rows, ends[2:], strict=False)
    ]


def _confirmed(tau: F64, error: F64, rows: list[int], side: int, floor: float) -> tuple[Step, ...]:
    """Those of `rows` whose size stands out from the scatter of what is left without all of them."""
    if not rows:
        return ()
    left = _without(tau, error, rows, side)
    trend, u_trend = _trend(tau, left)
    _, allowed = _changes(tau, left - trend * tau, u_trend, side, floor)
    level, ends = error - trend * tau, [0, *rows, len(tau)]
    found: list[Step] = []
    for number, (row, size) in enumerate(zip(rows, _sizes(level, rows, side), strict=True)):
        fewest = min(row - ends[number], ends[number + 2] - row, side)
        u = float(allowed[min(max(row - side, 0), len(allowed) - 1)]) * math.sqrt(side / fewest)
        if abs(size) > BEYOND * u:
            found.append(Step(float(tau[row - 1]), float(tau[row]), size, u, row))
    return tuple(found)


def _quantum(error: F64) -> float:
    """The step in which readings are written, where it is coarser than they scatter; 0 where it cannot be told."""
    moves = np.abs(np.diff(error))
    moves = moves[moves > 0]
    few = len(np.unique(error)) <= len(error) / 2
    return float(np.median(moves)) if few and len(moves) >= max(5, len(error) / 50) else 0.0


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
