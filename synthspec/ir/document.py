"""One parsed document: its model with the places of everything in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from synthspec.text import Path, Places

M_co = TypeVar("M_co", covariant=True)
ANY_KEY = "*"
"""The last part of a lost path where a key could not be read: it may have been any that seems not to be there."""


@dataclass(frozen=True, slots=True)
class Document(Generic[M_co]):
    """A model of the surface language and where each of its values was written."""

    model: M_co
    places: Places = field(compare=False)
    lost: frozenset[Path] = field(compare=False, default=frozenset())
    """Keys whose value could not be read: whatever is concluded from them may follow from that alone."""

    def is_sound(self, path: Path) -> bool:
        """Whether the value at `path` is the one that was written; False for what stands in for it."""
        return not any(path[: len(lost)] == lost for lost in self.lost)
