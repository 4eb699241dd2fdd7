"""memorisation: the share of synthetic records that lie nearer to training records than to equally many others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import Z95, UnmeasurableError, details
from synthspec.metrics.intervals import clopper_pearson
from synthspec.metrics.neighbours import Nearest, closest
from synthspec.metrics.request import Array
from synthspec.metrics.stream import halves

ESTIMATOR = "share whose nearest real record was trained on, at equal odds; u over nearest records as clusters"
LEAST = 40
NULL_CUTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share nearer to the training records, as if as many had been held out."""

    value: float
    u: float
    lower: float
    upper: float


def measure(bench: Bench) -> Figure:
    """P(the nearest real record was trained on rather than held out), one half for a generator that has not memorised.

    The reference split holds out. Where the training split is larger, its records lie nearer by their number alone: each
    side's count is divided by its records before the share is taken, so that no training record need be left out (a
    thinned split would miss copies of what was left out). Ties count one half. Synthetic records that share their
    nearest real record stand or fall together, so u counts each real record once, and the bounds are never inside those
    of Clopper and Pearson. Exact copies and the median ratio of the two distances stand in the details.

    Raises:
        UnmeasurableError: fewer than 40 records on a side, or the reference is the training split.

    """
    if bench.reference == "train":
        raise UnmeasurableError("the reference split is the training split: nothing is held out")
    held, trained, synthetic = bench.space(bench.reference), bench.space("train"), bench.space("synthetic")
    sizes = (len(trained), len(held), len(synthetic))
    if min(sizes) < LEAST:
        raise UnmeasurableError(f"{sizes[0]} training, {sizes[1]} held-out, {sizes[2]} synthetic; {LEAST} are needed")
    near, far = closest(synthetic, trained), closest(synthetic, held)
    found = share(near, far, len(trained), len(held))
    return Figure(
        name="memorisation",
        label="memorisation[nearer to train than to a holdout, at equal odds]",
        value=found.value,
        u=found.u,
        lower=found.lower,
        upper=found.upper,
        method="clustered",
        n_real=len(held),
        n_syn=len(synthetic),
        split=bench.reference,
        null=_null(held, trained, bench.rng("memorisation/null")),
        details=details(
            holdout=bench.reference,
            n_train=len(trained),
            exact_copies=float((near.distance == 0).mean()),
            median_distance_ratio=_ratio(near.distance, far.distance),
            seed=bench.request.seed,
        ),
    )


def share(near: Nearest, far: Nearest, n_near: int, n_far: int) -> Share:
    """The share nearer to `near` than to `far`, nearest records among `n_near` and `n_far` of them.

    The count of wins p becomes ``(p / n_near) / (p / n_near + (1 - p) / n_far)``; its error follows by the slope.
    """
    won = np.where(near.distance == far.distance, 0.5, near.distance < far.distance)
    wins, m = float(won.mean()), len(won)
    cluster = np.where(near.distance <= far.distance, near.index, far.index + n_near)
    spread = math.sqrt(float(np.square(np.bincount(cluster, weights=won - wins)).sum())) / m
    low, high = clopper_pearson(round(wins * m), m)

    def even(p: float) -> float:
        return (p / n_near) / (p / n_near + (1 - p) / n_far)

    slope = 1 / (n_near * n_far) / (wins / n_near + (1 - wins) / n_far) ** 2
    return Share(
        value=even(wins),
        u=slope * spread,
        lower=even(max(0.0, min(low, wins - Z95 * spread))),
        upper=even(min(1.0, max(high, wins + Z95 * spread))),
    )


def _ratio(near: Array, far: Array) -> float | None:
    """Median over records of the nearest distance to train over the one to the holdout."""
    known = far > 0
    return float(np.median(near[known] / far[known])) if known.any() else None


def _null(held: Array, trained: Array, rng: np.random.Generator) -> float:
    """The same for half of the holdout in the place of synthetic records."""
    values = [
        share(closest(held[a], trained), closest(held[a], held[b]), len(trained), len(b)).value
        for a, b in halves(len(held), NULL_CUTS, rng)
    ]
    return float(np.mean(values))
