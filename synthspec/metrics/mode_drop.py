"""mode_drop: the share of the modes of the data law that the synthetic records do not show (C40-515)."""

from __future__ import annotations

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.classifier import Classes
from synthspec.metrics.figures import UnmeasurableError, details
from synthspec.metrics.intervals import clopper_pearson
from synthspec.metrics.modes import Modes, modes
from synthspec.metrics.request import Array
from synthspec.metrics.stream import halves

ESTIMATOR = "modes whose binomial lower bound passes a floor; the value is its own upper bound"

FLOOR = 0.1
"""A mode is present when its share is surely above this fraction of its real share (stray misreadings are not)."""
LEAST = 5.0
"""Expected records of the rarest mode below which nothing can be said: (1 - p)^n misses it too often."""
REPLICATES = 200
_NULL_CUTS = 8


def measure(bench: Bench) -> Figure:
    """``1 - #{modes whose binomial lower bound > floor} / K`` over the modes present in the reference split.

    The bounds are Clopper-Pearson at 95 % jointly over the modes (Bonferroni), so `value` is already the upper
    confidence bound of the dropped share, and `upper` equals it; `lower` counts the modes that are surely absent. u is
    the spread over multinomial resamples of what was shown.

    Raises:
        UnmeasurableError: fewer than five expected records of the rarest mode, or fewer than five real records a mode.

    """
    found = modes(bench)
    known = np.flatnonzero(found.shares > 0)
    shares = found.shares[known]
    n = len(found.synthetic)
    if n * shares.min() < LEAST:
        raise UnmeasurableError(f"{n} records expect {n * shares.min():.1f} of the rarest mode; {LEAST:g} are needed")
    if len(found.real) < LEAST * len(known):
        raise UnmeasurableError(f"{len(found.real)} real records for {len(known)} modes; {LEAST:g} a mode are needed")
    counts = np.bincount(found.synthetic, minlength=len(found.shares))[known]
    value, lower = dropped(counts, n, shares)
    return Figure(
        name="mode_drop",
        label=f"mode_drop[{found.kind}]",
        value=value,
        u=_spread(counts, n, shares, bench.rng("mode_drop/resample")),
        lower=lower,
        upper=value,
        method="binomial",
        n_real=len(found.real),
        n_syn=n,
        split=bench.reference,
        null=_null(found, known, bench.rng("mode_drop/null")),
        details=details(
            modes=found.kind,
            K=len(known),
            p_min=float(shares.min()),
            floor=FLOOR,
            fewest=int(counts.min()),
            reverse_kl=reverse_kl(counts, shares),
            reader_agreement=found.agreement,
            seed=bench.request.seed,
        ),
    )


def dropped(counts: Classes, n: int, shares: Array) -> tuple[float, float]:
    """The share of modes not shown to be present, and the share surely absent, from `counts` of `n` records.

    Shares are those of the real law, shape (K,).
    """
    alpha = 0.05 / len(shares)
    bounds = [clopper_pearson(int(count), n, alpha) for count in counts]
    present = sum(bool(low > FLOOR * p) for (low, _), p in zip(bounds, shares, strict=True))
    absent = sum(bool(high <= FLOOR * p) for (_, high), p in zip(bounds, shares, strict=True))
    return 1 - present / len(shares), absent / len(shares)


def reverse_kl(counts: Classes, shares: Array) -> float:
    """KL(synthetic || real) of the mode histograms in nats, over the modes of the real law."""
    if not counts.sum():
        return float("inf")
    q, p = counts / counts.sum(), shares / shares.sum()
    return float(sum(a * np.log(a / b) for a, b in zip(q, p, strict=True) if a > 0))


def _spread(counts: Classes, n: int, shares: Array, rng: np.random.Generator) -> float:
    rest = max(0.0, 1.0 - counts.sum() / n)
    draws = rng.multinomial(n, [*(counts / n), rest], size=REPLICATES)[:, :-1]
    return float(np.std([dropped(draw, n, shares)[0] for draw in draws], ddof=1))


def _null(found: Modes, known: Classes, rng: np.random.Generator) -> float:
    """The same between halves of the real split: one gives the shares, the other stands in for synthetic records."""
    values = []
    for a, b in halves(len(found.real), _NULL_CUTS, rng):
        counts = np.bincount(found.real[b], minlength=len(found.shares))[known]
        shares = np.bincount(found.real[a], minlength=len(found.shares))[known] / len(a)
        values.append(dropped(counts, len(b), shares)[0])
    return float(np.mean(values))
