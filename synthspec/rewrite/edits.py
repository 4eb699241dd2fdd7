"""Edits of a text: a range and what takes its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Offsets of the characters that go, and the text that comes; an insertion has an empty range."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Edited:
    """The text after the edits, and where each of those made now stands in it."""

    text: str
    ranges: tuple[tuple[int, int], ...]


def apply_edits(text: str, edits: Iterable[Edit]) -> Edited:
    """`text` with `edits` made, from front to back. One that overlaps an earlier one is left out."""
    parts: list[str] = []
    ranges: list[tuple[int, int]] = []
    position = length = 0
    for edit in sorted(edits):
        if edit.start < position:
            continue
        kept = text[position : edit.start]
        parts += [kept, edit.text]
        length += len(kept)
        ranges.append((length, length + len(edit.text)))
        length += len(edit.text)
        position = edit.end
    parts.append(text[position:])
    return Edited("".join(parts), tuple(ranges))
