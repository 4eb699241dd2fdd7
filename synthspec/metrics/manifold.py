"""What precision, recall, density and coverage share: two samples, k, and a share with its binomial bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError, details
from synthspec.metrics.intervals import clopper_pearson
from synthspec.metrics.request import Array
from synthspec.metrics.stream import halves

NULL_CUTS = 8
_PER_NEIGHBOUR = 10


def samples(bench: Bench, k: int) -> tuple[Array, Array]:
    """Real and synthetic features (n, d), (m, d).

    Raises:
        UnmeasurableError: fewer than ten records a neighbour on either side.

    """
    x, y = bench.embedded(bench.reference), bench.embedded("synthetic")
    if min(len(x), len(y)) < _PER_NEIGHBOUR * k:
        raise UnmeasurableError(f"{len(x)} real and {len(y)} synthetic records; {_PER_NEIGHBOUR * k} are needed")
    return x, y


def null_of(x: Array, value: Callable[[Array, Array], float], rng: np.random.Generator) -> float:
    """`value` between halves of the real split, averaged over random cuts."""
    return float(np.mean([value(x[a], x[b]) for a, b in halves(len(x), NULL_CUTS, rng)]))


def share(bench: Bench, name: str, k: int, trials: str, inside: Callable[[Array, Array], Array]) -> Figure:
    """The figure of a share of records: `inside(real, synthetic)` says of each trial whether it lies inside.

    The bounds are those of Clopper and Pearson over the trials, given the balls of the other side.
    """
    x, y = samples(bench, k)
    member = inside(x, y)
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
        n_real=len(x),
        n_syn=len(y),
        split=bench.reference,
        null=null_of(x, lambda a, b: float(inside(a, b).mean()), bench.rng(f"{name}/null")),
        details=details(
            extractor=bench.extractor.name,
            extractor_sha256=bench.extractor.sha256,
            k=k,
            trials=trials,
            seed=bench.request.seed,
        ),
    )
