"""Policies: loaded from the base of a change, checked before they are asked, and asked of every changed document."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import cast

from synthspec.diag import Diagnostic, Related, Severity
from synthspec.review.cel import CelError, Kind, Program, engine
from synthspec.review.documents import Loaded
from synthspec.review.references import references, typed, unknown
from synthspec.spec.policy import Allowance, Policy, PolicyRule, Scope
from synthspec.text import Path, Places, Span

VARIABLES: dict[str, Kind] = {
    "new": "map",
    "old": "map",
    "new_sref": "map",
    "old_sref": "map",
    "changes": "maps",
    "effects": "map",
    "bump": "map",
    "path": "string",
}
"""What every expression of a policy may read; those of `allow` also `change`."""
OF_A_CHANGE: dict[str, Kind] = {**VARIABLES, "change": "map"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule, ready to be asked."""

    stated: PolicyRule
    when: Program | None
    program: Program
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """An entry of `allow`, ready to be asked."""

    stated: Allowance
    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Governing:
    """A policy of the base and the folder that it governs."""

    name: str
    path: str
    shown: str
    folder: str
    scope: Scope
    rules: tuple[Rule, ...] = ()
    allow: tuple[Permission, ...] = ()

    def covers(self, paths: Iterable[str], labels: frozenset[str], scope: Scope) -> bool:
        """Whether a document at any of `paths`, with any of `labels`, is meant by the policy and by `scope` within it.

        Both sides of a change are given, so that nobody escapes by a move or by taking a label off.
        """
        below = [_below(path, self.folder) for path in paths]
        return any(each is not None for each in below) and all(
            _meant(each, [path for path in below if path is not None], labels) for each in (self.scope, scope)
        )


@dataclass
class Loading:
    """What became of the policies of a base."""

    governing: list[Governing] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)


def load_policies(documents: Iterable[Loaded], *, everywhere: bool = False) -> Loading:
    """Every policy among `documents` with its rules compiled. Raises CelMissingError where there is one and no CEL.

    A policy governs what lies beside or below its folder; one in a folder called ``policies``, what lies beside or below
    that. With `everywhere` it governs all.
    """
    loading = Loading()
    for document in documents:
        if document.kind != "Policy":
            continue
        if document.document is None:
            loading.faults += document.faults
            continue
        loading.governing.append(_governing(document, loading.faults, everywhere=everywhere))
    return loading


def _governing(document: Loaded, faults: list[Diagnostic], *, everywhere: bool) -> Governing:
    policy, places = cast("Policy", document.model), cast("Places", document.document and document.document.places)
    compiler = _Compiler(places, faults)
    compiler.told_apart("rules", [rule.id for rule in policy.rules])
    compiler.told_apart("allow", [allowance.id for allowance in policy.allow])
    rules = [compiler.rule(number, rule) for number, rule in enumerate(policy.rules)]
    allow = [compiler.permission(number, allowance) for number, allowance in enumerate(policy.allow)]
    folder = posixpath.dirname(document.path)
    if posixpath.basename(folder) == "policies":
        folder = posixpath.dirname(folder)
    return Governing(
        name=policy.metadata.name,
        path=document.path,
        shown=document.shown,
        folder="" if everywhere else folder,
        scope=policy.scope,
        rules=tuple(rule for rule in rules if rule is not None),
        allow=tuple(each for each in allow if each is not None),
    )


@dataclass(frozen=True)
class _Compiler:
    places: Places
    faults: list[Diagnostic]

    def told_apart(self, section: str, ids: Sequence[str]) -> None:
        """Findings, examples and reviewers name a rule by its id: each has one of its own."""
        for number, name in enumerate(ids):
            if name in ids[:number]:
                where: Path = (section, number, "id")
                message = f"{section}[{ids.index(name)}] is called {name!r}, too"
                self._refuse(message, "give each an id of its own: findings and examples name it", where)

    def rule(self, number: int, rule: PolicyRule) -> Rule | None:
        where: Path = ("rules", number)
        program = self._compiled(rule.expr, (*where, "expr"), VARIABLES)
        when = None if rule.when is None else self._compiled(rule.when, (*where, "when"), VARIABLES)
        if program is None or (when is None and rule.when is not None):
            return None
        return Rule(stated=rule, when=when, program=program, span=self.places.value((*where, "expr")))

    def permission(self, number: int, allowance: Allowance) -> Permission | None:
        program = self._compiled(allowance.expr, ("allow", number, "expr"), OF_A_CHANGE)
        return None if program is None else Permission(stated=allowance, program=program)

    def _compiled(self, text: str, where: Path, variables: dict[str, Kind]) -> Program | None:
        wrong = next(filter(None, map(unknown, references(text))), "")
        try:
            if not wrong:
                checked, more = typed(text)
                engine().compile(checked, {**variables, **more})
                return engine().compile(text, variables)
        except CelError as error:
            wrong = str(error)
        self._refuse(wrong, f"an expression of CEL over {', '.join(variables)} that is true or false", where)
        return None

    def _refuse(self, message: str, advice: str, where: Path) -> None:
        span = self.places.value(where)
        self.faults.append(Diagnostic(code="policy.invalid", message=message, help=advice, span=span, path=where))


def denied(policy: Governing, rule: Rule, why: str, places: Places | None, fallback: Span | None) -> Diagnostic:
    """The finding that `rule` is not true of a change, at the first value that the rule reads."""
    read = (reference.path for reference in references(rule.stated.expr) if reference.root == "new")
    path = next((path for path in read if places is not None and path in places), ())
    span = places.value(path) if places is not None and path else fallback
    related = (Related(f"the rule, as the base has it ({policy.shown})", rule.span),)
    return Diagnostic(
        code="policy.denied",
        message=f"{policy.name} {rule.stated.id}: {rule.stated.message}",
        help=why,
        span=span,
        path=path,
        severity=Severity.ERROR if rule.stated.severity == "block" else Severity.WARNING,
        related=related,
    )


def _below(path: str, folder: str) -> str | None:
    if not folder:
        return path
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else None


def _meant(scope: Scope, paths: Sequence[str], labels: frozenset[str]) -> bool:
    by_path = not scope.paths or any(fnmatchcase(path, pattern) for path in paths for pattern in scope.paths)
    by_label = not scope.labels or not labels.isdisjoint(scope.labels)
    return by_path and by_label


def permissions(policies: Iterable[Governing]) -> Iterator[tuple[Governing, Permission]]:
    """Every entry of `allow` with the policy that it stands in."""
    for policy in policies:
        for permission in policy.allow:
            yield policy, permission
