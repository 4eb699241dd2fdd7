"""What stands against a change: guards that nobody allowed to loosen, and rules of the base that are not true."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pydantic import BaseModel

from synthspec.diag import Diagnostic, Related, Severity
from synthspec.ir.change import Change, Direction, Review, Reviewed
from synthspec.review.documents import Loaded
from synthspec.review.policies import Governing, denied, permissions
from synthspec.spec.base import Metadata
from synthspec.text import Places
from synthspec.units import Quantity

Values = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A reviewed document with both sides as they were read."""

    reviewed: Reviewed
    old: Loaded | None
    new: Loaded | None

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(side.path for side in (self.new, self.old) if side is not None)

    @property
    def labels(self) -> frozenset[str]:
        found: set[str] = set()
        for side in (self.old, self.new):
            metadata = None if side is None else getattr(side.model, "metadata", None)
            found.update((metadata.labels or ()) if isinstance(metadata, Metadata) else ())
        return frozenset(found)


def judge_review(
    documents: Sequence[Judged], policies: Sequence[Governing], approved: Collection[str] = (), *, strict: bool = False
) -> Review:
    """The whole answer: each loosening that is neither approved nor allowed by a policy is an error, and so is each rule
    of severity block that is anything but true. Where it is `strict`, what a person has to judge counts as a loosening.
    """
    review = Review(documents=tuple(judged.reviewed for judged in documents), strict=strict)
    findings: list[Diagnostic] = []
    allowed: list[tuple[str, str]] = []
    for judged in documents:
        values = _values(judged, documents)
        for change in judged.reviewed.changes:
            stands = review.answers_for(change)
            by = _allowed_by(change, judged, policies, values, approved) if stands else ""
            if by:
                allowed.append((change.fingerprint, by))
            findings += _told(change, by, stands=stands)
        findings += _unreadable(judged)
        findings += _version(judged)
        if judged.reviewed.kind == "EngineSpec" and judged.new is not None:
            findings += _rules(judged, policies, values)
    return replace(
        review,
        findings=tuple(findings),
        allowed=tuple(allowed),
        policies=tuple(policy.shown for policy in policies),
    )


def _allowed_by(
    change: Change, judged: Judged, policies: Sequence[Governing], values: Values, approved: Collection[str]
) -> str:
    if change.fingerprint in approved:
        return "approved"
    mine = {**values, "change": change.as_json()}
    for policy, permission in permissions(policies):
        if (
            policy.covers(judged.paths, judged.labels, permission.stated.scope)
            and permission.program.ask(mine).value is True
        ):
            return f"{policy.name} {permission.stated.id}"
    return ""


def _told(change: Change, by: str, *, stands: bool) -> Iterator[Diagnostic]:
    """A loosening, and what a person has to judge, as a finding; what is tightened or neutral stands against nothing."""
    if not change.direction.loosens and change.direction is not Direction.UNKNOWN:
        return
    if by:
        advice = f"allowed: {by}"
    elif stands:
        advice = f"take it back, or have it approved: --approve {change.fingerprint}"
    else:
        advice = "no direction is known: look at it"
    related = () if change.old_span is None else (Related("before", change.old_span),)
    yield Diagnostic(
        code=change.code,
        message=f"{change.direction.value}, risk {change.risk.value}: {change.says}",
        help=advice,
        span=change.span,
        path=change.path,
        severity=Severity.ERROR if stands and not by else Severity.WARNING,
        related=related,
    )


def _unreadable(judged: Judged) -> Iterator[Diagnostic]:
    """What is broken cannot be reviewed, and is not waved through."""
    if judged.new is not None and judged.new.document is None:
        yield from (fault for fault in judged.new.faults if fault.is_error)


def _version(judged: Judged) -> Iterator[Diagnostic]:
    bump = judged.reviewed.bump
    if bump is None or bump.enough:
        return
    places = _places(judged.new)
    path = ("metadata", "version")
    yield Diagnostic(
        code="review.version",
        message=f"{bump.old} -> {bump.new}: the changes ask for a {bump.required} step",
        help="raise metadata.version: who relied on the old promise reads it there",
        span=None if places is None else places.value(path),
        path=path,
        severity=Severity.WARNING,
    )


def _rules(judged: Judged, policies: Sequence[Governing], values: Values) -> Iterator[Diagnostic]:
    places = _places(judged.new)
    fallback = None if places is None else places.value(("kind",))
    for policy in policies:
        for rule in policy.rules:
            if not policy.covers(judged.paths, judged.labels, rule.stated.scope):
                continue
            # Only a plain false excuses a rule from being asked.
            if rule.when is not None and rule.when.ask(values).value is False:
                continue
            answer = rule.program.ask(values)
            if answer.value is True:
                continue
            why = (
                "the rule is false of this change" if answer.value is False else f"the rule has no answer: {answer.why}"
            )
            yield denied(policy, rule, why, places, fallback)


def _places(document: Loaded | None) -> Places | None:
    return None if document is None or document.document is None else document.document.places


def _values(judged: Judged, documents: Sequence[Judged]) -> Values:
    """What expressions read: both resolved sides, every change of the spec and of its schema, and what follows."""
    schemas = {side.sref.path for side in (judged.old, judged.new) if side is not None and side.sref is not None}
    own = [
        change.as_json()
        for other in documents
        if other is judged or (other.reviewed.kind == "SRef" and schemas.intersection(other.paths))
        for change in other.reviewed.changes
    ]
    effects = {
        effect.name.replace(" ", "_"): _present(old=effect.old, new=effect.new) for effect in judged.reviewed.effects
    }
    bump = judged.reviewed.bump
    return {
        "new": _plain(judged.new),
        "old": _plain(judged.old),
        "new_sref": _plain(None if judged.new is None else judged.new.sref),
        "old_sref": _plain(None if judged.old is None else judged.old.sref),
        "changes": own,
        "effects": effects,
        "bump": {} if bump is None else {"required": bump.required, "enough": bump.enough},
        "path": judged.paths[0],
    }


def _present(**values: object) -> Values:
    return {name: value for name, value in values.items() if value is not None}


def _plain(document: Loaded | None) -> Values:
    return {} if document is None or document.model is None else cast("Values", _view(document.model))


def _view(value: object) -> object:
    """A model as plain values: every default spelled out, nothing for what is absent, quantities as numbers in SI."""
    match value:
        case BaseModel():
            fields = type(value).model_fields.items()
            return _present(**{info.alias or name: _view(getattr(value, name)) for name, info in fields})
        case Quantity():
            return value.si
        case tuple() | list():
            return [_view(each) for each in value]
        case Mapping():
            return {str(name): _view(each) for name, each in value.items()}
        case _:
            return value
