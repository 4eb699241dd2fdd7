"""What a rule is: a function from a resolved spec to findings, with a code, a severity and a page of its own.

`rule` returns a value and registers nothing; the table is the explicit tuple in ``synthspec.rules``. A rule does no I/O
and sees no backend. Its module's docstring is its page, see `synthspec.rules.page`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

from synthspec.diag import Diagnostic, Related, Severity
from synthspec.ir.resolved import ResolvedSpec
from synthspec.spec.sref import SRef
from synthspec.text import Path, Places, Span

if TYPE_CHECKING:
    from synthspec.rules.page import Page

CRASHED = "internal.rule-crashed"
MOST = 100
"""Findings of one rule about one document: a hostile one can hold fifty thousand, and nobody reads so many."""


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
SRefCheck = Callable[[SRef], Iterator[Finding]]
Believe = Callable[[Diagnostic], bool]
"""Whether a finding that has just come is believed."""


def believe_all(found: Diagnostic) -> bool:
    """Every finding is believed: the documents could be read."""
    del found
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of section 6 of the language.

    Findings of a rule in `after` make those of this one mere consequences, unless each is about another item of a list.
    """

    code: str
    severity: Severity
    check: Check = field(repr=False)
    module: str
    """Where the rule is written; its docstring is the page."""
    after: tuple[str, ...] = ()
    sref_check: SRefCheck | None = field(default=None, repr=False)
    """Set when the rule asks about the SRef alone: it then also holds for an SRef that no spec uses yet."""

    @property
    def page(self) -> Page:
        """Why, Refs, Bad and Good, read from the docstring when asked for."""
        from synthspec.rules.page import parse_page

        return parse_page(sys.modules[self.module].__doc__ or "")

    def run(self, resolved: ResolvedSpec, believe: Believe = believe_all) -> tuple[Diagnostic, ...]:
        """All findings about a spec as diagnostics, those of a rule that crashed included.

        `believe` is asked with each finding as it comes: whether what the rule has looked at so far could be read.
        """
        return self._answer(lambda: self.check(resolved), resolved.spec_places, resolved.sref_places, believe)

    def run_sref(self, sref: SRef, places: Places, believe: Believe = believe_all) -> tuple[Diagnostic, ...]:
        """All findings about an SRef alone; none for a rule about specs."""
        asked = self.sref_check
        return () if asked is None else self._answer(lambda: asked(sref), places, places, believe)

    def _answer(
        self, ask: Callable[[], Iterator[Finding]], spec: Places, sref: Places, believe: Believe
    ) -> tuple[Diagnostic, ...]:
        def diagnostic(finding: Finding) -> Diagnostic:
            return Diagnostic(
                code=self.code,
                message=finding.message,
                help=finding.help,
                span=span_of(finding.at, spec, sref),
                path=finding.at.path,
                severity=self.severity,
                related=tuple(Related(note.message, span_of(note.at, spec, sref)) for note in finding.related),
            )

        try:
            return tuple(islice((found for found in map(diagnostic, ask()) if believe(found)), MOST))
        except Exception as error:  # noqa: BLE001 - whatever a broken rule raises, the other rules still speak
            return (_crash(self.code, error),)


def rule(
    *,
    code: str,
    severity: Severity = Severity.ERROR,
    after: tuple[str, ...] = (),
    sref_check: SRefCheck | None = None,
) -> Callable[[Check], Rule]:
    """Make a `Rule` of a function that yields findings about a spec; `sref_check` finds those of the SRef alone."""

    def wrap(check: Check) -> Rule:
        module = check.__module__
        return Rule(code=code, severity=severity, check=check, module=module, after=after, sref_check=sref_check)

    return wrap


def sref_rule(
    *, code: str, severity: Severity = Severity.ERROR, after: tuple[str, ...] = ()
) -> Callable[[SRefCheck], Rule]:
    """Make a `Rule` of a function that yields findings about an SRef."""

    def wrap(asked: SRefCheck) -> Rule:
        def check(resolved: ResolvedSpec) -> Iterator[Finding]:
            return asked(resolved.sref)

        module = asked.__module__
        return Rule(code=code, severity=severity, check=check, module=module, after=after, sref_check=asked)

    return wrap


def span_of(place: At, spec: Places, sref: Places) -> Span:
    """The characters that a finding underlines.

    A scalar: its value. A section or list: its key, since its value may fill a page. What was not written: the key of
    the nearest parent that was, and the first key of the document where that is the document itself.
    """
    places = spec if place.document == "spec" else sref
    path = place.path
    while path and path not in places:
        path = path[:-1]
    if not path:
        return _first_key(places)
    whole = path != place.path or path in places.parents
    return places[path].name if whole else places[path].value


def _first_key(places: Places) -> Span:
    names = (places[path].name for path in places if len(path) == 1)
    return min(names, key=lambda span: span.start, default=places.source.span(0, 0))


def _crash(code: str, error: Exception) -> Diagnostic:
    return Diagnostic(
        code=CRASHED,
        message=f"the rule {code} failed: {type(error).__name__}: {error}",
        help="this is a bug of synthspec; please report it with the spec. The other rules were checked.",
    )
