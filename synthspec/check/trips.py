"""The trips of monitors: conditions over signals, checked for names and dimensions like every other expression."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import Diagnostic
from synthspec.expr import BOOLEAN, PLAIN, Context, infer, parse
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.signals import signals_of


def check_trips(resolved: ResolvedSpec) -> tuple[Diagnostic, ...]:
    """What is wrong with the text of the trips (`expr.*`, `unit.*`)."""
    return tuple(_faults(resolved))


def _faults(resolved: ResolvedSpec) -> Iterator[Diagnostic]:
    stability = resolved.spec.stability
    emitted = signals_of(resolved.spec.engine.family)
    for number, monitor in enumerate(() if stability is None else stability.monitors):
        path = ("stability", "monitors", number, "trip")
        parsed = parse(monitor.trip, resolved.spec_places.value(path), path)
        yield from parsed.diagnostics
        if parsed.value is None:
            continue
        # A signal that no training of this family emits is the answer of a rule of P405-3, and not said twice.
        known = dict.fromkeys((*emitted, monitor.signal), PLAIN)
        yield from infer(parsed.value, known, expected=BOOLEAN, context=Context.HISTORY).diagnostics
