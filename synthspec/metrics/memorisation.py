"""memorisation: the share of synthetic records that lie nearer to training records than to equally many others."""

from __future__ import annotations

import math

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import Z95, UnmeasurableError, details
from synthspec.metrics.intervals import clopper_pearson
from synthspec.metrics.neighbours import Nearest, closest
from synthspec.metrics.request import Array
from synthspec.metrics.stream import halves, subset

ESTIMATOR = "share of records whose nearest real one was trained on; u over nearest records as clusters"
LEAST = 40
NULL_CUTS = 8


def measure(bench: Bench) -> Figure:
    """P(the nearest real record was trained on rather than held out), one half for a generator that has not memorised.

    The reference split holds out; the training records are thinned to as many, because more of them would lie nearer by
    their number alone. Ties count one half. Synthetic records that share their nearest real record stand or fall
    together, so u counts each real record once, and the bounds are never inside those of Clopper and Pearson. Exact
    copies of any training record and the median ratio of the two distances stand in the details.

    Raises:
        UnmeasurableError: fewer than 40 records on a side, or the reference is the training split.

    """
    if bench.reference == "train":
        raise UnmeasurableError("the reference split is the training split: nothing is held out")
    held, trained, synthetic = bench.space(bench.reference), bench.space("train"), bench.space("synthetic")
    n = min(len(held), len(trained))
    if min(n, len(synthetic)) < LEAST:
        raise UnmeasurableError(f"{n} real records of one side, {len(synthetic)} synthetic ones; {LEAST} are needed")
    held = held[subset(len(held), n, bench.rng("memorisation/held"))]
    thinned = trained[subset(len(trained), n, bench.rng("memorisation/train"))]
    near, far = closest(synthetic, thinned), closest(synthetic, held)
    value, u = share(near, far)
    lower, upper = clopper_pearson(round(value * len(synthetic)), len(synthetic))
    copies = float((closest(synthetic, trained).distance == 0).mean())
    return Figure(
        name="memorisation",
        label="memorisation[nearer to train than to an equal-size holdout]",
        value=value,
        u=u,
        lower=max(0.0, min(lower, value - Z95 * u)),
        upper=min(1.0, max(upper, value + Z95 * u)),
        method="clustered",
        n_real=n,
        n_syn=len(synthetic),
        split=bench.reference,
        null=_null(held, thinned, bench.rng("memorisation/null")),
        details=details(
            holdout=bench.reference,
            n_train=len(trained),
            exact_copies=copies,
            median_distance_ratio=_ratio(near.distance, far.distance),
            seed=bench.request.seed,
        ),
    )


def share(near: Nearest, far: Nearest) -> tuple[float, float]:
    """The share nearer to `near` than to `far`, and its standard error with nearest records as clusters."""
    won = np.where(near.distance == far.distance, 0.5, near.distance < far.distance)
    value = float(won.mean())
    cluster = np.where(near.distance <= far.distance, near.index, far.index + near.index.max() + 1)
    sums = np.bincount(cluster, weights=won - value)
    return value, math.sqrt(float(np.square(sums).sum())) / len(won)


def _ratio(near: Array, far: Array) -> float | None:
    """Median over records of the nearest distance to train over the one to the holdout."""
    known = far > 0
    return float(np.median(near[known] / far[known])) if known.any() else None


def _null(held: Array, trained: Array, rng: np.random.Generator) -> float:
    """The same for half of the holdout in the place of synthetic records."""
    values = []
    for a, b in halves(len(held), NULL_CUTS, rng):
        values.append(share(closest(held[a], trained[subset(len(trained), len(b), rng)]), closest(held[a], held[b]))[0])
    return float(np.mean(values))
