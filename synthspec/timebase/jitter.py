"""J: the rms of what the time base leaves, with its interval, and the quantiles that other readings of J ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthspec.timebase.line import F64, Z95, inflation


@dataclass(frozen=True, slots=True)
class Jitter:
    """J in s. `rms` counts the degrees of freedom that the fit took; the others are of the residuals as they are."""

    rms: float
    u: float
    lower: float
    """One-sided 95 % bounds, both."""
    upper: float
    p50: float
    """Of the absolute deviation."""
    p95: float
    peak_to_peak: float
    n: int
    freedom: int


ONE_SIDED = 1.6448536269514722


def jitter(parts: Sequence[F64], taken: int) -> Jitter:
    """J of the residuals in `parts` (each [n_k], of one fit), of whose numbers the fits took `taken` in all.

    ``var(J^2) = (m4 - m2^2) / freedom`` on the scale of log J. Heavy tails widen the interval and hide how heavy they are: the
    fourth moment enters at one standard error above what was found.
    """
    joined = np.concatenate(parts)
    n, freedom = len(joined), len(joined) - taken
    square = math.fsum((joined**2).tolist())
    if freedom < 1:
        raise ValueError("no degrees of freedom are left for J")
    rms = math.sqrt(square / freedom)
    second = square / n
    powers = joined**4
    fourth = float(powers.mean() + powers.std() / math.sqrt(n))
    relative = math.sqrt(max(fourth / second**2 - 1.0, 0.0) * _alike(parts) / freedom) / 2 if second else 0.0
    absolute = np.abs(joined)
    return Jitter(
        rms=rms,
        u=rms * relative,
        lower=rms * math.exp(-ONE_SIDED * relative),
        upper=rms * math.exp(ONE_SIDED * relative),
        p50=float(np.quantile(absolute, 0.5)),
        p95=float(np.quantile(absolute, 0.95)),
        peak_to_peak=max(float(np.ptp(part)) for part in parts),
        n=n,
        freedom=freedom,
    )


def interval(found: Jitter) -> tuple[float, float]:
    """The two-sided 95 % interval of J."""
    relative = math.log(found.upper / found.rms) / ONE_SIDED if found.rms else 0.0
    return found.rms * math.exp(-Z95 * relative), found.rms * math.exp(Z95 * relative)


def _alike(parts: Sequence[F64]) -> float:
    """The inflation of the variance of a mean of squares: a correlation r of neighbours is r^2 between their squares."""
    factors = [inflation(part) for part in parts]
    mean = float(np.mean(factors))
    r = (mean - 1) / (mean + 1)
    return (1 + r**2) / (1 - r**2)
