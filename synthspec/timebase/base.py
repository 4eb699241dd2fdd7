"""Fitting the time base of a clock: stretches without breaks, windows of them, and which part of the fit is used.

The strategy follows what dominates (companion volume, P105): the offset alone where no skew can be told from zero, lines per
window where a window's drift exceeds J, and lines with J and its quantiles kept where it does not. The limits that the volume
leaves open, tol_skew_lo and tol_J_lo, are taken from the readings: two standard uncertainties of the skew, and the drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from synthspec.timebase.breaks import Gap, Step, find_gaps, find_steps
from synthspec.timebase.jitter import Jitter, jitter
from synthspec.timebase.line import F64, LEAST, Estimate, Line, least_squares, level_only, theil_sen

Method = Literal["least_squares", "theil_sen", "median"]
Strategy = Literal["bias", "slope", "jitter"]
TOLD = 2.0
"""A skew of fewer standard uncertainties is not told from zero."""


class TooFewReadingsError(ValueError):
    """Nowhere are there enough readings in a row to fit a line."""


@dataclass(frozen=True, slots=True)
class Window:
    """The line over ``[begin, end)`` of tau."""

    begin: float
    end: float
    line: Line


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings between two breaks: one line over all of them, the same by the other method, and one line a window."""

    begin: float
    end: float
    n: int
    line: Line
    check: Line
    """Robust where the declared method is least squares, least squares where it is not."""
    level: Line
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class ClockFit:
    """What the readings of a clock say about it."""

    method: Method
    strategy: Strategy
    stretches: tuple[Stretch, ...]
    unfitted: int
    """Readings between breaks so close that no line was fitted there."""
    steps: tuple[Step, ...]
    gaps: tuple[Gap, ...]
    jitter: Jitter

    @property
    def main(self) -> Stretch:
        """The stretch with the most readings: what is published goes by it."""
        return max(self.stretches, key=lambda stretch: stretch.n)

    @property
    def used(self) -> Line:
        """The line whose offset and skew are recorded: over the main stretch, level where only the offset is used."""
        return self.main.level if self.strategy == "bias" else self.main.line

    @property
    def knots(self) -> tuple[F64, F64]:
        """The published map over the main stretch: places of tau, and the error there; straight between and beyond.

        At a boundary two windows meet in the mean of what both say there, weighted by how well they know it.
        """
        stretch = self.main
        if self.strategy == "bias":
            return np.array([stretch.begin, stretch.end]), np.full(2, stretch.level.offset.value)
        windows = stretch.windows
        seams = [(one.end, _meeting(one.line, other.line, one.end)) for one, other in pairwise(windows)]
        first, last = windows[0], windows[-1]
        places = [first.begin, *(place for place, _ in seams), last.end]
        levels = [first.line.at(first.begin)[0], *(level for _, level in seams), last.line.at(last.end)[0]]
        return np.array(places), np.array(levels)

    @property
    def largest_seam(self) -> float:
        """The largest disagreement of two neighbouring windows at their boundary, in s."""
        pairs = pairwise(self.main.windows)
        return max((abs(one.line.at(one.end)[0] - other.line.at(one.end)[0]) for one, other in pairs), default=0.0)


def fit_clock(tau: F64, error: F64, window: float, method: Method) -> ClockFit:
    """Fit the clock whose readings are `error` [n] at `tau` [n] ascending, both in s, in windows of `window` s.

    Lines stop at steps, and at gaps as long as a window. Raises TooFewReadingsError.
    """
    steps, gaps = find_steps(tau, error), find_gaps(tau)
    cuts = sorted({step.row for step in steps} | {gap.row for gap in gaps if gap.length >= window})
    pieces = [(a, b) for a, b in pairwise([0, *cuts, len(tau)]) if b - a >= LEAST and tau[b - 1] > tau[a]]
    if not pieces:
        raise TooFewReadingsError(f"no stretch without a break has {LEAST} readings ({len(tau)} in all)")
    stretches = tuple(_stretch(tau[a:b], error[a:b], window, method) for a, b in pieces)
    moving = _jitter(stretches, level=False)
    strategy = _strategy(max(stretches, key=lambda each: each.n).line.skew, moving.rms, window, method)
    left = _jitter(stretches, level=True) if strategy == "bias" else moving
    return ClockFit(method, strategy, stretches, len(tau) - sum(each.n for each in stretches), steps, gaps, left)


def _strategy(skew: Estimate, rms: float, window: float, method: Method) -> Strategy:
    if method == "median" or abs(skew.value) <= TOLD * skew.u:
        return "bias"
    return "slope" if abs(skew.value) * window > rms else "jitter"


def _jitter(stretches: tuple[Stretch, ...], *, level: bool) -> Jitter:
    if level:
        return jitter([each.level.residuals for each in stretches], len(stretches))
    lines = [window.line.residuals for each in stretches for window in each.windows]
    return jitter(lines, 2 * len(lines))


def _stretch(tau: F64, error: F64, window: float, method: Method) -> Stretch:
    own, other = (theil_sen, least_squares) if method == "theil_sen" else (least_squares, theil_sen)
    return Stretch(
        begin=float(tau[0]),
        end=float(tau[-1]),
        n=len(tau),
        line=own(tau, error),
        check=other(tau, error),
        level=level_only(tau, error),
        windows=tuple(Window(begin, end, own(tau[a:b], error[a:b])) for begin, end, a, b in _windows(tau, window)),
    )


def _windows(tau: F64, window: float) -> list[tuple[float, float, int, int]]:
    """(begin, end, first row, row behind the last) of consecutive windows from the first reading on.

    A window with too few readings is joined with the one before it, the first with the one behind it.
    """
    begin, last = float(tau[0]), float(tau[-1])
    edges = begin + window * np.arange(max(int(np.ceil((last - begin) / window)), 1) + 1)
    rows = np.searchsorted(tau, edges)
    rows[-1], edges[-1] = len(tau), max(float(edges[-1]), last)
    kept: list[tuple[float, float, int, int]] = []
    start = 0
    for number in range(1, len(edges)):
        a, b = int(rows[start]), int(rows[number])
        if b - a >= LEAST and tau[b - 1] > tau[a]:
            kept.append((float(edges[start]), float(edges[number]), a, b))
            start = number
    if start < len(edges) - 1:
        head = kept.pop()
        kept.append((head[0], float(edges[-1]), head[2], len(tau)))
    return kept


def _meeting(one: Line, other: Line, place: float) -> float:
    (first, u_first), (second, u_second) = one.at(place), other.at(place)
    weight = u_second**2 / (u_first**2 + u_second**2) if u_first or u_second else 0.5
    return weight * first + (1 - weight) * second
