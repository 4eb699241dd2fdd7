"""The trips of monitors: conditions over signals, checked for names and dimensions like every other expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from synthspec.diag import Diagnostic
from synthspec.expr import BOOLEAN, PLAIN, Context, infer, parse
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.signals import signals_of

Sound = Callable[[], bool]


def check_trips(resolved: ResolvedSpec, fresh: Callable[[], Sound]) -> tuple[Diagnostic, ...]:
    """What is wrong with the text of the trips (`expr.*`, `unit.*`).

    `fresh` gives, for each monitor, what tells whether all that was looked at for it could be read.
    """
    stability = resolved.spec.stability
    found: list[Diagnostic] = []
    for number in range(0 if stability is None else len(stability.monitors)):
        sound = fresh()
        faults = tuple(_faults(resolved, number))
        found += faults if sound() else ()
    return tuple(found)


def _faults(resolved: ResolvedSpec, number: int) -> Iterator[Diagnostic]:
    stability = resolved.spec.stability
    if stability is None:
        return
    monitor, path = stability.monitors[number], ("stability", "monitors", number, "trip")
    parsed = parse(monitor.trip, resolved.spec_places.value(path), path)
    yield from parsed.diagnostics
    if parsed.value is None:
        return
    # A signal that no training of this family emits is the answer of a rule of P405-3, and not said twice.
    known = dict.fromkeys((*signals_of(resolved.spec.engine.family), monitor.signal), PLAIN)
    yield from infer(parsed.value, known, expected=BOOLEAN, context=Context.HISTORY).diagnostics
