"""Comments that excuse a finding: ``# synthspec: ignore[CODE] reason="..." expires=2027-01-31``.

The comment stands on the line of the finding, or alone on the line before it. The law is that of waivers (section 4): a
reason and an end, never P405-4 and P405-9. A comment reaches no manifest, so it quiets `validate` and cannot let an error
pass into a run: that takes a waiver.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from synthspec.check.comments import comments
from synthspec.check.stage import ordered
from synthspec.check.validity import end_fault, may_be_excused, unused_advice
from synthspec.diag import Diagnostic, Severity
from synthspec.rules import RULES
from synthspec.text import Places, Span

FORM = 'write # synthspec: ignore[CODE] reason="..." expires=2027-01-31'
MAX_FAULTS = 100
"""Comments are not read past so many faults of theirs: a hostile file can hold twenty thousand."""
MAX_LENGTH = 500
WORD = "synthspec:"
_MARK = re.compile(r"#\s*synthspec:\s*(?P<order>.*)")
_ORDER = re.compile(r"ignore\[(?P<codes>[^\]]*)\](?P<terms>(?:[^\"#]|\"[^\"]*\")*)(?:#.*)?")
_TERM = re.compile(r"(?<!\s)\s+(?P<name>[a-z]+)=(?:\"(?P<quoted>[^\"]*)\"|(?P<plain>[^\s\"]+))")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment: which codes it excuses on which line, why and how long; a fault of its own in words, or none."""

    span: Span
    line: int
    codes: tuple[str, ...] = ()
    terms: dict[str, str] = field(default_factory=dict)
    fault: str = ""


def apply_ignores(
    found: Sequence[Diagnostic], documents: Sequence[Places], today: date, *, errors: bool
) -> tuple[Diagnostic, ...]:
    """`found` without what the comments of `documents` excuse, and with what is wrong with the comments.

    The first document is the one that is checked: its comments are told when they excuse nothing. Those of an SRef that a
    spec names may be for another spec. With `errors` False only warnings are excused.
    """
    by_line: dict[tuple[str, int], list[Diagnostic]] = {}
    for diagnostic in found:
        if diagnostic.span is not None:
            by_line.setdefault((diagnostic.file, diagnostic.span.begin[0]), []).append(diagnostic)
    excused: set[Diagnostic] = set()
    faults: list[Diagnostic] = []
    for number, places in enumerate(documents):
        for ignore in ignores(places):
            if len(faults) >= MAX_FAULTS:
                break
            wrong = list(_faults(ignore, today))
            if not wrong:
                here = by_line.get((places.source.name, ignore.line), ())
                used = {diagnostic for diagnostic in here if diagnostic.code in ignore.codes}
                excused |= {diagnostic for diagnostic in used if errors or not diagnostic.is_error}
                codes = {diagnostic.code for diagnostic in used}
                wrong = list(_unused(ignore, codes, alone=len(documents) == 1)) if number == 0 else []
            faults += wrong
    return ordered((*(diagnostic for diagnostic in found if diagnostic not in excused), *faults))


def ignores(places: Places) -> Iterator[Ignore]:
    """The comments of a document that speak to synthspec."""
    marked = [
        (comment, match) for comment in comments(places, WORD) if (match := _MARK.fullmatch(comment.text.rstrip()))
    ]
    meant: dict[int, int] = {}
    for comment, _ in reversed(marked):
        _line_meant(comment, meant)
    for comment, match in marked:
        yield _read(comment, meant[comment.begin[0]], match["order"])


def _line_meant(comment: Span, meant: dict[int, int]) -> None:
    """Note in `meant` which line a comment is about: its own, or alone on it the first below that is no comment."""
    source = comment.source
    first, column = comment.begin
    line = first
    if not source.line(line)[: column - 1].strip():
        line += 1
        while line not in meant and source.line(line).lstrip().startswith("#"):
            line += 1
        line = meant.get(line, line)
    meant[first] = line


def _read(comment: Span, line: int, order: str) -> Ignore:
    if len(order) > MAX_LENGTH:
        return Ignore(comment, line, fault=f"a comment of over {MAX_LENGTH} characters is not read")
    match = _ORDER.fullmatch(order)
    if match is None:
        return Ignore(comment, line, fault=f"{order!r} is nothing that a comment can ask for")
    codes = tuple(code.strip() for code in match["codes"].split(","))
    terms = {term["name"]: term["quoted"] or term["plain"] or "" for term in _TERM.finditer(match["terms"])}
    rest = _TERM.sub("", match["terms"]).strip()
    unknown = sorted(terms.keys() - {"reason", "expires"})
    fault = ""
    if rest or unknown:
        fault = f"{rest or unknown[0]!r} is not understood in a comment that ignores"
    elif not all(codes):
        fault = "the comment does not say which code it ignores"
    return Ignore(comment, line, codes, terms, fault)


def _faults(ignore: Ignore, today: date) -> Iterator[Diagnostic]:
    if ignore.fault:
        yield _fault(ignore, "schema.bad-value", ignore.fault, FORM)
        return
    for code in ignore.codes:
        if not may_be_excused(code):
            message = f"{code.partition('.')[0]} cannot be ignored"
            yield _fault(ignore, "waiver.not-waivable", message, "delete the comment and mend what the rule finds")
    shown = ", ".join(ignore.codes)
    for term in ("reason", "expires"):
        if not ignore.terms.get(term, "").strip():
            yield _fault(ignore, "waiver.reason-missing", f"the comment that ignores {shown} has no {term}", FORM)
    expires = ignore.terms.get("expires", "").strip()
    ended = end_fault(f"comment that ignores {shown}", expires, today) if expires else None
    if ended is not None:
        yield _fault(ignore, "waiver.expired", *ended)


def _unused(ignore: Ignore, used: set[str], *, alone: bool) -> Iterator[Diagnostic]:
    # An SRef alone is not asked what only a spec that uses it can answer.
    unasked = {rule.code for rule in RULES if rule.sref_check is None} if alone else set()
    for code in ignore.codes:
        if code not in used and code not in unasked:
            message = f"nothing is excused by the comment that ignores {code}"
            yield _fault(ignore, "waiver.unused", message, unused_advice(code), Severity.WARNING)


def _fault(ignore: Ignore, code: str, message: str, help_text: str, severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic(code=code, message=message, help=help_text, span=ignore.span, severity=severity)
