"""What the reader hands on: plain values, and beside them the place of every node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from synthspec.text import Path, Place, Places, Source

M_co = TypeVar("M_co", covariant=True)
Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = "Scalar | tuple[Value, ...] | dict[str, Value]"
"""A node of a document: a scalar, a sequence (a tuple), or a mapping with text keys."""

MAX_BYTES = 1 << 20
MAX_NODES = 50_000
MAX_DEPTH = 64
MAX_SCALAR = 1 << 16
MAX_KEY = 256
MAX_FINDINGS = 100
"""The limits on one file. Keys and other scalars are counted in code points; nothing is read past the last finding."""

NodeSpan = tuple[int, int, int, int]
"""Offsets of a node: value start and end, key start and end; the key's are -1 where there is none."""


@dataclass(frozen=True)
class NodeSpans(Mapping[Path, Place]):
    """The places of a document's nodes, made when asked for: thousands are recorded, a few are ever looked at."""

    source: Source
    offsets: Mapping[Path, NodeSpan] = field(repr=False)

    def __getitem__(self, path: Path) -> Place:
        start, end, key_start, key_end = self.offsets[path]
        key = self.source.span(key_start, key_end) if key_start >= 0 else None
        return Place(self.source.span(start, end), key)

    def __contains__(self, path: object) -> bool:
        return path in self.offsets

    def __iter__(self) -> Iterator[Path]:
        return iter(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True, slots=True)
class Composed:
    """One document: its root mapping and the place of every node.

    `doubtful` are the paths whose value was refused, `incomplete` the mappings of which a key was refused: later stages
    look past both, since what they would find there follows from what was reported already.
    """

    value: dict[str, Value] = field(repr=False)
    places: Places = field(repr=False)
    doubtful: frozenset[Path] = frozenset()
    incomplete: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Recovered(Generic[M_co]):
    """A model of what could be read of a document, and the keys whose value is not what was written."""

    model: M_co = field(repr=False)
    lost: frozenset[Path] = frozenset()
