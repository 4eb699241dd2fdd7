"""The stack of a reading: the mappings and sequences that are open, and where the next node goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from synthspec.parse.document import Value
from synthspec.parse.refusals import Range
from synthspec.text import Path

NO_KEY: Range = (-1, -1)


@dataclass(slots=True)
class Key:
    """The key whose value comes next. What belongs to a key that is not `kept` is read and dropped."""

    text: str
    place: Range
    kept: bool = True
    muted: bool = False


class Slot(NamedTuple):
    """Where the next value goes. When `muted`, findings inside would only repeat one that was made further out."""

    path: Path
    key: Range = NO_KEY
    kept: bool = True
    muted: bool = False


@dataclass(slots=True)
class Frame:
    """A mapping or sequence being read."""

    slot: Slot
    start: int
    end: int
    flow: bool
    children: dict[str, Value] | list[Value]
    seen: dict[str, Range] = field(default_factory=dict)
    key: Key | None = None

    @property
    def wants_key(self) -> bool:
        return self.key is None and isinstance(self.children, dict)

    def next_slot(self) -> Slot:
        """Where the next value goes; in a mapping, after its key."""
        path, _, kept, muted = self.slot
        if self.key is None:
            return Slot((*path, len(self.children)), NO_KEY, kept, muted)
        key = self.key
        return Slot((*path, key.text), key.place, kept and key.kept, muted or key.muted)
