"""What the scores of one attack achieve: advantage, area under the curve, hits at few false alarms, each with bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthspec.metrics.intervals import clopper_pearson, difference
from synthspec.metrics.request import Array

STRICT, STRICTEST = 0.01, 0.001
"""False alarm rates at which hits are counted: an attack that is sure of a few records is a breach for those few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Hits and false alarms at one threshold that other candidates set, each with its two one-sided bounds."""

    tpr: float
    tpr_lower: float
    tpr_upper: float
    fpr: float
    fpr_upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """What one attack achieved on the half of the candidates that did not set its threshold."""

    name: str
    advantage: float
    u: float
    lower: float
    upper: float
    auc: float
    auc_lower: float
    auc_upper: float
    best: Point
    """At the threshold of the largest advantage."""
    at_1pct: Point
    at_01pct: Point | None
    """None where the other half has too few non-members to set such a threshold."""

    @property
    def tpr_at_1pct(self) -> float:
        return self.at_1pct.tpr

    @property
    def tpr_at_1pct_upper(self) -> float:
        return self.at_1pct.tpr_upper


def score(
    name: str, scores: Array, is_member: NDArray[np.bool_], choosing: NDArray[np.bool_], alpha: float
) -> Attacked:
    """Judge the `scores` of one attack, all of shape (n,): thresholds from `choosing`, rates from the others.

    Every bound is one-sided at level 1 - `alpha`.
    """
    m, o = scores[is_member & ~choosing], scores[~is_member & ~choosing]
    m0, o0 = scores[is_member & choosing], scores[~is_member & choosing]
    at = threshold(m0, o0)
    hit, false = int((m >= at).sum()), int((o >= at).sum())
    lower, upper = difference((hit, len(m)), (false, len(o)), alpha)
    tpr, fpr = hit / len(m), false / len(o)
    area_lower, area_upper = auc_bounds(scores[is_member], scores[~is_member], alpha)
    return Attacked(
        name=name,
        advantage=tpr - fpr,
        u=math.sqrt(tpr * (1 - tpr) / len(m) + fpr * (1 - fpr) / len(o)),
        lower=lower,
        upper=upper,
        auc=auc(scores[is_member], scores[~is_member]),
        auc_lower=area_lower,
        auc_upper=area_upper,
        best=point(hit, len(m), false, len(o), alpha),
        at_1pct=_at(STRICT, m, o, o0, alpha),
        at_01pct=_at(STRICTEST, m, o, o0, alpha) if len(o0) >= 1 / STRICTEST else None,
    )


def point(hits: int, members: int, alarms: int, others: int, alpha: float) -> Point:
    """Rates of counts with their bounds (Clopper and Pearson 1934)."""
    low, high = clopper_pearson(hits, members, alpha)
    return Point(
        tpr=hits / members,
        tpr_lower=low,
        tpr_upper=high,
        fpr=alarms / others,
        fpr_upper=clopper_pearson(alarms, others, alpha)[1],
    )


def _at(rate: float, members: Array, others: Array, setting: Array, alpha: float) -> Point:
    """Above the quantile of the non-members `setting` that leaves a share of `rate` of them."""
    level = np.quantile(setting, 1 - rate, method="higher")
    return point(int((members > level).sum()), len(members), int((others > level).sum()), len(others), alpha)


def auc(members: Array, others: Array) -> float:
    """P(score of a member > score of a non-member) + half of the ties (Mann-Whitney)."""
    ranks = stats.rankdata(np.concatenate([members, others]))
    n = len(members)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(others)))


def auc_bounds(members: Array, others: Array, alpha: float) -> tuple[float, float]:
    """One-sided bounds of `auc`, each at level 1 - `alpha`, by the variance of DeLong et al. 1988.

    Where one side never loses there is no variance to see: then the bound of a proportion that never failed stands, of as
    many trials as the smaller side has.
    """
    area = auc(members, others)
    of_member, of_other = _placed(members, others), 1 - _placed(others, members)
    fewest = min(len(members), len(others))
    if fewest < 2:
        return 0.0, 1.0
    spread = math.sqrt(of_member.var(ddof=1) / len(members) + of_other.var(ddof=1) / len(others))
    reach = float(stats.norm.isf(alpha)) * spread
    if spread == 0:
        reach = 1 - clopper_pearson(fewest, fewest, alpha)[0]
    return max(0.0, area - reach), min(1.0, area + reach)


def _placed(points: Array, others: Array) -> Array:
    """The share of `others` below each of `points`, ties by half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, points, side="left") + np.searchsorted(ordered, points, side="right")
    return np.asarray(below / (2 * len(others)))


def threshold(members: Array, others: Array) -> float:
    """The score t that maximises TPR - FPR of "score >= t"; the highest such t."""
    levels = np.unique(np.concatenate([members, others]))
    above = 1 - np.searchsorted(np.sort(members), levels) / len(members)
    wrong = 1 - np.searchsorted(np.sort(others), levels) / len(others)
    gain = above - wrong
    return float(levels[np.flatnonzero(gain == gain.max())[-1]])
