"""Source texts and places in them: what every diagnostic points at.

This is the ground floor: it imports nothing of the package. Offsets count Unicode code points from 0;
lines and columns, which people and editors read, count from 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

Path = tuple[str | int, ...]
"""Where a value sits in a document: keys and list indices from the root."""


def counted(number: int, noun: str) -> str:
    """``1 release``, ``2 releases``: the one way in which messages count things whose plural ends in s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def pointer(path: Path) -> str:
    """Write `path` as a JSON pointer (RFC 6901): ``("privacy", "clip")`` is ``/privacy/clip``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


@dataclass(frozen=True)
class Source:
    """A text and the name it is shown under (a path relative to where the user stands, or ``<stdin>``)."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        starts, end = [0], self.text.find("\n")
        while end >= 0:
            starts.append(end + 1)
            end = self.text.find("\n", end + 1)
        return tuple(starts)

    def line_column(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of a 0-based `offset`; past the end is the place after the last character."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of the 1-based line `number` without its line break; empty when there is no such line."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r\n")

    def span(self, start: int, end: int | None = None) -> Span:
        """The place from offset `start` up to, not including, `end` (one character when left out)."""
        return Span(self, start, start + 1 if end is None else end)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in one source."""

    source: Source
    start: int
    end: int

    @property
    def begin(self) -> tuple[int, int]:
        """1-based (line, column) of the first character."""
        return self.source.line_column(self.start)

    @property
    def stop(self) -> tuple[int, int]:
        """1-based (line, column) just after the last character."""
        return self.source.line_column(max(self.start, self.end))

    @property
    def text(self) -> str:
        """The characters inside."""
        return self.source.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Place:
    """The spans of one node of a document: its value, and its key when it sits in a mapping."""

    value: Span
    key: Span | None = None

    @property
    def name(self) -> Span:
        """The key where there is one, else the value: where a message about the whole entry points."""
        return self.key or self.value


@dataclass(frozen=True)
class Places(Mapping[Path, Place]):
    """Every node of one parsed document by its path. It rides beside the values and never enters a digest."""

    source: Source
    entries: Mapping[Path, Place] = field(repr=False)

    def __getitem__(self, path: Path) -> Place:
        return self.entries[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def parents(self) -> frozenset[Path]:
        """The paths that have parts."""
        return frozenset(path[:-1] for path in self.entries if path)

    def nearest(self, path: Path) -> Place:
        """The place of `path`, or of its closest ancestor that was written (a missing key is reported at its parent)."""
        for length in range(len(path), -1, -1):
            place = self.entries.get(path[:length])
            if place is not None:
                return place
        return Place(self.source.span(0, 0))

    def value(self, path: Path) -> Span:
        """The span of the value at `path`, or the name of its closest written ancestor."""
        place = self.nearest(path)
        return place.value if path in self.entries else place.name
