"""What a change to a spec does to its promises: the answer of a review, frozen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from synthspec.diag import Diagnostic
from synthspec.ir.canonical import Json, to_json
from synthspec.text import Path, Span, pointer


class Direction(Enum):
    """What a change does to what was promised. `UNKNOWN` is for a person to judge."""

    LOOSENED = "loosened"
    BOTH = "both"
    UNKNOWN = "unknown"
    TIGHTENED = "tightened"
    NEUTRAL = "neutral"

    @property
    def mirrored(self) -> Direction:
        """What the opposite change does."""
        return _MIRROR.get(self, self)

    @property
    def rank(self) -> int:
        """0 for what a reviewer reads first."""
        return tuple(Direction).index(self)

    @property
    def loosens(self) -> bool:
        return self in (Direction.LOOSENED, Direction.BOTH)


_MIRROR = {Direction.LOOSENED: Direction.TIGHTENED, Direction.TIGHTENED: Direction.LOOSENED}


CODE = {
    Direction.LOOSENED: "review.loosened",
    Direction.BOTH: "review.both",
    Direction.UNKNOWN: "review.unknown",
    Direction.TIGHTENED: "review.tightened",
    Direction.NEUTRAL: "review.neutral",
}
"""The codes of changes that have no name of their own."""


class Risk(Enum):
    """How much hangs on a guard."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the highest."""
        return tuple(Risk).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between two resolved documents, located on both sides.

    `name` is the path with list items by what they are called, so
    that it, and the fingerprint, stay the same when lines or items move. `old` and `new` are as the resolved spec writes
    them, None where there is nothing; `path` leads into the new document, and to the nearest parent of what is gone.
    """

    code: str
    direction: Direction
    risk: Risk
    says: str
    document: str
    file: str
    """The new document; the old one where it was deleted."""
    path: Path
    name: Path
    old: object = None
    new: object = None
    span: Span | None = field(default=None, compare=False)
    old_span: Span | None = field(default=None, compare=False)

    @property
    def pointer(self) -> str:
        return pointer(self.path)

    @property
    def kind(self) -> str:
        """The last part of the code."""
        return self.code.partition(".")[2]

    @property
    def fingerprint(self) -> str:
        """What an approval names: the change with both of its values, but no line."""
        import hashlib
        import json

        identity = [
            self.kind,
            self.file,
            pointer(self.name),
            self.direction.value,
            to_json(self.old),
            to_json(self.new),
        ]
        text = json.dumps(identity, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def as_json(self) -> dict[str, Json]:
        """The plain values, as policies and the JSON form know them."""
        return {
            "kind": self.kind,
            "direction": self.direction.value,
            "risk": self.risk.value,
            "document": self.document,
            "path": self.file,
            "pointer": self.pointer,
            "name": pointer(self.name),
            "old": to_json(self.old),
            "new": to_json(self.new),
            "message": self.says,
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A figure that follows from several values of the spec, before and after; None where it is not defined."""

    name: str
    unit: str
    old: float | None
    new: float | None
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """Which operations of the plan would run again, and which results are still good. `unknown` says why none is named."""

    rerun: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bump:
    """The semantic version of a document: before, after, and the least step that its changes ask for."""

    old: str
    new: str
    required: str
    """major, minor, patch, or none."""
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One document against its earlier self. A file is empty where the document was added or deleted."""

    kind: str
    old_file: str
    new_file: str
    changes: tuple[Change, ...] = ()
    guards: int = 0
    """How many guards either side has: what the changes were looked for among."""
    effects: tuple[Effect, ...] = ()
    blast: Blast | None = None
    bump: Bump | None = None

    @property
    def file(self) -> str:
        return self.new_file or self.old_file


@dataclass(frozen=True, kw_only=True)
class Review:
    """The answer to a whole change: documents, what no rule of a governing policy lets pass, and who allowed what."""

    documents: tuple[Reviewed, ...]
    findings: tuple[Diagnostic, ...] = ()
    """What stands against the change: an error for each that nobody allowed."""
    allowed: tuple[tuple[str, str], ...] = ()
    """(fingerprint, who allowed it): a rule of a policy, or an approval."""
    same: int = 0
    """How many documents were looked at beside, and are what they were."""
    policies: tuple[str, ...] = ()
    """The policies that governed, as files of the base."""
    strict: bool = False
    """Whether what a person has to judge stands against the change until somebody has, as a loosening does."""

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """All changes, those with the most at stake first."""
        found = [change for document in self.documents for change in document.changes]
        return tuple(sorted(found, key=_stake))

    @property
    def guards(self) -> int:
        return sum(document.guards for document in self.documents)

    def count(self, direction: Direction) -> int:
        """How many changes go in `direction`."""
        return Counter(change.direction for change in self.changes)[direction]

    def answers_for(self, change: Change) -> bool:
        """Whether somebody has to answer for `change`."""
        return change.direction.loosens or (self.strict and change.direction is Direction.UNKNOWN)

    @property
    def passed(self) -> bool:
        return not any(finding.is_error for finding in self.findings)


def _stake(change: Change) -> tuple[int, int, str, int, str]:
    start = -1 if change.span is None else change.span.start
    return change.direction.rank, change.risk.rank, change.file, start, change.pointer
