"""The figure of a squared kernel discrepancy: what KID and MMD share."""

from __future__ import annotations

import numpy as np
from scipy import stats

from synthspec.ir.evidence import Figure, Scalar
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError, details
from synthspec.metrics.kernels import Kernel, block_error, mmd2
from synthspec.metrics.stream import halves

BLOCKS = 8
_PER_BLOCK = 8
_NULL_CUTS = 8


def discrepancy(bench: Bench, name: str, label: str, kernel: Kernel, /, **declared: Scalar) -> Figure:
    """The U-statistic under `kernel` between the reference split and the synthetic records, in feature space.

    The value is unbiased and never clipped at zero. u is the standard error from eight disjoint blocks; the bounds use
    Student's t with seven degrees of freedom.

    Raises:
        UnmeasurableError: fewer than eight records a block on either side.

    """
    x, y = bench.embedded(bench.reference), bench.embedded("synthetic")
    if min(len(x), len(y)) < BLOCKS * _PER_BLOCK:
        raise UnmeasurableError(f"{len(x)} real and {len(y)} synthetic records; {BLOCKS * _PER_BLOCK} are needed")
    value = mmd2(kernel, x, y)
    u = block_error(kernel, x, y, BLOCKS, bench.rng(f"{name}/blocks"))
    t = float(stats.t.ppf(0.95, BLOCKS - 1))
    cuts = halves(len(x), _NULL_CUTS, bench.rng(f"{name}/null"))
    return Figure(
        name=name,
        label=label,
        value=value,
        u=u,
        lower=value - t * u,
        upper=value + t * u,
        method="disjoint-blocks",
        n_real=len(x),
        n_syn=len(y),
        split=bench.reference,
        null=float(np.mean([mmd2(kernel, x[a], x[b]) for a, b in cuts])),
        details=details(
            extractor=bench.extractor.name,
            extractor_sha256=bench.extractor.sha256,
            **declared,
            dim=x.shape[1],
            blocks=BLOCKS,
            seed=bench.request.seed,
        ),
    )
