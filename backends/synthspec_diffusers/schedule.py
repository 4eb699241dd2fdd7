"""Levels of the variance-preserving process (S405-4): x_t = a_t x_0 + s_t eps, a_t^2 = alpha_bar_t, a_t^2 + s_t^2 = 1.

In float64. Training steps are counted t = 0..T-1, as the network is told them, in training and in sampling alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthspec.backend.schedules import F64, betas, visited_steps
from synthspec.ir.families import NoiseSchedule


@dataclass(frozen=True)
class Levels:
    """Signal `a` and noise `s` at each training step, both [T]."""

    a: F64
    s: F64

    @classmethod
    def of(cls, schedule: NoiseSchedule) -> Levels:
        """The levels of `schedule`; s is taken from log alpha_bar, which keeps its digits where there is little noise."""
        log_alpha_bar = np.cumsum(np.log1p(-betas(schedule)))
        return cls(np.exp(0.5 * log_alpha_bar), np.sqrt(-np.expm1(log_alpha_bar)))


@dataclass(frozen=True)
class Grid:
    """The n + 1 levels that a solver visits, noisiest first; the last one is clean (a = 1, s = 0)."""

    times: tuple[int, ...]
    """The training steps of the first n levels."""
    a: F64
    s: F64

    @classmethod
    def of(cls, levels: Levels, steps: int) -> Grid:
        """`steps` evenly spaced training steps from T-1 on, where sampling starts. Raises ValueError for over T steps."""
        visited = visited_steps(len(levels.a), steps, "trailing")
        return cls(tuple(visited.tolist()), np.append(levels.a[visited], 1.0), np.append(levels.s[visited], 0.0))
