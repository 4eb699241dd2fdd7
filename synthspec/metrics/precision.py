"""Precision: the share of synthetic records inside the real manifold (Kynkaanniemi et al. 2019, k = 3)."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.manifold import FEW, share
from synthspec.metrics.neighbours import hits, radii
from synthspec.metrics.request import Array

ESTIMATOR = "share of synthetic records inside the union of k-neighbour balls of real ones"


def measure(bench: Bench) -> Figure:
    """Precision of the synthetic records; its null is not 1. One real outlier can lift it: read density beside it."""
    return share(bench, "precision", FEW, "synthetic", lambda found: found.precise.astype(float))


def inside(real: Array, synthetic: Array, k: int = FEW) -> Array:
    """1.0 for each synthetic record within the `k`-th neighbour distance of some real one: shape (m,)."""
    return (hits(synthetic, real, radii(real, k)[0]) > 0).astype(float)
