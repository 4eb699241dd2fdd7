"""Noise schedules as tables of alpha_bar, in float64 (S405-4, VP: sigma_t^2 = 1 - alpha_bar_t).

A table has one entry for each training step t = 0..T-1. Importing this module imports numpy.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthspec.ir.families import CosineSchedule, LinearSchedule, NoiseSchedule, ScaledLinearSchedule

F64 = NDArray[np.float64]
Spacing = Literal["trailing", "leading", "linspace"]

_OFFSET = 0.008
_MAX_BETA = 0.999


def betas(schedule: NoiseSchedule) -> F64:
    """beta_t, shape [T].

    linear: Ho et al. 2020. scaled_linear: Rombach et al. 2022. cosine: Nichol and Dhariwal 2021, eq. 17, each beta at
    most 0.999 so that the last step keeps a trace of the signal.
    """
    match schedule:
        case LinearSchedule():
            return np.linspace(schedule.beta_start, schedule.beta_end, schedule.train_steps, dtype=np.float64)
        case ScaledLinearSchedule():
            roots = np.linspace(schedule.beta_start**0.5, schedule.beta_end**0.5, schedule.train_steps)
            return np.asarray(roots**2)
        case CosineSchedule():
            t = np.arange(schedule.train_steps + 1) / schedule.train_steps
            signal = np.cos((t + _OFFSET) / (1 + _OFFSET) * np.pi / 2) ** 2
            return np.asarray(np.minimum(1 - signal[1:] / signal[:-1], _MAX_BETA), dtype=np.float64)


def alpha_bars(schedule: NoiseSchedule) -> F64:
    """alpha_bar_t = prod_{s <= t} (1 - beta_s), shape [T], strictly decreasing."""
    return np.cumprod(1 - betas(schedule), dtype=np.float64)


def visited_steps(train_steps: int, steps: int, spacing: Spacing = "trailing") -> NDArray[np.int64]:
    """The training steps that `steps` solver steps start from, descending, shape [steps].

    ``trailing`` starts at T-1, where there is (almost) only noise; ``leading`` never visits it (Lin et al. 2024, table
    2). Raises ValueError unless 1 <= steps <= train_steps.
    """
    if not 1 <= steps <= train_steps:
        raise ValueError(f"{steps} solver steps do not fit {train_steps} training steps")
    match spacing:
        case "trailing":
            return np.asarray(np.round(np.arange(steps, 0, -1) * (train_steps / steps)) - 1, dtype=np.int64)
        case "leading":
            return np.arange(steps - 1, -1, -1, dtype=np.int64) * (train_steps // steps)
        case "linspace":
            return np.asarray(np.round(np.linspace(0, train_steps - 1, steps + 1))[:0:-1], dtype=np.int64)


def sampling_grid(schedule: NoiseSchedule, steps: int, spacing: Spacing = "trailing") -> F64:
    """alpha_bar at the visited steps and, last, 1 (no noise is left), ascending, shape [steps + 1]."""
    visited = alpha_bars(schedule)[visited_steps(schedule.train_steps, steps, spacing)]
    return np.append(visited, 1.0)
