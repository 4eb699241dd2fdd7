"""Noise schedules as tables of alpha_bar, in float64 (S405-4, VP: sigma_t^2 = 1 - alpha_bar_t).

A table has one entry for each training step t = 0..T-1. Importing this module imports numpy.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthspec.ir.families import (
    CosineSchedule,
    DiscreteSchedule,
    EdmSchedule,
    FlowMatchingSchedule,
    LinearSchedule,
    ScaledLinearSchedule,
)

F64 = NDArray[np.float64]
Spacing = Literal["trailing", "leading", "linspace"]

_OFFSET = 0.008
_MAX_BETA = 0.999


def betas(schedule: DiscreteSchedule) -> F64:
    """beta_t, shape [T], before a shift to zero terminal SNR.

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


def alpha_bars(schedule: DiscreteSchedule) -> F64:
    """alpha_bar_t = prod_{s <= t} (1 - beta_s), shape [T], strictly decreasing.

    Under zero terminal SNR its square roots are shifted and scaled so that the last is 0 and the first stays (Lin et al.
    2024, algorithm 1).
    """
    found = np.cumprod(1 - betas(schedule), dtype=np.float64)
    return np.asarray(_to_zero(np.sqrt(found)) ** 2) if schedule.zero_terminal_snr else found


def levels(schedule: DiscreteSchedule) -> tuple[F64, F64]:
    """Signal a and noise s at each training step, both [T], a^2 + s^2 = 1, each with all its digits.

    s is taken from log alpha_bar, which keeps its digits where there is little noise. Raises ValueError for zero terminal
    SNR on a schedule of one step, whose only level would have to be both ends.
    """
    log_alpha_bar = np.cumsum(np.log1p(-betas(schedule)))
    signal, noise = np.exp(0.5 * log_alpha_bar), np.sqrt(-np.expm1(log_alpha_bar))
    if not schedule.zero_terminal_snr:
        return signal, noise
    signal = _to_zero(signal)
    return signal, np.sqrt((1 - signal) * (1 + signal))


def _to_zero(signal: F64) -> F64:
    if len(signal) < 2:
        raise ValueError("zero terminal SNR needs a schedule of at least two steps")
    return np.asarray((signal - signal[-1]) * (signal[0] / (signal[0] - signal[-1])))


def karras_sigmas(schedule: EdmSchedule, way: F64) -> F64:
    """Sigma where the share `way` (in [0, 1]) of the road from `sigma_max` to `sigma_min` is done, even in sigma^(1/rho).

    Karras et al. 2022, eq. 5.
    """
    most, least = schedule.sigma_max ** (1 / schedule.rho), schedule.sigma_min ** (1 / schedule.rho)
    return np.asarray((most + way * (least - most)) ** schedule.rho)


def continuous_levels(schedule: EdmSchedule | FlowMatchingSchedule, steps: int) -> tuple[F64, F64]:
    """Signal a and noise s at the levels that `steps` solver steps start from and, last, a = 1 and s = 0; [steps + 1].

    edm has a = 1 and s = sigma; flow matching has a = 1 - t and s = t. Raises ValueError unless steps >= 1.
    """
    if steps < 1:
        raise ValueError(f"{steps} solver steps lead nowhere")
    way = np.arange(steps) / max(steps - 1, 1)
    if isinstance(schedule, EdmSchedule):
        return np.ones(steps + 1), np.append(karras_sigmas(schedule, way), 0.0)
    t = np.arange(steps, -1, -1) / steps
    return 1 - t, t


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


def sampling_grid(schedule: DiscreteSchedule, steps: int, spacing: Spacing = "trailing") -> F64:
    """alpha_bar at the visited steps and, last, 1 (no noise is left), ascending, shape [steps + 1]."""
    visited = alpha_bars(schedule)[visited_steps(schedule.train_steps, steps, spacing)]
    return np.append(visited, 1.0)
