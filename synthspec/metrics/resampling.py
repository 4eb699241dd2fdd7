"""The figure of a statistic of two samples whose error is a bootstrap over records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import Z95, UnmeasurableError
from synthspec.metrics.request import Array
from synthspec.metrics.stream import halves

LEAST = 30
"""Records of each side below which a resample says little about the sample."""
NULL_CUTS = 8
_WORK = 20_000_000

Statistic = Callable[[Array, Array], float]


def resampled(bench: Bench, bare: Figure, x: Array, y: Array, statistic: Statistic) -> Figure:
    """`bare` with u, bounds, sizes, split and null of ``statistic(real, synthetic)``; `x` and `y` are (n, ...), (m, ...).

    u is the spread over resamples of both sides, 20 to 100 of them by their cost; the bounds are one-sided at 95 %.
    The null is the statistic between halves of the real split, averaged over eight cuts.

    Raises:
        UnmeasurableError: fewer than 30 records on either side.

    """
    if min(len(x), len(y)) < LEAST:
        raise UnmeasurableError(f"{len(x)} real and {len(y)} synthetic records; {LEAST} of each are needed")
    value = statistic(x, y)
    rng = bench.rng(f"{bare.name}/bootstrap")
    replicates = int(np.clip(_WORK // max(x.size + y.size, 1), 20, 100))
    draws = [
        statistic(x[rng.integers(len(x), size=len(x))], y[rng.integers(len(y), size=len(y))]) for _ in range(replicates)
    ]
    u = float(np.std(draws, ddof=1))
    cuts = halves(len(x), NULL_CUTS, bench.rng(f"{bare.name}/null"))
    return dataclasses.replace(
        bare,
        value=value,
        u=u,
        lower=value - Z95 * u,
        upper=value + Z95 * u,
        method="bootstrap",
        n_real=len(x),
        n_syn=len(y),
        split=bench.reference,
        null=float(np.mean([statistic(x[a], x[b]) for a, b in cuts])),
        details=(*bare.details, ("replicates", replicates), ("seed", bench.request.seed)),
    )
