"""What becomes of one guard when its value changes: a function for each way to compare (`synthspec.spec.guards`).

Each answers None where the two values mean the same. Each is mirrored: told backwards, the answer is the mirrored one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from synthspec.ir.change import Direction
from synthspec.spec.guards import Guard
from synthspec.units import Quantity

LOOSENED, TIGHTENED, BOTH = Direction.LOOSENED, Direction.TIGHTENED, Direction.BOTH
UNKNOWN, NEUTRAL = Direction.UNKNOWN, Direction.NEUTRAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two values of a field with the models that they stand in, and what some comparisons need to know beside."""

    guard: Guard
    old: object
    new: object
    old_owner: object = None
    new_owner: object = None
    multipliers: tuple[float | None, float | None] = (None, None)
    """The noise that is in force on either side, solved where it says auto."""
    non_negative: Callable[[str], bool] = lambda _: False
    schemas: bool = False
    """Whether the schemas of both sides were found, and are compared themselves."""


def step(*, loosens: bool) -> Direction:
    """The direction of a step that loosens, or of one that tightens."""
    return LOOSENED if loosens else TIGHTENED


def absence(pair: Pair) -> Direction:
    """One side is not written."""
    if pair.guard.absent == "review":
        return UNKNOWN
    return step(loosens=(pair.new is None) == (pair.guard.absent == "loose"))


def same(old: object, new: object) -> bool:
    """Whether two plain values mean the same: quantities by their size, lists part by part, all else by equality."""
    if isinstance(old, Quantity) and isinstance(new, Quantity):
        return old.unit.kind == new.unit.kind and math.isclose(old.si, new.si, rel_tol=1e-12)
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(map(same, old, new))
    return type(old) is type(new) and old == new


def _number(pair: Pair) -> Direction | None:
    if same(pair.old, pair.new):
        return None
    if pair.old is None or pair.new is None:
        return absence(pair)
    before, after = _size(pair.old), _size(pair.new)
    if before is None or after is None:
        return UNKNOWN
    if before == after:
        return None
    return step(loosens=(after > before) == (pair.guard.loosens == "up"))


def _size(value: object) -> float | None:
    if isinstance(value, Quantity):
        return value.si
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _scale(pair: Pair) -> Direction | None:
    if pair.old == pair.new:
        return None
    if (pair.old is None or pair.new is None) and _rank(pair.guard, None) is None:
        absent = pair.guard.absent
        # The last step of a scale may itself be what nothing written means (`mechanism: none`).
        if absent == "loose" and _rank(pair.guard, pair.new if pair.old is None else pair.old) == _last(pair.guard):
            return UNKNOWN
        return absence(pair)
    before, after = _rank(pair.guard, pair.old), _rank(pair.guard, pair.new)
    if before is None or after is None or before == after:
        return UNKNOWN
    return step(loosens=after > before)


def _last(guard: Guard) -> int:
    return len(guard.scale) - 1


def _rank(guard: Guard, value: object) -> int | None:
    word = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return next((rank for rank, words in enumerate(guard.scale) if word in words), None)


def _pin(pair: Pair) -> Direction | None:
    if same(pair.old, pair.new):
        return None
    return absence(pair) if pair.old is None or pair.new is None else UNKNOWN


def _set(pair: Pair) -> Direction | None:
    if pair.old is None and pair.new is None:
        return None
    if pair.old is None or pair.new is None:
        return absence(pair)
    before, after = _members(pair.old), _members(pair.new)
    gained, lost = bool(after - before), bool(before - after)
    if gained and lost:
        return BOTH
    if not gained and not lost:
        return None if pair.old == pair.new else NEUTRAL
    return step(loosens=gained == (pair.guard.loosens == "more"))


def _members(value: object) -> frozenset[tuple[str, object]]:
    # 1 and True are equal in Python, and two members in a file.
    return frozenset((type(each).__name__, each) for each in cast("tuple[object, ...]", value))


def _review(pair: Pair) -> Direction | None:
    return None if same(pair.old, pair.new) else UNKNOWN


def _free(pair: Pair) -> Direction | None:
    return None if same(pair.old, pair.new) else NEUTRAL


Law = Callable[[Pair], Direction | None]
BASIC: Mapping[str, Law] = {
    "number": _number,
    "scale": _scale,
    "pin": _pin,
    "set": _set,
    "review": _review,
    "free": _free,
}
