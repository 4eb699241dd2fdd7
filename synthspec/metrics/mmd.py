"""MMD: the unbiased squared discrepancy under a Gaussian kernel whose bandwidth is frozen on real data (S412-3)."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.discrepancy import discrepancy
from synthspec.metrics.kernels import gaussian, median_bandwidth

ESTIMATOR = "U-statistic, unbiased, may be negative; u from eight disjoint blocks"


def measure(bench: Bench) -> Figure:
    """MMD^2 of the synthetic records against the reference split in feature space.

    The bandwidth is the median distance of the training records (of the reference where there are none), so that no
    two generators are compared under different kernels.
    """
    frozen_on = bench.frozen_on
    bandwidth = median_bandwidth(bench.embedded(frozen_on), bench.rng("MMD/bandwidth"))
    return discrepancy(
        bench,
        "MMD",
        f"MMD2[rbf, {bench.extractor.name}]",
        gaussian(bandwidth),
        kernel="exp(-|u-v|^2 / (2 h^2))",
        bandwidth=bandwidth,
        bandwidth_from=frozen_on,
    )
