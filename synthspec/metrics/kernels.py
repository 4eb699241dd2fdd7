"""Squared maximum mean discrepancy: unbiased U-statistic, its kernels, and a standard error from disjoint blocks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist, pdist

from synthspec.metrics.request import Array
from synthspec.metrics.stream import blocks, subset

Kernel = Callable[[Array, Array], Array]

_ROWS = 256


def cubic(x: Array, y: Array) -> Array:
    """``K(u, v) = (u^T v / d + 1)^3`` (S412-2)."""
    base = x @ y.T
    base /= x.shape[1]
    base += 1.0
    cube = base * base  # a power of three by products: twenty times faster than by logarithms
    cube *= base
    return np.asarray(cube)


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
    return _within(kernel, x) + _within(kernel, y) - 2 * _between(kernel, x, y)


def block_error(kernel: Kernel, x: Array, y: Array, count: int, rng: np.random.Generator) -> float:
    """A standard error of `mmd2`: sd of the U-statistics of `count` disjoint blocks over sqrt(count).

    Disjoint blocks are independent, overlapping subsets are not (their spread is no standard error). It is the error of
    the mean over blocks, which leaves out the terms between them: about right where the laws differ, up to sqrt(count)
    too wide where they are equal and the U-statistic degenerates.
    """
    pairs = zip(blocks(len(x), count, rng), blocks(len(y), count, rng), strict=True)
    values = [mmd2(kernel, x[a], y[b]) for a, b in pairs]
    return float(np.std(values, ddof=1)) / math.sqrt(count)


def _within(kernel: Kernel, x: Array) -> float:
    """The mean of the kernel over pairs of different records."""
    parts = []
    for start in range(0, len(x), _ROWS):
        # A kernel is symmetric: what lies right of the square on the diagonal counts twice.
        block = kernel(x[start : start + _ROWS], x[start:])
        square = block[:, : len(block)]
        parts.append(float(2 * block.sum() - square.sum() - np.trace(square)))
    return math.fsum(parts) / (len(x) * (len(x) - 1))


def _between(kernel: Kernel, x: Array, y: Array) -> float:
    """The mean of the kernel over all pairs."""
    parts = (float(kernel(x[start : start + _ROWS], y).sum()) for start in range(0, len(x), _ROWS))
    return math.fsum(parts) / (len(x) * len(y))
