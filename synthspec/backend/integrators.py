"""Solver steps of S405-5 in plain numpy: ddpm, ddim, dpmsolver++ (2M), on any denoiser that predicts eps.

`grid` is alpha_bar at the visited steps and the end, ascending, last 1. Importing this module imports numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from synthspec.backend.schedules import F64

Denoiser = Callable[[F64, float], F64]
"""``eps = denoiser(x, alpha_bar)``, x and eps [n, d]."""
Noise = Callable[[], F64]
"""Standard normal numbers of the shape of x; asked once for each step that draws."""
Integrator = Callable[[F64, F64, Denoiser, Noise], F64]


def ddpm(x: F64, grid: F64, denoiser: Denoiser, noise: Noise) -> F64:
    """Ancestral sampling with the posterior variance (Ho et al. 2020, eq. 6 and 7); the last step draws no noise."""
    for now, after in pairwise(grid):
        x0 = _x0(x, now, denoiser)
        beta = 1 - now / after
        mean = np.sqrt(after) * beta / (1 - now) * x0 + np.sqrt(now / after) * (1 - after) / (1 - now) * x
        x = mean if after == 1 else mean + np.sqrt((1 - after) / (1 - now) * beta) * noise()
    return x


def ddim(x: F64, grid: F64, denoiser: Denoiser, noise: Noise) -> F64:
    """The deterministic sampler of Song et al. 2021, eq. 12 with sigma 0."""
    del noise
    for now, after in pairwise(grid):
        eps = denoiser(x, now)
        x0 = (x - np.sqrt(1 - now) * eps) / np.sqrt(now)
        x = np.sqrt(after) * x0 + np.sqrt(1 - after) * eps
    return x


def dpmsolver_2m(x: F64, grid: F64, denoiser: Denoiser, noise: Noise) -> F64:
    """DPM-Solver++(2M), Lu et al. 2022, algorithm 2: second order on x0; the first and the last step are of first order.

    With lambda = log(a / s) and h its step, x' = s'/s x - a' (e^-h - 1) D, where D extrapolates the last two x0.
    """
    del noise
    # Only the last lambda is infinite (no noise is left); e^-h is then 0 and D is not extrapolated.
    with np.errstate(divide="ignore"):
        log_snr = 0.5 * (np.log(grid) - np.log1p(-grid))
    before: F64 | None = None
    for step in range(len(grid) - 1):
        now, after = grid[step], grid[step + 1]
        x0 = _x0(x, now, denoiser)
        h = log_snr[step + 1] - log_snr[step]
        direction = x0
        if before is not None and after != 1:
            direction = x0 + h / (log_snr[step] - log_snr[step - 1]) / 2 * (x0 - before)
        x = np.sqrt((1 - after) / (1 - now)) * x - np.sqrt(after) * np.expm1(-h) * direction
        before = x0
    return x


def _x0(x: F64, alpha_bar: float, denoiser: Denoiser) -> F64:
    return np.asarray((x - np.sqrt(1 - alpha_bar) * denoiser(x, alpha_bar)) / np.sqrt(alpha_bar))


INTEGRATORS: dict[str, Integrator] = {"ddpm": ddpm, "ddim": ddim, "dpmsolver++": dpmsolver_2m}
