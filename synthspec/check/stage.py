"""Asking all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from synthspec.check.trips import check_trips
from synthspec.check.waivers import apply_waivers
from synthspec.check.witness import Witness, stand_in, watched
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.ir.document import Document
from synthspec.ir.resolved import CheckedSpec, ResolvedSpec
from synthspec.rules import RULES, Rule
from synthspec.rules.form import CRASHED, Believe
from synthspec.spec.sref import SRef


def check(resolved: ResolvedSpec, today: date, rules: tuple[Rule, ...] = RULES) -> Outcome[CheckedSpec]:
    """Ask every rule about a spec. The value is there when no error is left once the waivers valid `today` are applied.

    Of a spec that could be read in part only, no finding is believed that comes after a look at what could not be read,
    and there is no value.
    """
    witness = Witness()
    seen = stand_in(resolved, witness)
    found, doubted = _ask(rules, lambda rule, believe: rule.run(seen, believe), witness)
    found += check_trips(seen, witness.fresh)
    kept = ordered(primary(apply_waivers(resolved, found, today), rules, doubted))
    if resolved.spec_lost or resolved.sref_lost or any(diagnostic.is_error for diagnostic in kept):
        return failure(kept)
    return Outcome(CheckedSpec(resolved=resolved, warnings=kept), kept)


def check_sref(sref: Document[SRef], rules: tuple[Rule, ...] = RULES) -> tuple[Diagnostic, ...]:
    """Ask the rules that concern an SRef alone, for one that no spec uses yet."""
    witness = Witness()
    seen = watched(sref.model, sref.lost, witness.note)
    found, doubted = _ask(rules, lambda rule, believe: rule.run_sref(seen, sref.places, believe), witness)
    return ordered(primary(found, rules, doubted))


def _ask(
    rules: Iterable[Rule], ask: Callable[[Rule, Believe], tuple[Diagnostic, ...]], witness: Witness
) -> tuple[list[Diagnostic], set[str]]:
    """What the rules find and is believed, and the codes of what is not."""
    found: list[Diagnostic] = []
    doubted: set[str] = set()
    for rule in rules:
        sound = witness.fresh()

        def believe(code: str = rule.code, sound: Believe = sound) -> bool:
            believed = sound()
            if not believed:
                doubted.add(code)
            return believed

        found += ask(rule, believe)
    return found, doubted


def primary(found: Iterable[Diagnostic], rules: Iterable[Rule], doubted: Iterable[str] = ()) -> tuple[Diagnostic, ...]:
    """`found` without mere consequences. Each has a cause among what stays, which is an error, or among the `doubted`."""
    found = tuple(found)
    present = {diagnostic.code for diagnostic in found}.union(doubted)
    consequences = {rule.code for rule in rules if present.intersection(rule.after)}
    return tuple(diagnostic for diagnostic in found if diagnostic.code not in consequences)


def independent(found: Iterable[Diagnostic], earlier: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """`found` without what may only follow from the errors that earlier stages named: the same place, or a part of it.

    A rule that falls over a damaged spec, and a waiver that has nothing to excuse there, say nothing worth reading.
    """
    faults = [(fault.file, fault.path) for fault in earlier if fault.is_error]
    if not faults:
        return tuple(found)
    return tuple(
        each
        for each in found
        if each.code not in {CRASHED, "waiver.unused"}
        and not any(each.file == file and path and each.path[: len(path)] == path for file, path in faults)
    )


def ordered(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, as they are read."""
    return tuple(sorted(found, key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, str]:
    start = -1 if diagnostic.span is None else diagnostic.span.start
    return diagnostic.file, start, diagnostic.code, diagnostic.message
