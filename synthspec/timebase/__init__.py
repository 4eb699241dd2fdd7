"""The time base: offset, skew and J of a clock from its readings, and the exact map that publishes on ts (P405-5).

Numbers in, numbers out: times in s, published instants in whole ns since 1970. Importing this package imports numpy.
"""

from __future__ import annotations

from synthspec.timebase.base import ClockFit, Stretch, TooFewReadingsError, Window, fit_clock
from synthspec.timebase.breaks import Gap, Step, find_gaps, find_steps
from synthspec.timebase.jitter import Jitter
from synthspec.timebase.line import Estimate, Line, least_squares, theil_sen
from synthspec.timebase.publish import Publisher

__all__ = [
    "ClockFit",
    "Estimate",
    "Gap",
    "Jitter",
    "Line",
    "Publisher",
    "Step",
    "Stretch",
    "TooFewReadingsError",
    "Window",
    "find_gaps",
    "find_steps",
    "fit_clock",
    "least_squares",
    "theil_sen",
]
