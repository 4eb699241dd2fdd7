"""Squared maximum mean discrepancy: unbiased U-statistic, its kernels, and a standard error from disjoint blocks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist, pdist

from synthspec.metrics.request import Array
from synthspec.metrics.stream import blocks, subset

Kernel = Callable[[Array, Array], Array]

_ROWS = 2048


def cubic(x: Array, y: Array) -> Array:
    """``K(u, v) = (u^T v / d + 1)^3`` (S412-2)."""
    return np.asarray((x @ y.T / x.shape[1] + 1.0) ** 3)


def gaussian(bandwidth: float) -> Kernel:
    """``exp(-|u - v|^2 / (2 h^2))``."""

    def kernel(x: Array, y: Array) -> Array:
        return np.asarray(np.exp(-cdist(x, y, "sqeuclidean") / (2 * bandwidth**2)))

    return kernel


def median_bandwidth(real: Array, rng: np.random.Generator, most: int = 1000) -> float:
    """The median distance between `real` records (at most `most` of them): set once, on real data only, then frozen."""
    distances = pdist(real[subset(len(real), most, rng)])
    positive = distances[distances > 0]
    return float(np.median(positive)) if len(positive) else 1.0


def mmd2(kernel: Kernel, x: Array, y: Array) -> float:
    """The U-statistic of S412-2 and S412-3 for samples (n, d) and (m, d); unbiased, so it may be negative."""
    return _within(kernel, x) + _within(kernel, y) - 2 * _sum(kernel, x, y) / (len(x) * len(y))


def block_error(kernel: Kernel, x: Array, y: Array, count: int, rng: np.random.Generator) -> float:
    """A standard error of `mmd2`: sd of the U-statistics of `count` disjoint blocks over sqrt(count).

    Disjoint blocks are independent, overlapping subsets are not (their spread is no standard error). The blocks leave
    the cross terms between them out, so this errs on the wide side.
    """
    pairs = zip(blocks(len(x), count, rng), blocks(len(y), count, rng), strict=True)
    values = [mmd2(kernel, x[a], y[b]) for a, b in pairs]
    return float(np.std(values, ddof=1)) / math.sqrt(count)


def _within(kernel: Kernel, x: Array) -> float:
    n = len(x)
    diagonal = sum(float(kernel(x[i : i + 1], x[i : i + 1])[0, 0]) for i in range(n))
    return (_sum(kernel, x, x) - diagonal) / (n * (n - 1))


def _sum(kernel: Kernel, x: Array, y: Array) -> float:
    return math.fsum(float(kernel(x[i : i + _ROWS], y).sum()) for i in range(0, len(x), _ROWS))
