"""Levels of the noising process (S405-4): x = a x_0 + s eps, with (a, s) along one of three curves.

vp: a^2 + s^2 = 1, the schedules with betas. ve: a = 1, the schedule edm. linear: a + s = 1, flow matching. In float64.
Training steps are counted t = 0..T-1, as the network is told them, in training and in sampling alike; of edm it is told
1000 times where ln sigma lies between the ends of the schedule, of flow matching 1000 t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from synthspec.backend import schedules
from synthspec.backend.schedules import F64, visited_steps
from synthspec.ir.families import DiscreteSchedule, EdmSchedule, FlowMatchingSchedule, NoiseSchedule

Curve = Literal["vp", "ve", "linear"]
TOLD = 1000.0
"""The range of what a network is told of a continuous time."""
NEAREST = 1e-3
"""Where an adaptive solver on the linear path takes the estimate for the record: t at which noise is a thousandth."""


@dataclass(frozen=True)
class Levels:
    """Signal `a` and noise `s` at each training step, both [T]."""

    a: F64
    s: F64

    @classmethod
    def of(cls, schedule: DiscreteSchedule) -> Levels:
        """The levels of `schedule`."""
        return cls(*schedules.levels(schedule))


@dataclass(frozen=True)
class Marks:
    """Noise levels of the records of a batch, each [n]: signal, noise, and what the network is told."""

    a: torch.Tensor
    s: torch.Tensor
    times: torch.Tensor


class Process:
    """The levels that a training noises at: quantiles in (0, 1) to signal and noise."""

    def __init__(self, schedule: NoiseSchedule) -> None:
        self.schedule = schedule
        if not isinstance(schedule, EdmSchedule | FlowMatchingSchedule):
            levels = Levels.of(schedule)
            self._a, self._s = torch.from_numpy(levels.a).float(), torch.from_numpy(levels.s).float()

    def at(self, u: torch.Tensor) -> Marks:
        """The levels at the quantiles `u` [n] of the law that the schedule trains on."""
        match self.schedule:
            case EdmSchedule() as edm:
                log_sigma = edm.p_mean + edm.p_std * torch.special.ndtri(u)
                return Marks(torch.ones_like(u), log_sigma.exp(), told_of_sigma(edm, log_sigma))
            case FlowMatchingSchedule() as flow:
                t = torch.sigmoid(flow.t_mean + flow.t_std * torch.special.ndtri(u))
                return Marks(1 - t, t, TOLD * t)
            case _:
                times = (u * len(self._a)).long().clamp_(max=len(self._a) - 1)
                return Marks(self._a[times], self._s[times], times)


def told_of_sigma(schedule: EdmSchedule, log_sigma: torch.Tensor) -> torch.Tensor:
    """What the network is told of ln sigma: 0 at sigma_min, `TOLD` at sigma_max."""
    low, high = math.log(schedule.sigma_min), math.log(schedule.sigma_max)
    return TOLD * (log_sigma - low) / (high - low)


def curve_of(schedule: NoiseSchedule) -> Curve:
    """The curve that the levels of `schedule` lie on."""
    if isinstance(schedule, EdmSchedule):
        return "ve"
    return "linear" if isinstance(schedule, FlowMatchingSchedule) else "vp"


@dataclass(frozen=True)
class Grid:
    """The n + 1 levels that a solver visits, noisiest first; the last one is clean (a = 1, s = 0)."""

    times: tuple[float, ...]
    """What the network is told at the first n levels: whole training steps where the schedule has them."""
    a: F64
    s: F64
    curve: Curve = "vp"

    @classmethod
    def of(cls, levels: Levels, steps: int) -> Grid:
        """`steps` evenly spaced training steps from T-1 on, where sampling starts. Raises ValueError for over T steps."""
        visited = visited_steps(len(levels.a), steps, "trailing")
        return cls(tuple(visited.tolist()), np.append(levels.a[visited], 1.0), np.append(levels.s[visited], 0.0))

    @classmethod
    def along(cls, schedule: NoiseSchedule, steps: int) -> Grid:
        """The levels of `steps` solver steps. Raises ValueError for more steps than a schedule with betas has."""
        if not isinstance(schedule, EdmSchedule | FlowMatchingSchedule):
            return cls.of(Levels.of(schedule), steps)
        a, s = schedules.continuous_levels(schedule, steps)
        noise = torch.from_numpy(s[:-1])
        told = TOLD * noise if isinstance(schedule, FlowMatchingSchedule) else told_of_sigma(schedule, noise.log())
        return cls(tuple(told.tolist()), a, s, curve_of(schedule))

    @classmethod
    def stretch(cls, schedule: NoiseSchedule, ahead: tuple[float, ...]) -> Grid:
        """The levels where the shares `ahead` of the way are still to go, and the clean one; for adaptive solvers.

        1 is where sampling starts; edm is at sigma_min where nothing is ahead.
        """
        shares = np.asarray(ahead)
        match schedule:
            case EdmSchedule():
                s = schedules.karras_sigmas(schedule, 1 - shares)
                a, told = np.ones_like(s), told_of_sigma(schedule, torch.from_numpy(s).log()).tolist()
            case FlowMatchingSchedule():
                a, s, told = 1 - shares, shares, (TOLD * shares).tolist()
            case _:
                levels = Levels.of(schedule)
                steps = np.maximum(np.round(shares * len(levels.a)).astype(np.int64) - 1, 0)
                a, s, told = levels.a[steps], levels.s[steps], steps.tolist()
        return cls(tuple(told), np.append(a, 1.0), np.append(s, 0.0), curve_of(schedule))


def even_grid(schedule: NoiseSchedule, steps: int) -> Grid:
    """`steps` levels at even shares of the way, noisiest first, and the clean one: every second is the grid of half as many."""
    return Grid.stretch(schedule, tuple(1.0 - step / steps for step in range(steps)))


def nearest(schedule: NoiseSchedule) -> float:
    """The least share of the way ahead at which a network is asked."""
    match schedule:
        case EdmSchedule():
            return 0.0
        case FlowMatchingSchedule():
            return NEAREST
        case _:
            return 1.0 / schedule.train_steps
