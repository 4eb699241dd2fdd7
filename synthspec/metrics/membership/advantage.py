"""MI := Adv_MI = TPR - FPR of the best attack of the suite, with an upper bound that covers them all (C40-516)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthspec.ir.evidence import Figure, Scalar, Split
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError, details
from synthspec.metrics.intervals import clopper_pearson, difference
from synthspec.metrics.membership.attacks import SUITE, Scene
from synthspec.metrics.neighbours import nearest
from synthspec.metrics.request import Array
from synthspec.metrics.stream import subset

ESTIMATOR = "largest TPR - FPR over attacks, thresholds set on the other half"

LEAST = 40
"""Members and non-members below which nothing is said."""
_MOST = 2000
_MOST_SYNTHETIC = 5000
_BLIND_Z = 3.290526731491692
"""Two-sided 99.9 %: the check for a distribution shift should not fail honest splits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """What one attack achieved on the half of the candidates that did not set its threshold."""

    name: str
    advantage: float
    u: float
    lower: float
    upper: float
    auc: float
    tpr_at_1pct: float
    tpr_at_1pct_upper: float


def measure(bench: Bench) -> Figure:
    """The membership advantage of an attacker who sees the synthetic records and some other real ones.

    Members are `request.members`, non-members `request.non_members`, and the third split calibrates the attacks. Each
    attack picks its threshold on one half of the candidates and is scored on the other; its bounds are one-sided at
    95 % jointly over the suite (Bonferroni, square-and-add over Clopper-Pearson). `value` is the largest advantage, which
    may be negative; `upper` the largest upper bound.

    Raises:
        UnmeasurableError: fewer than 40 members or non-members; or they can be told apart without the synthetic
            records, which means that the splits differ in law and no attack can be read.

    """
    members, others, reference = _candidates(bench)
    blind = _blind_auc(members, others, reference)
    synthetic = bench.space("synthetic")
    synthetic = synthetic[subset(len(synthetic), _MOST_SYNTHETIC, bench.rng("MI/synthetic"))]
    results = suite(members, others, synthetic, reference, bench.rng("MI/halves"))
    best = max(results, key=lambda result: result.advantage)
    cut = len(reference) // 2
    null = suite(members, others, reference[:cut], reference[cut:], bench.rng("MI/null"))
    return Figure(
        name="MI",
        label=f"Adv_MI[max of {len(results)} black-box attacks]",
        value=best.advantage,
        u=best.u,
        lower=max(result.lower for result in results),
        upper=max(result.upper for result in results),
        method="binomial",
        n_real=len(members) + len(others),
        n_syn=len(synthetic),
        null=max(result.advantage for result in null),
        details=(
            *details(
                members=bench.request.members,
                non_members=bench.request.non_members,
                n_members=len(members),
                n_non_members=len(others),
                n_reference=len(reference),
                worst_attack=best.name,
                blind_auc=blind,
            ),
            *_listing(results),
            *details(seed=bench.request.seed),
        ),
    )


def suite(
    members: Array, others: Array, synthetic: Array, reference: Array, rng: np.random.Generator
) -> tuple[Attacked, ...]:
    """Run every attack on `members` against `others`, both (n, D), each bound at level 1 - 0.05 / #attacks."""
    scene = Scene(candidates=np.concatenate([members, others]), synthetic=synthetic, reference=reference)
    is_member = np.arange(len(scene.candidates)) < len(members)
    choosing = _half(is_member, rng)
    alpha = 0.05 / len(SUITE)
    return tuple(score(name, attack(scene), is_member, choosing, alpha) for name, attack in SUITE.items())


def auc(members: Array, others: Array) -> float:
    """P(score of a member > score of a non-member) + half of the ties (Mann-Whitney)."""
    ranks = stats.rankdata(np.concatenate([members, others]))
    n = len(members)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(others)))


def threshold(members: Array, others: Array) -> float:
    """The score t that maximises TPR - FPR of "score >= t"; the highest such t."""
    levels = np.unique(np.concatenate([members, others]))
    above = 1 - np.searchsorted(np.sort(members), levels) / len(members)
    wrong = 1 - np.searchsorted(np.sort(others), levels) / len(others)
    gain = above - wrong
    return float(levels[np.flatnonzero(gain == gain.max())[-1]])


def score(
    name: str, scores: Array, is_member: NDArray[np.bool_], choosing: NDArray[np.bool_], alpha: float
) -> Attacked:
    """Judge the `scores` of one attack, all of shape (n,): threshold from `choosing`, advantage from the others."""
    m, o = scores[is_member & ~choosing], scores[~is_member & ~choosing]
    m0, o0 = scores[is_member & choosing], scores[~is_member & choosing]
    at = threshold(m0, o0)
    hit, false = int((m >= at).sum()), int((o >= at).sum())
    lower, upper = difference((hit, len(m)), (false, len(o)), alpha)
    strict = int((m > np.quantile(o0, 0.99, method="higher")).sum())
    tpr, fpr = hit / len(m), false / len(o)
    return Attacked(
        name=name,
        advantage=tpr - fpr,
        u=math.sqrt(tpr * (1 - tpr) / len(m) + fpr * (1 - fpr) / len(o)),
        lower=lower,
        upper=upper,
        auc=auc(scores[is_member], scores[~is_member]),
        tpr_at_1pct=strict / len(m),
        tpr_at_1pct_upper=clopper_pearson(strict, len(m), alpha)[1],
    )


def _half(is_member: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random half of the members and of the non-members, the one that sets thresholds."""
    chosen = np.zeros(len(is_member), dtype=bool)
    for group in (np.flatnonzero(is_member), np.flatnonzero(~is_member)):
        chosen[rng.permutation(group)[: len(group) // 2]] = True
    return chosen


def _candidates(bench: Bench) -> tuple[Array, Array, Array]:
    """Members, non-members and the calibrating split, in the space of distances."""
    request = bench.request
    splits: tuple[Split, ...] = ("train", "val", "test")
    rest = [split for split in splits if split not in {request.members, request.non_members}]
    if len(rest) != 1:
        raise UnmeasurableError(f"members and non-members are both {request.members}")
    parts: list[Array] = []
    for name in (request.members, request.non_members, rest[0]):
        space = bench.space(name)
        parts.append(space[subset(len(space), _MOST, bench.rng(f"MI/{name}"))])
    if min(len(part) for part in parts) < LEAST:
        raise UnmeasurableError(f"{', '.join(str(len(part)) for part in parts)} candidates; {LEAST} of each are needed")
    return parts[0], parts[1], parts[2]


def _blind_auc(members: Array, others: Array, reference: Array) -> float:
    """AUC of an attack that sees no synthetic record; it must not work."""
    value = auc(-nearest(members, reference), -nearest(others, reference))
    n, m = len(members), len(others)
    error = math.sqrt((n + m + 1) / (12 * n * m))
    if abs(value - 0.5) > _BLIND_Z * error:
        raise UnmeasurableError(f"members and non-members differ without the synthetic records (blind AUC {value:.3f})")
    return value


def _listing(results: tuple[Attacked, ...]) -> tuple[tuple[str, Scalar], ...]:
    rows: list[tuple[str, Scalar]] = []
    for result in results:
        rows += [
            (f"{result.name}.advantage", result.advantage),
            (f"{result.name}.upper", result.upper),
            (f"{result.name}.auc", result.auc),
            (f"{result.name}.tpr_at_1pct_fpr", result.tpr_at_1pct),
            (f"{result.name}.tpr_at_1pct_fpr_upper", result.tpr_at_1pct_upper),
        ]
    return tuple(rows)
