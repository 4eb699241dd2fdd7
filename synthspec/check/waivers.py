"""Waivers: accepted exceptions, with a reason, an approver and an end (section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from synthspec.check.validity import end_fault, may_be_excused, unused_advice
from synthspec.diag import Diagnostic, Severity
from synthspec.ir.resolved import ResolvedSpec
from synthspec.spec.sampling import Waiver
from synthspec.text import Path

_CONTRACT = re.compile(r"C40-5\d\d")


def apply_waivers(resolved: ResolvedSpec, found: Sequence[Diagnostic], today: date) -> tuple[Diagnostic, ...]:
    """`found` without what a complete, current waiver excuses, and with what is wrong with the waivers themselves.

    A waiver names a rule (``P405-2.coverage-missing``) or a contract (``C40-512``: what is wrong with its entry). One that
    excuses nothing is a warning; a contract's may still excuse its verdict, so it is not called unused here.
    """
    kept = list(found)
    answers: list[Diagnostic] = []
    for number, waiver in enumerate(resolved.spec.waivers):
        if not _complete(waiver) or not may_be_excused(waiver.id):
            continue  # a rule says so
        fault = _ended(resolved, number, waiver, today)
        if fault is not None:
            answers.append(fault)
        elif not any(_excuses(waiver, diagnostic) for diagnostic in found):
            answers.extend(_unused(resolved, number, waiver))
        else:
            kept = [diagnostic for diagnostic in kept if not _excuses(waiver, diagnostic)]
    return (*kept, *answers)


def _complete(waiver: Waiver) -> bool:
    return all((text or "").strip() for text in (waiver.reason, waiver.approver, waiver.expires))


def _excuses(waiver: Waiver, diagnostic: Diagnostic) -> bool:
    if diagnostic.code == waiver.id:
        return True
    return diagnostic.code.startswith("C40.") and diagnostic.path[:2] == ("contracts", waiver.id)


def _ended(resolved: ResolvedSpec, number: int, waiver: Waiver, today: date) -> Diagnostic | None:
    ended = end_fault(f"waiver of {waiver.id}", waiver.expires or "", today)
    return None if ended is None else _fault(resolved, ("waivers", number, "expires"), "waiver.expired", *ended)


def _unused(resolved: ResolvedSpec, number: int, waiver: Waiver) -> Iterator[Diagnostic]:
    if _CONTRACT.fullmatch(waiver.id):
        return
    path = ("waivers", number, "id")
    yield _fault(
        resolved, path, "waiver.unused", f"nothing is excused by the waiver of {waiver.id}", unused_advice(waiver.id)
    )


def _fault(resolved: ResolvedSpec, path: Path, code: str, message: str, help_text: str) -> Diagnostic:
    severity = Severity.WARNING if code == "waiver.unused" else Severity.ERROR
    span = resolved.spec_places.value(path)
    return Diagnostic(code=code, message=message, help=help_text, span=span, path=path, severity=severity)
