"""What precision, recall, density and coverage share: two samples, their balls, and a share with its binomial bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError, details
from synthspec.metrics.intervals import clopper_pearson
from synthspec.metrics.neighbours import Overlap, overlap
from synthspec.metrics.request import Array
from synthspec.metrics.stream import halves

FEW = 3
"""k of precision and recall (Kynkaanniemi et al. 2019)."""
MANY = 5
"""k of density and coverage (Naeem et al. 2020)."""
NULL_CUTS = 8
_PER_NEIGHBOUR = 10

Read = Callable[[Overlap], Array]
"""What each trial says, as 0.0 and 1.0 or a depth: shape (trials,)."""


def overlaps(bench: Bench, k: int) -> Overlap:
    """How the balls of the reference and the synthetic features hold one another, computed once for all four figures.

    Raises:
        UnmeasurableError: fewer than ten records a neighbour of `k` on either side.

    """
    x, y = bench.embedded(bench.reference), bench.embedded("synthetic")
    if min(len(x), len(y)) < _PER_NEIGHBOUR * k:
        raise UnmeasurableError(f"{len(x)} real and {len(y)} synthetic records; {_PER_NEIGHBOUR * k} are needed")
    return bench.once("manifold/overlap", lambda: overlap(x, y, FEW, MANY))


def null_of(bench: Bench, read: Read) -> float:
    """The mean of `read` between halves of the reference split, averaged over random cuts."""
    x = bench.embedded(bench.reference)

    def cuts() -> list[Overlap]:
        found = halves(len(x), NULL_CUTS, bench.rng("manifold/null"))
        return [overlap(x[a], x[b], FEW, MANY) for a, b in found]

    return float(np.mean([read(cut).mean() for cut in bench.once("manifold/null", cuts)]))


def share(bench: Bench, name: str, k: int, trials: str, read: Read) -> Figure:
    """The figure of a share of records: `read` says of each trial whether it lies inside.

    The bounds are those of Clopper and Pearson over the trials, given the balls of the other side.
    """
    member = read(overlaps(bench, k))
    count, n = int(member.sum()), len(member)
    value = count / n
    lower, upper = clopper_pearson(count, n)
    return Figure(
        name=name,
        label=f"{name}[k={k}, {bench.extractor.name}]",
        value=value,
        u=math.sqrt(value * (1 - value) / n),
        lower=lower,
        upper=upper,
        method="binomial",
        n_real=len(bench.sample(bench.reference)),
        n_syn=len(bench.sample("synthetic")),
        split=bench.reference,
        null=null_of(bench, read),
        details=details(
            extractor=bench.extractor.name,
            extractor_sha256=bench.extractor.sha256,
            k=k,
            trials=trials,
            seed=bench.request.seed,
        ),
    )
