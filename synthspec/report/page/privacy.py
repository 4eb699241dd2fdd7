"""The privacy statement: one paragraph that can be quoted, made from what ran, and the facts behind it."""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterator

from synthspec.ir.manifest_engine import DpSpend
from synthspec.ir.manifest_evidence import Metric
from synthspec.pipeline.publishing import learned_from
from synthspec.report.page.markup import Markup, tag
from synthspec.report.page.parts import code, facts, paragraphs, section, table
from synthspec.report.page.shown import Shown
from synthspec.report.verdict_table import claim, number
from synthspec.text import counted

ADJACENCY = {
    "zero_out": "two data sets are neighbours when {whole} emptied in one of them, which changes no size",
    "add_remove": "two data sets are neighbours when one of them has one {unit} more than the other",
    "replace_one": "two data sets are neighbours when {whole} replaced by {another}",
}
"""What each relation compares; `unit` is what it protects, `whole` all that it has in the data."""


def privacy(page: Shown) -> Markup:
    """What is guaranteed, to whom, and what is not."""
    group = page.manifest.privacy
    if group.dp is None:
        return section("privacy", "Privacy", tag("p", _none(page), class_="statement"), *_attack(page))
    return section(
        "privacy",
        "Privacy",
        tag("p", _covered(page, group.dp), class_="statement"),
        paragraphs(_not_covered(page)),
        *_attack(page),
        _spent(group.mechanism, group.dp),
        *_accesses(group.dp),
        *_vectors(group.dp),
        *_audited(group.dp),
    )


def _none(page: Shown) -> str:
    data = page.manifest.dataset
    return (
        f"No privacy mechanism was used (mechanism: none). The engine was trained on records of {data.name} directly, and "
        "there is no bound, no epsilon and no delta, on what the samples, the weights or the figures of this run reveal of a "
        "person or any other unit in those records: the engine may have learned some of them by heart. If the records are "
        "confidential, treat everything in this folder as being as confidential as they are; synthetic does not mean anonymous."
    )


def _covered(page: Shown, spent: DpSpend) -> str:
    unit, name = spent.unit or "record", page.manifest.dataset.name
    steps = "" if spent.steps is None else f" over {counted(spent.steps, 'noisy release')}, counted while it ran"
    mechanism = page.manifest.privacy.mechanism
    if math.isinf(spent.eps_total):
        return (
            f"The training of this engine on {name} used a mechanism ({mechanism}) that guarantees nothing: no finite epsilon "
            f"bounds what the weights and the samples reveal. The accountant is {spent.accounting_method}{steps}."
        )
    return (
        f"The training of this engine on {name} is (epsilon = {upwards(spent.eps_total)}, delta = "
        f"{upwards(spent.delta_total)})-differentially private ({mechanism}). The protected unit is one {unit}: "
        f"{neighbours(spent.adjacency, unit)} (adjacency: {spent.adjacency or 'not stated'}). Epsilon was computed by "
        f"{spent.accounting_method}{steps}{_before(spent)}. {learned_from(spent, mechanism)}"
        "The guarantee covers the weights, the samples, and everything made of them without "
        f"looking at the records again; whatever an observer knows besides, what one {unit} can change is bounded by it."
    )


def neighbours(adjacency: str | None, unit: str) -> str:
    """Which data sets are told apart. A record has no records, another unit may have several."""
    said = ADJACENCY.get(adjacency or "", "the relation between neighbouring data sets is not stated")
    whole, another = (
        ("one record is", "another") if unit == "record" else (f"the records of one {unit} are", "those of another")
    )
    return said.format(unit=unit, whole=whole, another=another)


def _before(spent: DpSpend) -> str:
    """Whose epsilon it is where the ledger has other releases, too."""
    if spent.ledger is None or spent.ledger.releases < 2:
        return ""
    others = counted(spent.ledger.releases - 1, "other release")
    return f", with the {others} of these data in the ledger {spent.ledger.name}"


def upwards(value: float) -> str:
    """Four significant digits, rounded up: a bound that is quoted is still a bound."""
    rounding = decimal.Context(prec=4, rounding=decimal.ROUND_CEILING)
    return number(float(rounding.create_decimal(repr(value))))


def _not_covered(page: Shown) -> str:
    unit = page.manifest.privacy.dp.unit if page.manifest.privacy.dp is not None else None
    return (
        "Not covered: the figures that were measured on real records (fidelity, coverage, the membership attack), the "
        "counts of real records and the digests of what was read. They stand in the evidence, in the manifest and in this "
        "page, and are restricted: whoever publishes them publishes more than the guarantee allows. Nor does it cover other "
        "releases from the same records, whose epsilons add to this one, the choice of this spec by looking at the records, "
        f"whoever holds the secret seed of the noise, or more than one {unit or 'record'} of the same person where "
        "the unit is not the person."
    )


def _attack(page: Shown) -> Iterator[Markup]:
    found = next((each for each in page.manifest.metrics if each.name == "MI"), None)
    if found is not None and found.value is not None:
        yield tag("p", attacked(found))


def attacked(found: Metric) -> str:
    """What the best membership attack reached, and who was attacked."""
    upper = "" if found.upper is None else f" (upper bound {number(found.upper)})"
    known = found.details.get("knows") == "engine"
    return (
        f"A membership attack on the samples{' and on the engine' if known else ''} reached an advantage of "
        f"{number(found.value or 0.0)}{upper}, where 0 is guessing and 1 is certainty. {'' if known else _told(found)}That "
        "these attacks find little shows that these attacks fail, and is no guarantee."
    )


def _told(found: Metric) -> str:
    """What the engine tells whoever has its weights, where MI does not cover that."""
    reached, most = (found.details.get(f"engine_loss.{key}") for key in ("advantage", "upper"))
    if not isinstance(reached, float | int) or not isinstance(most, float | int):
        return ""
    return (
        f"Whoever has the weights as well can ask the engine itself, which reached {number(reached)} (upper bound "
        f"{number(most)}); the limit on MI does not cover that, since the spec's attacker knows the samples alone. "
    )


def _spent(mechanism: str, spent: DpSpend) -> Markup:
    return facts(
        (
            ("Mechanism", mechanism),
            ("Epsilon", "infinite" if math.isinf(spent.eps_total) else upwards(spent.eps_total)),
            ("Delta", upwards(spent.delta_total)),
            ("Accountant", spent.accounting_method),
            ("Adjacency", spent.adjacency),
            ("Unit", spent.unit),
            # Several vectors with noise of their own count as one release with noise of this size.
            (
                f"Noise multiplier{' of all vectors as one' if mechanism == 'dp-noise' else ''}",
                None if spent.noise_multiplier is None else claim(spent.noise_multiplier),
            ),
            ("Clip norm", _number(spent.clip_norm)),
            ("Sampling rate", _number(spent.sampling_rate)),
            ("Teachers", None if spent.teachers is None else f"{spent.teachers}, each on records of its own"),
            ("Votes are counted by", spent.aggregation),
            ("Releases", None if spent.steps is None else f"{spent.steps}"),
            ("Sums are divided by", _number(spent.normalizer)),
            ("Noise from", spent.rng),
            ("Finite precision", spent.hardening),
            ("Commitment to the seed", None if spent.seed_commitment is None else code(spent.seed_commitment)),
        )
    )


def _number(value: float | None) -> str | None:
    return None if value is None else number(value)


def _vectors(spent: DpSpend) -> Iterator[Markup]:
    if spent.statistics:
        rows = [(each.name, f"{each.parts}", f"{each.size}", number(each.sigma)) for each in spent.statistics]
        yield table(
            "Noisy statistics that were released",
            ("Vector", "Tables", "Numbers", "Noise, by what a record moves"),
            rows,
            "stacked",
        )


def _audited(spent: DpSpend) -> Iterator[Markup]:
    found = spent.audit
    if found is None:
        return
    worst = max((abs(value) for value in found.standard_errors.values()), default=0.0)
    yield tag(
        "p",
        f"Before it met a record, the mechanism was audited with {found.canaries} canaries: {found.correct} of {found.guesses} "
        f"guesses about them came true, which at {found.confidence:.0%} no mechanism allows whose epsilon is below "
        f"{number(found.eps_lower_bound)} (claimed: {number(found.eps_claimed)}). One record moved what is released by "
        f"{number(found.replay_ratio)} of what is accounted for, and no moment of the noise or the sampler was further than "
        f"{number(worst)} standard errors from it. This is evidence that nothing is broken, and no part of the guarantee.",
    )


def _accesses(spent: DpSpend) -> Iterator[Markup]:
    if spent.accesses:
        rows = sorted(spent.accesses.items())
        yield table("Every way in which the training met the records", ("What", "What it costs"), rows, "stacked")
