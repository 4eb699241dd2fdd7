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

VARIABLES = ("conditioning", "variables")
CHOOSE = frozenset({"family", "measure", "mechanism", "method", "kind"})
"""Keys that choose which keys may stand beside them."""
OF_A_CHOICE = frozenset({"schema.unknown-key", "schema.missing-key"})


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
) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """What the rules find, and what of it is not believed."""
    found: list[Diagnostic] = []
    doubted: list[Diagnostic] = []
    for rule in rules:
        sound = witness.fresh()

        def believe(fault: Diagnostic, sound: Callable[[], bool] = sound) -> bool:
            believed = sound()
            if not believed:
                doubted.append(fault)
            return believed

        found += ask(rule, believe)
    return found, doubted


def primary(
    found: Iterable[Diagnostic], rules: Iterable[Rule], doubted: Iterable[Diagnostic] = ()
) -> tuple[Diagnostic, ...]:
    """`found` without mere consequences. Each has a cause among what stays, which is an error, or among the `doubted`."""
    found = tuple(found)
    causes: dict[str, list[Diagnostic]] = {}
    for each in (*found, *doubted):
        causes.setdefault(each.code, []).append(each)
    after = {rule.code: rule.after for rule in rules if rule.after}

    def follows(fault: Diagnostic) -> bool:
        return any(_touch(cause, fault) for code in after.get(fault.code, ()) for cause in causes.get(code, ()))

    return tuple(each for each in found if not follows(each))


def _touch(cause: Diagnostic, fault: Diagnostic) -> bool:
    """Whether one can follow from the other: they are not about two items of one list, or about two named variables."""
    if cause.file != fault.file:
        return True
    pairs = zip(cause.path, fault.path, strict=False)
    number, parts = next(((number, pair) for number, pair in enumerate(pairs) if pair[0] != pair[1]), (0, ("", "")))
    return cause.path[:number] != VARIABLES and not all(isinstance(part, int) for part in parts)


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


def without_choice(earlier: Iterable[Diagnostic], found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """`earlier` without keys that only seem wrong, or to be wanted, because of a choice that a finding calls wrong.

    Which keys stand beside ``measure`` or ``mechanism`` depends on what is written there.
    """
    chosen = {(each.file, each.path[:-1]) for each in found if each.is_error and each.path and each.path[-1] in CHOOSE}
    return tuple(
        fault for fault in earlier if fault.code not in OF_A_CHOICE or (fault.file, fault.path[:-1]) not in chosen
    )


def ordered(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, as they are read."""
    return tuple(sorted(found, key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, str]:
    start = -1 if diagnostic.span is None else diagnostic.span.start
    return diagnostic.file, start, diagnostic.code, diagnostic.message
