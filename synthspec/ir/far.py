"""Whole numbers of 2^53 and more, which RFC 8785 cannot carry: texts in canonical JSON, numbers again where one is meant.

A carrier density of 1e18 / cm^3 is such a number. Which texts are numbers only the models know: they are asked first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from synthspec.ir.canonical import Json, to_json

T = TypeVar("T")


def read_with_far(read: Callable[[bytes], T], data: bytes) -> T:
    """What `read` makes of the canonical JSON `data`. Raises pydantic.ValidationError as `read` does."""
    try:
        return read(data)
    except ValidationError as error:
        meant = _meant(data, error)
        if meant is None:
            raise
    return read(meant)


def _meant(data: bytes, error: ValidationError) -> bytes | None:
    """`data` with numbers for the far ones that `error` complains of; None where there are none."""
    tree, found = json.loads(data), False
    for each in error.errors(include_url=False, include_context=False):
        number = _number(each["type"], each["input"])
        found |= number is not None and _put(tree, each["loc"], number)
    return json.dumps(tree).encode() if found else None


def _number(kind: str, text: object) -> float | int | None:
    """The number that canonical JSON spells as `text`, where one of this kind was asked for."""
    if not isinstance(text, str) or kind not in {"float_type", "int_type"}:
        return None
    try:
        number = float(text) if kind == "float_type" else int(text)
    except ValueError:
        return None
    return number if to_json(number) == text else None


def _put(tree: Json, place: tuple[int | str, ...], number: float) -> bool:
    """Put `number` at `place`, in which the names of members of unions stand between the keys."""
    node, put = tree, None
    for part in place:
        branches: dict[int | str, Json] = dict(_branches(node))
        if part in branches:
            put, node = partial(_set, node, part), branches[part]
    if put is None or not isinstance(node, str):
        return False
    put(number)
    return True


def _branches(node: Json) -> Iterable[tuple[int | str, Json]]:
    return node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()


def _set(holder: Json, key: int | str, number: float) -> None:
    if isinstance(holder, dict):
        holder[str(key)] = number
    elif isinstance(holder, list):
        holder[int(key)] = number
