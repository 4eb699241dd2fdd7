"""Which item of one list is which of another: by what they are called, not by where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Item:
    """An item, where it stands in its list, and what it is called."""

    model: BaseModel
    number: int
    called: str


def matched(
    old: Sequence[BaseModel], new: Sequence[BaseModel], key: Sequence[str]
) -> Iterator[tuple[Item | None, Item | None]]:
    """Pairs of items with equal names; of several with one name the equal ones first, then in order. None is no partner."""
    before, after = _named(old, key), _named(new, key)
    for name in dict.fromkeys((*before, *after)):
        left, right = before.get(name, []), after.get(name, [])
        for item in list(left):
            twin = next((other for other in right if other.model == item.model), None)
            if twin is not None:
                left.remove(item)
                right.remove(twin)
                yield item, twin
        for number in range(max(len(left), len(right))):
            yield (
                left[number] if number < len(left) else None,
                right[number] if number < len(right) else None,
            )


def _named(models: Sequence[BaseModel], key: Sequence[str]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for number, model in enumerate(models):
        name = " ".join(str(getattr(model, part, "")) for part in key)
        same = found.setdefault(name, [])
        same.append(Item(model, number, f"{name}#{len(same) + 1}" if same else name))
    return found
