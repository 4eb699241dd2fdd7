"""sliced_W2: the squared 2-Wasserstein distance of one-dimensional projections, averaged over directions."""

from __future__ import annotations

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import details
from synthspec.metrics.request import Array
from synthspec.metrics.resampling import resampled

ESTIMATOR = "mean over slices of the plug-in W2^2, coupled by quantiles; biased up by what `null` shows"
SLICES = 128


def measure(bench: Bench) -> Figure:
    """Sliced W2^2 of the synthetic records against the reference split in feature space (Bonneel et al. 2015).

    The 128 directions come from the seed, so that two generators are projected alike; a shift of length d in D
    dimensions counts d^2 / D.
    """
    x, y = bench.embedded(bench.reference), bench.embedded("synthetic")
    axes = directions(x.shape[1], SLICES, bench.rng("sliced_W2/directions"))
    bare = Figure(
        name="sliced_W2",
        label=f"SW2^2[{SLICES} slices, {bench.extractor.name}]",
        value=None,
        details=details(
            extractor=bench.extractor.name, extractor_sha256=bench.extractor.sha256, slices=SLICES, dim=x.shape[1]
        ),
    )
    return resampled(bench, bare, x @ axes, y @ axes, lambda a, b: float(w2_squared(a, b).mean()))


def directions(dim: int, count: int, rng: np.random.Generator) -> Array:
    """`count` directions, uniform on the sphere: shape (dim, count)."""
    axes = rng.standard_normal((dim, count))
    return np.asarray(axes / np.linalg.norm(axes, axis=0))


def w2_squared(x: Array, y: Array) -> Array:
    """``int_0^1 (F^-1 - G^-1)^2`` of each column of (n, D) and (m, D): shape (D,). Exact for any n and m."""
    a, b = np.sort(x, axis=0), np.sort(y, axis=0)
    if len(a) == len(b):
        return np.asarray(np.square(a - b).mean(axis=0))
    # Both quantile functions are constant between the levels i/n and j/m; levels in whole numbers of 1/(n m).
    n, m = len(a), len(b)
    levels = np.unique(np.concatenate([np.arange(1, n + 1) * m, np.arange(1, m + 1) * n]))
    steps = np.diff(levels, prepend=0) / (n * m)
    gap = a[(levels - 1) // m] - b[(levels - 1) // n]
    return np.asarray(steps @ np.square(gap))
