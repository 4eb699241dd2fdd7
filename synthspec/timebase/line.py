"""A line through readings of a clock: ``error = offset + skew * tau``, by least squares and by medians of slopes.

`error` is ``(ts - t_ref) - (tau_mono - tau_ref)`` in s, so that the slope is the skew itself: a deviation from 1, in s/s. All
intervals are two-sided at 95 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

Z95 = 1.959963984540054
"""The two-sided 95 % quantile of the normal law."""
ALL_PAIRS = 600
"""Readings up to which Theil-Sen looks at every pair; beyond, at those half the readings apart (Theil's incomplete method)."""
LEAST = 8
"""Readings below which no line is fitted."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard uncertainty and its two-sided 95 % interval."""

    value: float
    u: float
    lower: float
    upper: float

    @classmethod
    def normal(cls, value: float, u: float, quantile: float = Z95) -> Estimate:
        return cls(value, u, value - quantile * u, value + quantile * u)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A fitted line with what it leaves, [n], in the order of the readings."""

    offset: Estimate
    """At tau = 0, in s."""
    skew: Estimate
    """In s/s."""
    residuals: F64
    centre: float
    """The mean of tau, where offset and skew are uncorrelated."""

    def at(self, tau: float) -> tuple[float, float]:
        """The error at `tau` and its standard uncertainty."""
        u_centre = math.sqrt(max(self.offset.u**2 - (self.centre * self.skew.u) ** 2, 0.0))
        return self.offset.value + self.skew.value * tau, math.hypot(u_centre, (tau - self.centre) * self.skew.u)


def least_squares(tau: F64, error: F64) -> Line:
    """S83-1 of the companion volume: the closed form, about the mean of tau.

    ``u(skew)^2 = s^2 / sum (tau - mean)^2`` and ``u(offset)^2 = s^2 (1/n + mean^2 / sum (tau - mean)^2)`` with n - 2 degrees of
    freedom, widened where neighbouring residuals are correlated. `tau` [n], n >= 8, not all equal.
    """
    from scipy.special import stdtrit

    n, centre, level = len(tau), float(tau.mean()), float(error.mean())
    away = tau - centre
    spread = math.fsum((away**2).tolist())
    skew = math.fsum((away * (error - level)).tolist()) / spread
    residuals = (error - level) - skew * away
    s = math.sqrt(math.fsum((residuals**2).tolist()) / (n - 2)) * math.sqrt(inflation(residuals))
    quantile = float(stdtrit(n - 2, 0.975))
    return Line(
        offset=Estimate.normal(level - skew * centre, s * math.sqrt(1 / n + centre**2 / spread), quantile),
        skew=Estimate.normal(skew, s / math.sqrt(spread), quantile),
        residuals=residuals,
        centre=centre,
    )


def theil_sen(tau: F64, error: F64) -> Line:
    """The median of the slopes of pairs (Theil 1950, Sen 1968) and the median of what is left: outliers move neither.

    The interval of the skew is Sen's for all pairs, or the sign test's for pairs half the readings apart; that of the
    level is the sign test's for a median. `tau` [n] ascending, n >= 8, not all equal.
    """
    centre = float(tau.mean())
    skew = _median_slope(tau, error)
    detrended = error - skew.value * (tau - centre)
    level = _median(detrended)
    return Line(
        offset=Estimate.normal(level.value - skew.value * centre, math.hypot(level.u, centre * skew.u)),
        skew=skew,
        residuals=detrended - level.value,
        centre=centre,
    )


def level_only(tau: F64, error: F64) -> Line:
    """The median of `error` and no slope: what is left of a clock whose skew cannot be told from zero."""
    level = _median(error)
    still = Estimate(0.0, 0.0, 0.0, 0.0)
    return Line(offset=level, skew=still, residuals=error - level.value, centre=float(tau.mean()))


def _median_slope(tau: F64, error: F64) -> Estimate:
    if len(tau) <= ALL_PAIRS:
        from scipy.stats import theilslopes

        slope, _, lower, upper = theilslopes(error, tau, 0.95)
        return _symmetric(float(slope), float(lower), float(upper))
    half = len(tau) // 2
    run = tau[-half:] - tau[:half]
    return _median(((error[-half:] - error[:half])[run > 0]) / run[run > 0])


def _median(values: F64) -> Estimate:
    """The median and the interval between the order statistics that the sign test leaves at 95 %."""
    n = len(values)
    ordered = np.sort(values)
    reach = Z95 * math.sqrt(n) / 2
    first, last = max(math.floor((n - 1) / 2 - reach), 0), min(math.ceil((n - 1) / 2 + reach), n - 1)
    return _symmetric(float(np.median(values)), float(ordered[first]), float(ordered[last]))


def _symmetric(value: float, lower: float, upper: float) -> Estimate:
    return Estimate(value, (upper - lower) / (2 * Z95), lower, upper)


def inflation(residuals: F64) -> float:
    """How many times larger the variance of a mean is because neighbours are alike: ``(1 + r) / (1 - r)``, at least 1.

    r is the correlation of neighbours, as far as it is not what chance gives (two standard errors).
    """
    power = float((residuals**2).sum())
    if not power:
        return 1.0
    r = float((residuals[1:] * residuals[:-1]).sum()) / power
    return (1 + r) / (1 - r) if r > 2.0 / math.sqrt(len(residuals)) and r < 1.0 else 1.0
