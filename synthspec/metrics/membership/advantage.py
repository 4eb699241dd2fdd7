"""MI := Adv_MI = TPR - FPR of the best attack of the suite, with an upper bound that covers them all (C40-516)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.scores import candidates
from synthspec.ir.evidence import Figure, Scalar, Split
from synthspec.metrics.bench import Bench, Part
from synthspec.metrics.columns import parts
from synthspec.metrics.figures import UnmeasurableError, details
from synthspec.metrics.membership.attacks import ENGINE, Scene, suite_of
from synthspec.metrics.membership.copies import copies
from synthspec.metrics.membership.inference import MOST, attribute, linkability
from synthspec.metrics.membership.people import People
from synthspec.metrics.membership.plain import plain
from synthspec.metrics.membership.scoring import Attacked, auc, score
from synthspec.metrics.neighbours import nearest
from synthspec.metrics.request import Array
from synthspec.metrics.stream import Indices, subset

ESTIMATOR = "largest TPR - FPR over attacks, thresholds set on the other half"

LEAST = 40
"""Members, non-members and synthetic records below which nothing is said."""
_MOST_SYNTHETIC = 5000
_BLIND_Z = 3.290526731491692
"""Two-sided 99.9 %: the check for a distribution shift should not fail honest splits."""


def measure(bench: Bench) -> Figure:
    """The membership advantage of an attacker who sees the synthetic records and some other real ones, and asks the engine.

    Members are `request.members`, non-members `request.non_members`, and the third split calibrates the attacks. Each
    attack picks its threshold on one half of the candidates and is scored on the other; its bounds are one-sided at
    95 % jointly over the suite (Bonferroni, square-and-add over Clopper-Pearson). `value` is the largest advantage, which
    may be negative; `upper` the largest upper bound; the attack on the engine counts among them where `request.knows` says
    that the attacker has it, and stands in the details anyway. Of each attack the details hold the AUC (DeLong) and the
    hits at 1 % and 0.1 % false alarms (Clopper-Pearson) with bounds at the same level; near copies stand beside them.

    Raises:
        UnmeasurableError: fewer than 40 members, non-members or synthetic records; or members and non-members can be told
            apart without the synthetic ones, which means that the splits differ in law and no attack can be read.

    """
    people, blocks, told = _candidates(bench)
    simple = People(*(np.concatenate(side, axis=1) for side in blocks))
    blind = _blind_auc(people)
    results = _attacks(people, simple, bench.rng("MI/halves"), told)
    asked = told is not None and bench.request.knows == "engine"
    covered = tuple(each for each in results if asked or each.name != ENGINE)
    best = max(covered, key=lambda result: result.advantage)
    cut = len(people.reference) // 2
    null = _attacks(people.against_itself(cut), simple.against_itself(cut), bench.rng("MI/null"))
    return Figure(
        name="MI",
        label=f"Adv_MI[max of {len(covered)} {'attacks, one on the engine' if asked else 'black-box attacks'}]",
        value=best.advantage,
        u=best.u,
        lower=max(result.lower for result in covered),
        upper=max(result.upper for result in covered),
        method="binomial",
        n_real=len(people.members) + len(people.others),
        n_syn=len(people.synthetic),
        null=max(result.advantage for result in null),
        details=(
            *_circumstances(bench, people, simple, best.name, blind),
            *_listing(results),
            *_inferred(bench, blocks),
            *details(seed=bench.request.seed),
        ),
    )


def _circumstances(
    bench: Bench, people: People, simple: People, worst: str, blind: float
) -> tuple[tuple[str, Scalar], ...]:
    """Who attacked whom, and the near copies beside it."""
    copied = copies(simple)
    return details(
        members=bench.request.members,
        non_members=bench.request.non_members,
        n_members=len(people.members),
        n_non_members=len(people.others),
        n_reference=len(people.reference),
        knows=bench.request.knows,
        worst_attack=worst,
        engine_attack=_engine_attack(bench),
        blind_auc=blind,
        copied_members=copied.members,
        copied_non_members=copied.non_members,
        moved_copies_of_members=copied.moved_members,
        moved_copies_of_non_members=copied.moved_non_members,
    )


def suite(
    members: Array, others: Array, synthetic: Array, reference: Array, rng: np.random.Generator
) -> tuple[Attacked, ...]:
    """Run every attack on `members` against `others`, both (n, D), each bound at level 1 - 0.05 / #attacks."""
    people = People(members, others, synthetic, reference)
    return _attacks(people, people, rng)


def _attacks(
    people: People, simple: People, rng: np.random.Generator, told: Array | None = None
) -> tuple[Attacked, ...]:
    scene = replace(_scene(people), plain=_scene(simple), told=told)
    attacks = suite_of(scene)
    is_member = np.arange(len(scene.candidates)) < len(people.members)
    choosing = _half(is_member, rng)
    alpha = 0.05 / len(attacks)
    return tuple(score(name, attack(scene), is_member, choosing, alpha) for name, attack in attacks.items())


def _scene(people: People) -> Scene:
    return Scene(
        candidates=np.concatenate([people.members, people.others]),
        synthetic=people.synthetic,
        reference=people.reference,
    )


def _half(is_member: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random half of the members and of the non-members, the one that sets thresholds."""
    chosen = np.zeros(len(is_member), dtype=bool)
    for group in (np.flatnonzero(is_member), np.flatnonzero(~is_member)):
        chosen[rng.permutation(group)[: len(group) // 2]] = True
    return chosen


def _candidates(bench: Bench) -> tuple[People, list[tuple[Array, ...]], Array | None]:
    """Everyone in the space of distances, the same records on their own scales, column by column, and what the engine says
    of members and others.
    """
    request = bench.request
    splits: tuple[Split, ...] = ("train", "val", "test")
    rest = [split for split in splits if split not in {request.members, request.non_members}]
    if len(rest) != 1:
        raise UnmeasurableError(f"members and non-members are both {request.members}")
    spaces: list[Array] = []
    plains: list[tuple[Array, ...]] = []
    chosen: list[Indices] = []
    sides: tuple[Part, ...] = (request.members, request.non_members, "synthetic", rest[0])
    for name in sides:
        space = bench.space(name)
        rows = _looked_at(bench, name, len(space))
        chosen.append(rows)
        spaces.append(space[rows])
        plains.append(tuple(block[rows] for block in plain(bench, name)))
    sizes = [len(spaces[0]), len(spaces[1]), len(spaces[3])]
    if min(sizes) < LEAST:
        raise UnmeasurableError(f"{', '.join(map(str, sizes))} candidates; {LEAST} of each are needed")
    if len(spaces[2]) < LEAST:
        raise UnmeasurableError(f"{len(spaces[2])} synthetic records; {LEAST} are needed to attack them")
    return People(*spaces), plains, _told(bench, chosen[0], chosen[1])


def _looked_at(bench: Bench, part: Part, size: int) -> Indices:
    if part == "synthetic":
        return subset(size, _MOST_SYNTHETIC, bench.rng("MI/synthetic"))
    return candidates(bench.request.seed, part, size)


def _told(bench: Bench, members: Indices, others: Indices) -> Array | None:
    """What the engine says of the candidates, in their order; None where it says nothing."""
    request = bench.request
    if not request.scores:
        return None
    found: list[Array] = []
    for split, rows in ((request.members, members), (request.non_members, others)):
        scores = request.scores.get(split)
        if scores is None or not np.array_equal(scores.rows, rows) or scores.values.shape != rows.shape:
            raise UnmeasurableError(f"the engine did not score the {split} records that are attacked")
        found.append(scores.values)
    return np.concatenate(found)


def _engine_attack(bench: Bench) -> str:
    """What the engine was asked of single records, in words."""
    scores = bench.request.scores.get(bench.request.members)
    return "none: no engine that scores single records is at hand" if scores is None else scores.how


def _inferred(bench: Bench, blocks: list[tuple[Array, ...]]) -> tuple[tuple[str, Scalar], ...]:
    """Of a table, what is inferred beside membership."""
    members, others, synthetic, _ = blocks
    if not 1 < len(synthetic) <= MOST:
        return ()
    guessed, linked = attribute(members, others, synthetic), linkability(members, others, synthetic)
    column = parts(bench.request.fields, len(synthetic))[guessed.column or 0].name
    return (
        ("attribute_inference.advantage", guessed.value),
        ("attribute_inference.lower", guessed.lower),
        ("attribute_inference.upper", guessed.upper),
        ("attribute_inference.column", column),
        ("linkability.advantage", linked.value),
        ("linkability.lower", linked.lower),
        ("linkability.upper", linked.upper),
    )


def _blind_auc(people: People) -> float:
    """AUC of an attack that sees no synthetic record; it must not work."""
    members, others, reference = people.members, people.others, people.reference
    value = auc(-nearest(members, reference), -nearest(others, reference))
    n, m = len(members), len(others)
    error = math.sqrt((n + m + 1) / (12 * n * m))
    if abs(value - 0.5) > _BLIND_Z * error:
        raise UnmeasurableError(f"members and non-members differ without the synthetic records (blind AUC {value:.3f})")
    return value


def _listing(results: tuple[Attacked, ...]) -> tuple[tuple[str, Scalar], ...]:
    rows: list[tuple[str, Scalar]] = []
    for result in results:
        entries: dict[str, Scalar] = {
            "advantage": result.advantage,
            "lower": result.lower,
            "upper": result.upper,
            "auc": result.auc,
            "auc_lower": result.auc_lower,
            "auc_upper": result.auc_upper,
            "tpr_lower": result.best.tpr_lower,
            "fpr_upper": result.best.fpr_upper,
        }
        for fpr, at in (("1pct", result.at_1pct), ("01pct", result.at_01pct)):
            if at is not None:
                entries |= {
                    f"tpr_at_{fpr}_fpr": at.tpr,
                    f"tpr_at_{fpr}_fpr_lower": at.tpr_lower,
                    f"tpr_at_{fpr}_fpr_upper": at.tpr_upper,
                    f"fpr_upper_at_{fpr}_fpr": at.fpr_upper,
                }
        rows += [(f"{result.name}.{key}", value) for key, value in entries.items()]
    return tuple(rows)
