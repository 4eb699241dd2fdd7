"""What a rule is: a function from a resolved spec to findings, with a code, a severity and a page of its own.

`rule` returns a value and registers nothing; the table is the explicit tuple in ``synthspec.rules``. A rule does no I/O
and sees no backend. Its module's docstring is its page, see `synthspec.rules.page`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from synthspec.diag import Diagnostic, Related, Severity
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.page import Page, parse_page
from synthspec.text import Path, Places, Span

CRASHED = "internal.rule-crashed"


@dataclass(frozen=True, slots=True)
class At:
    """A place in one of the two documents; it need not have been written."""

    path: Path
    document: Literal["spec", "sref"] = "spec"


def at(*path: str | int) -> At:
    """A place in the EngineSpec."""
    return At(path)


def at_sref(*path: str | int) -> At:
    """A place in the SRef."""
    return At(path, "sref")


@dataclass(frozen=True, slots=True)
class Note:
    """The other half of a finding: the SRef field, the contract that says otherwise."""

    message: str
    at: At


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: where, what is wrong, what to do."""

    at: At
    message: str
    help: str
    related: tuple[Note, ...] = ()


Check = Callable[[ResolvedSpec], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of section 6 of the language. Findings of a rule in `after` make those of this one mere consequences."""

    code: str
    severity: Severity
    check: Check = field(repr=False)
    after: tuple[str, ...] = ()

    @property
    def page(self) -> Page:
        """Why, Refs, Bad and Good, read from the docstring when asked for."""
        return parse_page(sys.modules[self.check.__module__].__doc__ or "")

    def run(self, resolved: ResolvedSpec) -> tuple[Diagnostic, ...]:
        """All findings as diagnostics. A rule that raises is reported by name: it must not silence the others."""
        try:
            return tuple(self._diagnostic(finding, resolved) for finding in self.check(resolved))
        except Exception as error:  # noqa: BLE001 - whatever a broken rule raises, the other rules still speak
            return (_crash(self.code, error),)

    def _diagnostic(self, finding: Finding, resolved: ResolvedSpec) -> Diagnostic:
        return Diagnostic(
            code=self.code,
            message=finding.message,
            help=finding.help,
            span=span_of(finding.at, resolved),
            path=finding.at.path,
            severity=self.severity,
            related=tuple(Related(note.message, span_of(note.at, resolved)) for note in finding.related),
        )


def rule(*, code: str, severity: Severity = Severity.ERROR, after: tuple[str, ...] = ()) -> Callable[[Check], Rule]:
    """Make a `Rule` of a function that yields findings."""

    def wrap(check: Check) -> Rule:
        return Rule(code=code, severity=severity, check=check, after=after)

    return wrap


def span_of(place: At, resolved: ResolvedSpec) -> Span:
    """The characters that a finding underlines.

    A scalar: its value. A section or list: its key, since its value may fill a page. What was not written: the key of
    the nearest parent that was, and the first key of the document where that is the document itself.
    """
    places = resolved.spec_places if place.document == "spec" else resolved.sref_places
    path = place.path
    while path and path not in places:
        path = path[:-1]
    if not path:
        return _first_key(places)
    whole = path != place.path or _has_parts(path, places)
    return places[path].name if whole else places[path].value


def _has_parts(path: Path, places: Places) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in places)


def _first_key(places: Places) -> Span:
    names = (places[path].name for path in places if len(path) == 1)
    return min(names, key=lambda span: span.start, default=places.source.span(0, 0))


def _crash(code: str, error: Exception) -> Diagnostic:
    return Diagnostic(
        code=CRASHED,
        message=f"the rule {code} failed: {type(error).__name__}: {error}",
        help="this is a bug of synthspec; please report it with the spec. The other rules were checked.",
    )
