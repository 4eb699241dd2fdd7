"""KID: the unbiased cubic-kernel distance of features (S412-2; Binkowski et al. 2018)."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.discrepancy import discrepancy
from synthspec.metrics.kernels import cubic

ESTIMATOR = "U-statistic, unbiased, may be negative; u from eight disjoint blocks"


def measure(bench: Bench) -> Figure:
    """KID of the synthetic records against the reference split; it may be negative. C40-511 adds its u."""
    return discrepancy(bench, "KID", f"KID[{bench.extractor.name}]", cubic, kernel="(u.v/d + 1)^3")
