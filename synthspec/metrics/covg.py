"""Coverage: the share of real balls that hold a synthetic record (Naeem et al. 2020, k = 5)."""

from __future__ import annotations

import dataclasses

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.manifold import MANY, share
from synthspec.metrics.neighbours import nearest, radii
from synthspec.metrics.request import Array

ESTIMATOR = "share of k-neighbour balls of real records that hold a synthetic one"
K = MANY


def measure(bench: Bench) -> Figure:
    """Covg of the reference split. It cannot pass `ceiling`, which stands in the details."""
    figure = share(bench, "covg", K, "real", lambda found: found.covered.astype(float))
    top = ceiling(figure.n_real or 0, figure.n_syn or 0, K)
    return dataclasses.replace(figure, details=(*figure.details, ("ceiling", top), ("method", "knn-naeem2020")))


def inside(real: Array, synthetic: Array, k: int = K) -> Array:
    """1.0 for each real record whose `k`-th neighbour ball holds a synthetic one: shape (n,)."""
    return (nearest(real, synthetic) <= radii(real, k)[0]).astype(float)


def ceiling(n_real: int, n_syn: int, k: int = K) -> float:
    """Expected coverage of a perfect generator: ``1 - prod_{i=1..k} (N - i) / (M + N - i)``; 0.9692 at N = M = 500."""
    missed = 1.0
    for i in range(1, k + 1):
        missed *= (n_real - i) / (n_syn + n_real - i)
    return 1.0 - missed
