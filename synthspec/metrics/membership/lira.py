"""LiRA (Carlini et al. 2022): what an engine says of a record beside what engines say that learned it, and that did not.

Shadow engines come in pairs, each of which learned what the other one did not, by one fair coin a record. The two engines of a
pair are judged by all the others: of those every record was in one half, so that nothing but the score speaks for it, and
scores that know nothing of membership have an AUC of one half, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.ir.figures import SHADOWS_LEAST
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.intervals import clopper_pearson
from synthspec.metrics.membership.scoring import STRICT, STRICTEST
from synthspec.metrics.neighbours import nearest
from synthspec.metrics.request import Array

Flags = NDArray[np.bool_]
OWN_SPREAD = 64
"""From so many others on each side has a spread of its own (Carlini et al., section VI.B)."""
GUESSED = 0.25
"""The share of the records that is guessed about in each engine: fixed, since one chosen by its success proves nothing."""
RESAMPLES = 1000
CONFIDENCE = 0.95
_DEVIATION, _BOUND = 1.4826, 3.0
"""Standard deviations in a median deviation, of a normal law; and how many of them a score can be away at most."""
_PRIOR = 2.0
"""Degrees of freedom that the spread of all records lends to that of one (Smyth 2004)."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Shadows:
    """Scores of k records by s engines, higher where an engine takes a record to be likelier, and who learned whom.

    Raises ValueError for scores that do not come in pairs of complements.
    """

    scores: Array
    """[s, k]"""
    present: Flags
    """[s, k]; engine 2j + 1 learned the records that engine 2j did not."""

    def __post_init__(self) -> None:
        pairs = self.present.ndim == 2 and len(self.present) % 2 == 0 and len(self.present) >= SHADOWS_LEAST
        if not pairs or not np.array_equal(self.present[::2], ~self.present[1::2]):
            raise ValueError(f"{len(self.present)} engines are no pairs of complements")
        if self.scores.shape != self.present.shape:
            raise ValueError(f"{self.scores.shape} scores for {self.present.shape} engines and records")

    @property
    def pairs(self) -> int:
        return len(self.scores) // 2

    def of(self, records: slice) -> Shadows:
        """The same engines on some of the records."""
        return Shadows(self.scores[:, records], self.present[:, records])


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """A rate or an area with the limits of its two-sided 95 % interval; `floor` is a one-sided limit at another level."""

    value: float
    lower: float
    upper: float
    floor: float
    n: int
    """Decisions: of each record in each engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the attack achieves."""

    auc: Bounded
    advantage: Bounded
    """TPR - FPR where the likelihood ratio calls a record a member: a threshold that no record had a part in."""
    tpr_at_1pct: Bounded
    tpr_at_01pct: Bounded | None
    """None below 1000 decisions on records that were not learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """How many coins were guessed right, of how many coins there were."""

    correct: int
    guesses: int
    coins: int


def sampled_scores(records: Array, synthetic: Array) -> Array:
    """Of an engine that has no score: minus the log distance of `records` (k, D) to the nearest `synthetic` one, (k,).

    Up to a factor and a constant it is the log of the nearest-neighbour density of what the engine makes.
    """
    return np.asarray(-np.log(nearest(records, synthetic) + _TINY))


def ratios(shadows: Shadows) -> Array:
    """The log likelihood ratio of "learned" to "not learned" of each score (s, k), by the engines of all other pairs.

    Raises UnmeasurableError where a score is no finite number.
    """
    _check(shadows)
    found = np.empty_like(shadows.scores)
    for pair in range(shadows.pairs):
        two = slice(2 * pair, 2 * pair + 2)
        others = np.ones(len(shadows.scores), dtype=bool)
        others[two] = False
        found[two] = _ratio(shadows.scores[two], shadows.scores[others], shadows.present[others])
    return found


def guessed(shadows: Shadows) -> Guesses:
    """Guess the coins of the first engine of each pair from the pairs before it: the most and the least likely members.

    Those pairs are independent of its coins, and each coin moves what is looked at by one record; so the number of right
    guesses is bounded as by Steinke, Nasr and Jagielski 2023, theorem 5.2, whatever the engines have in common.
    """
    _check(shadows)
    half = max(1, round(shadows.scores.shape[1] * GUESSED / 2))
    correct, judged = 0, range(SHADOWS_LEAST // 2 - 1, shadows.pairs)
    for pair in judged:
        at = 2 * pair
        ratio = _ratio(shadows.scores[at : at + 1], shadows.scores[:at], shadows.present[:at])[0]
        order = np.argsort(ratio, kind="stable")
        present = shadows.present[at]
        correct += int(present[order[-half:]].sum()) + int((~present[order[:half]]).sum())
    return Guesses(correct=correct, guesses=2 * half * len(judged), coins=shadows.scores.shape[1] * len(judged))


def _check(shadows: Shadows) -> None:
    wrong = int((~np.isfinite(shadows.scores)).sum())
    if wrong:
        raise UnmeasurableError(f"{wrong} of {shadows.scores.size} scores of shadow engines are no finite numbers")


def _ratio(scores: Array, others: Array, present: Flags) -> Array:
    """Of `scores` (m, k) by those of other engines (r, k), of which half learned each record."""
    scores, others = _squashed(scores, others)
    inside, outside = (np.where(side, others, np.nan) for side in (present, ~present))
    means = np.nanmean(inside, axis=0), np.nanmean(outside, axis=0)
    squares = [np.nansum(np.square(side - mean), axis=0) for side, mean in zip((inside, outside), means, strict=True)]
    freedom = len(others) / 2 - 1
    if len(others) < OWN_SPREAD:
        spreads = [_moderated((squares[0] + squares[1]) / (2 * freedom), 2 * freedom)] * 2
    else:
        spreads = [_moderated(square / freedom, freedom) for square in squares]
    logs = [-np.square(scores - mean) / (2 * var) - np.log(var) / 2 for mean, var in zip(means, spreads, strict=True)]
    return np.asarray(logs[0] - logs[1])


def _squashed(scores: Array, others: Array) -> tuple[Array, Array]:
    """Both as they are near the middle of the `others` of each record, and drawn to a bound far from it.

    Log-likelihoods of isolated records have long tails, and a Gaussian takes one wild engine for the spread of all; so they
    are scaled, as Carlini et al. scale confidences, by something that no score but those of the others has a part in.
    """
    middle = np.median(others, axis=0)
    unit = _DEVIATION * np.median(np.abs(others - middle), axis=0)
    unit = _BOUND * np.maximum(unit, _TINY * np.maximum(1.0, np.abs(middle)))
    return np.tanh((scores - middle) / unit), np.tanh((others - middle) / unit)


def _moderated(variances: Array, freedom: float) -> Array:
    """`variances` of single records, drawn a little towards the middle one, and none of them zero."""
    middle = float(np.median(variances))
    drawn = (freedom * variances + _PRIOR * middle) / (freedom + _PRIOR)
    return np.asarray(np.maximum(drawn, _TINY * max(float(drawn.max(initial=0.0)), _TINY)))


def told(ratio: Array, present: Flags, rng: np.random.Generator, alpha: float) -> Told:
    """What the ratios (s, k) tell of `present`, with limits that engines and records both have a part in.

    Decisions on one record, and those of one pair of engines, are not independent. So pairs and records are both drawn
    again, each independently of the other, and a decision counts as often as both were drawn (Owen 2007), which is wide
    rather than narrow. Where all decisions agree there is no spread to see: then the limit of a proportion that never
    failed stands, of as many trials as there are records. `alpha` is the level of the floors.
    """
    curve = _Curve.of(ratio, present)
    pairs, records = len(ratio) // 2, ratio.shape[1]
    value = curve.at(np.ones(ratio.shape))
    draws = np.empty((RESAMPLES, len(value)))
    for draw in draws:
        engines = np.repeat(rng.multinomial(pairs, np.full(pairs, 1 / pairs)), 2)
        draw[:] = curve.at(np.outer(engines, rng.multinomial(records, np.full(records, 1 / records))))
    least, most = (clopper_pearson(hits, records, (1 - CONFIDENCE) / 2)[side] for hits, side in ((records, 0), (0, 1)))
    bounds = [
        _bounded(value[i], draws[:, i], 2.0 if i == 1 else 1.0, (least, most), ratio.size, alpha)
        for i in range(len(value))
    ]
    enough = ratio.size // 2 >= 1 / STRICTEST
    return Told(auc=bounds[0], advantage=bounds[1], tpr_at_1pct=bounds[2], tpr_at_01pct=bounds[3] if enough else None)


def _bounded(value: float, draws: Array, span: float, sure: tuple[float, float], n: int, alpha: float) -> Bounded:
    """`span` is how far the figure reaches down from 1: 2 for a difference of two rates."""
    known = draws[np.isfinite(draws)]
    lower, upper, floor = (
        float(np.quantile(known, level)) if len(known) else value
        for level in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2, alpha)
    )
    if value >= 1.0:
        lower, floor = (min(each, 1 - span * (1 - sure[0])) for each in (lower, floor))
    if value <= 1.0 - span:
        upper = max(upper, 1 - span + span * sure[1])
    return Bounded(value=value, lower=min(lower, value), upper=max(upper, value), floor=min(floor, value), n=n)


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """Decisions in the order of their ratios, the likeliest first, so that weights alone change between resamples."""

    order: NDArray[np.intp]
    present: Flags
    ends: NDArray[np.intp]
    """The last place of each group of equal ratios."""
    called: int
    """How many ratios speak for a member."""

    @classmethod
    def of(cls, ratio: Array, present: Flags) -> _Curve:
        flat = ratio.ravel()
        order = np.argsort(-flat, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(flat[order])), len(flat) - 1)
        return cls(order, present.ravel()[order], ends, int((flat > 0).sum()))

    def at(self, weights: NDArray[np.number]) -> NDArray[np.float64]:
        """AUC, advantage, and hits at 1 % and 0.1 % false alarms, each decision counted by its weight (s, k)."""
        each = weights.ravel()[self.order].astype(np.float64)
        hits, alarms = np.cumsum(each * self.present), np.cumsum(each * ~self.present)
        if not hits[-1] or not alarms[-1]:
            return np.full(4, np.nan)
        tpr, fpr = (np.append(0.0, count / count[-1]) for count in (hits, alarms))
        places = np.append(0, self.ends + 1)
        x, y = fpr[places], tpr[places]
        area = float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
        strict = [float(y[np.searchsorted(x, rate, side="right") - 1]) for rate in (STRICT, STRICTEST)]
        return np.array([area, float(tpr[self.called] - fpr[self.called]), *strict])
