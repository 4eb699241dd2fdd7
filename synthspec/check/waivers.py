"""Waivers: accepted exceptions, with a reason, an approver and an end (section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from synthspec.diag import Diagnostic, Severity, did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules import RULES
from synthspec.rules.waivers.not_waivable import NEVER
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
        if not _complete(waiver) or waiver.id.partition(".")[0] in NEVER:
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
    path = ("waivers", number, "expires")
    try:
        end = date.fromisoformat(waiver.expires or "")
    except ValueError:
        return _fault(
            resolved, path, "waiver.expired", f"{waiver.expires} is no day of the calendar", "write a real day"
        )
    if end >= today:
        return None
    message = f"the waiver of {waiver.id} ended on {end}"
    return _fault(resolved, path, "waiver.expired", message, "mend what it excused, or have it approved again")


def _unused(resolved: ResolvedSpec, number: int, waiver: Waiver) -> Iterator[Diagnostic]:
    if _CONTRACT.fullmatch(waiver.id):
        return
    codes = [rule.code for rule in RULES]
    advice = "delete it: it would hide a later fault" if waiver.id in codes else did_you_mean(waiver.id, codes)
    path = ("waivers", number, "id")
    yield _fault(resolved, path, "waiver.unused", f"nothing is excused by the waiver of {waiver.id}", advice)


def _fault(resolved: ResolvedSpec, path: Path, code: str, message: str, help_text: str) -> Diagnostic:
    severity = Severity.WARNING if code == "waiver.unused" else Severity.ERROR
    span = resolved.spec_places.value(path)
    return Diagnostic(code=code, message=message, help=help_text, span=span, path=path, severity=severity)
