"""Density: how deep synthetic records lie in the real balls, 1 for equal laws (Naeem et al. 2020, k = 5)."""

from __future__ import annotations

import math

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import Z95, details
from synthspec.metrics.manifold import MANY, null_of, overlaps
from synthspec.metrics.neighbours import hits, radii
from synthspec.metrics.request import Array

ESTIMATOR = "mean number of k-neighbour balls of real records around a synthetic one, over k"
K = MANY


def measure(bench: Bench) -> Figure:
    """Density of the synthetic records; unlike precision, one real outlier does not lift it."""
    depth = overlaps(bench, K).depth / K
    value = float(depth.mean())
    u = float(depth.std(ddof=1)) / math.sqrt(len(depth))
    return Figure(
        name="density",
        label=f"density[k={K}, {bench.extractor.name}]",
        value=value,
        u=u,
        lower=value - Z95 * u,
        upper=value + Z95 * u,
        method="analytic",
        n_real=len(bench.sample(bench.reference)),
        n_syn=len(depth),
        split=bench.reference,
        null=null_of(bench, lambda found: found.depth / K),
        details=details(
            extractor=bench.extractor.name,
            extractor_sha256=bench.extractor.sha256,
            k=K,
            seed=bench.request.seed,
        ),
    )


def depths(real: Array, synthetic: Array, k: int = K) -> Array:
    """Number of real `k`-neighbour balls around each synthetic record over k: shape (m,)."""
    return hits(synthetic, real, radii(real, k)[0]) / k
