"""Confidence bounds: binomial (Clopper-Pearson, Wilson), a difference of two proportions, order statistics."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def clopper_pearson(successes: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact one-sided bounds of a proportion, each at level 1 - `alpha` (Clopper and Pearson 1934)."""
    lower = 0.0 if successes == 0 else float(stats.beta.ppf(alpha, successes, n - successes + 1))
    upper = 1.0 if successes == n else float(stats.beta.ppf(1 - alpha, successes + 1, n - successes))
    return lower, upper


def wilson(successes: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Score bounds of a proportion, each one-sided at level 1 - `alpha` (Wilson 1927)."""
    z = float(stats.norm.ppf(1 - alpha))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def difference(first: tuple[int, int], second: tuple[int, int], alpha: float = 0.05) -> tuple[float, float]:
    """Bounds of p1 - p2 from (successes, n) of two independent samples, each one-sided at level 1 - `alpha`.

    Square-and-add (MOVER, Newcombe 1998 method 10) over Clopper-Pearson limits, which makes it slightly conservative.
    """
    (k1, n1), (k2, n2) = first, second
    p1, p2 = k1 / n1, k2 / n2
    l1, u1 = clopper_pearson(k1, n1, alpha)
    l2, u2 = clopper_pearson(k2, n2, alpha)
    lower = p1 - p2 - math.hypot(p1 - l1, u2 - p2)
    return lower, p1 - p2 + math.hypot(u1 - p1, p2 - l2)


def quantile_ranks(n: int, q: float, alpha: float = 0.05) -> tuple[int | None, int | None]:
    """1-based ranks of the order statistics that bound the `q` quantile of any law, each at level 1 - `alpha`.

    The upper one is the smallest j with P(Bin(n, q) <= j - 1) >= 1 - alpha, the lower one the largest j with
    P(Bin(n, q) >= j) >= 1 - alpha; None where n is too small for one to exist (q = 0.99 needs n >= 299 above).
    """
    j = np.arange(1, n + 1)
    above = j[stats.binom.cdf(j - 1, n, q) >= 1 - alpha]
    below = j[stats.binom.sf(j - 1, n, q) >= 1 - alpha]
    return (int(below[-1]) if len(below) else None), (int(above[0]) if len(above) else None)
