"""Recall: the share of real records inside the synthetic manifold (PR_recall; Kynkaanniemi et al. 2019, k = 3)."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.manifold import FEW, share
from synthspec.metrics.neighbours import hits, radii
from synthspec.metrics.request import Array

ESTIMATOR = "share of real records inside the union of k-neighbour balls of synthetic ones"


def measure(bench: Bench) -> Figure:
    """Recall of the reference split by the synthetic records; a generator that repeats a few records has none."""
    return share(bench, "recall", FEW, "real", lambda found: found.recalled.astype(float))


def inside(real: Array, synthetic: Array, k: int = FEW) -> Array:
    """1.0 for each real record within the `k`-th neighbour distance of some synthetic one: shape (n,)."""
    return (hits(real, synthetic, radii(synthetic, k)[0]) > 0).astype(float)
