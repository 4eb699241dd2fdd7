"""Diagnostics and outcomes: how a stage says what is wrong, where, and what to do.

A user's fault is a `Diagnostic` with a span. An exception is for a bug or for the world (a missing extra, a full disk).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from synthspec.text import Path, Span, pointer

A_co = TypeVar("A_co", covariant=True)
B = TypeVar("B")
MOST_NAMES = 24
"""More choices than this are no help."""
_MANY = 200
"""Of more names than these only such are compared letter by letter as are alike at first sight."""


class Severity(Enum):
    """How much a finding matters: an error stops the pipeline, a warning does not."""

    ERROR = "error"
    WARNING = "warning"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return 0 if self is Severity.ERROR else 1


@dataclass(frozen=True, slots=True)
class Related:
    """The other half of a finding: the SRef field, the earlier declaration."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fix:
    """A guess at what was meant: `text` in the place of `span`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    `message` says what is wrong, `help` what to do; `code` is ``<axiom>.<offence>``; `path` is the place in the document
    that the machine formats print as a JSON pointer.
    """

    code: str
    message: str
    help: str
    span: Span | None = None
    path: Path = ()
    severity: Severity = Severity.ERROR
    related: tuple[Related, ...] = field(default=())
    fix: Fix | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    @property
    def file(self) -> str:
        """The name of the file it is about; empty when it is about none."""
        return self.span.source.name if self.span else ""

    @property
    def fingerprint(self) -> str:
        """A digest that stays the same when lines move: code, file, pointer and message, but no line number."""
        # Text shows no fingerprint, and the digests of OpenSSL take 3 ms to load.
        import hashlib
        import json

        identity = json.dumps([self.code, self.file, pointer(self.path), self.message])
        return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[A_co]):
    """What a stage returns: a value or nothing, plus *all* the diagnostics it found.

    A value may come with warnings. With an error there may still be a value (the part that could be understood), which
    lets the next stage find more; `ok` tells whether it may be built on.
    """

    value: A_co | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        """True when there is a value and no error."""
        return self.value is not None and not any(d.is_error for d in self.diagnostics)

    def then(self, step: Callable[[A_co], Outcome[B]]) -> Outcome[B]:
        """Go on with `step` when this is `ok`, keeping what was found so far; stop here otherwise."""
        if self.value is None or not self.ok:
            return Outcome(None, self.diagnostics)
        following = step(self.value)
        return Outcome(following.value, self.diagnostics + following.diagnostics)


def failure(diagnostics: Iterable[Diagnostic]) -> Outcome[B]:
    """An outcome without a value."""
    return Outcome(None, tuple(diagnostics))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name that the misspelt `word` is most like, whatever its case; None when it is like none.

    >>> nearest("seeed", ["seed", "epochs"]), nearest("lx", ["lr", "name"]), nearest("xyz", ["lr", "name"])
    ('seed', 'lr', None)
    >>> nearest("learning_rate", ["lr", "name"])
    'lr'
    """
    folded = {name.casefold(): name for name in sorted(set(known))}
    written = word.casefold()
    if len(folded) > _MANY:
        folded = {name: folded[name] for name in islice(filter(partial(_alike, written), folded), _MANY)}
    near = difflib.get_close_matches(written, folded, n=1, cutoff=0.6)
    near = near or _one_letter_off(written, folded) or _initials(written, folded)
    return folded[near[0]] if near else None


def _alike(word: str, name: str) -> bool:
    """Whether a closer look is worth its time: of about the same length, and one of the ends is the same."""
    return abs(len(name) - len(word)) <= 2 and (name[:1] == word[:1] or name[-1:] == word[-1:])


def _one_letter_off(word: str, known: Iterable[str]) -> list[str]:
    """A name of two or three letters is half another one by a single slip; where only one such name is known, it is meant."""
    if not 1 < len(word) < 4:
        return []
    near = [name for name in known if len(name) == len(word) and sum(map(str.__ne__, name, word)) == 1]
    return near if len(near) == 1 else []


def _initials(word: str, known: Iterable[str]) -> list[str]:
    """`lr` for `learning_rate`, or the other way round; where only one such name is known, it is meant."""

    def initials(name: str) -> str:
        return "".join(part[:1] for part in re.split(r"[_\-\s]", name))

    near = [
        name for name in known if min(len(word), len(name)) > 1 and (initials(word) == name or initials(name) == word)
    ]
    return near if len(near) == 1 else []


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Help text for a misspelt name: the nearest known one first, else the whole choice.

    >>> did_you_mean("seeed", ["seed", "epochs"])
    "did you mean 'seed'?"
    """
    names = sorted(set(known))
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near!r}?"
    if not names:
        return "nothing is known here"
    rest = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return "known: " + ", ".join(names[:MOST_NAMES]) + rest
