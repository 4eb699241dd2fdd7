"""Whether a condition over fields or signals becomes easier or harder to meet when its numbers change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Literal

from synthspec.expr import parse
from synthspec.expr.tree import CONSTANTS, Binary, Call, Constant, Name, Node, Unary
from synthspec.text import Source

Sign = Literal[-1, 1]
Widening = Literal["wider", "narrower", "both", "unknown", "same"]
"""What happens to the set of records (or moments) for which a condition is true."""
NonNegative = Callable[[str], bool]
"""Whether the value of a name is known never to be below zero."""

_COMPARISONS = {"<": -1, "<=": -1, ">": 1, ">=": 1}
_NEVER_NEGATIVE = frozenset({"abs", "sqrt", "exp", "len"})
_SAME_SIGN = frozenset({"best", "last", "mean", "min", "max", "quantile"})
_STRICT = {"<": "<=", ">": ">="}


def widening(old: str, new: str, non_negative: NonNegative) -> Widening:
    """What becomes of where `old` is true when it is written `new`; unknown where the numbers alone do not tell."""
    before, after = _tree(old), _tree(new)
    if before is None or after is None:
        return "same" if old == new else "unknown"
    return _widening(before, after, non_negative)


def same_expression(old: str, new: str) -> bool:
    """Whether two texts are one expression: layout, brackets and units of the same size do not matter."""
    before, after = _tree(old), _tree(new)
    return old == new if before is None or after is None else _same(before, after)


def _tree(text: str) -> Node | None:
    parsed = parse(text, Source("", text).span(0, len(text)), ())
    return None if parsed.value is None else parsed.value.root


def _widening(old: Node, new: Node, non_negative: NonNegative) -> Widening:
    if _same(old, new):
        return "same"
    if isinstance(old, Unary) and isinstance(new, Unary) and old.operator == new.operator == "not":
        return _opposite(_widening(old.operand, new.operand, non_negative))
    if _joint(old) or _joint(new):
        return _joined(old, new, non_negative)
    if isinstance(old, Binary) and isinstance(new, Binary) and {old.operator, new.operator} <= _COMPARISONS.keys():
        return _compared(old, new, non_negative)
    return "unknown"


def _joint(node: Node) -> str:
    return node.operator if isinstance(node, Binary) and node.operator in ("and", "or") else ""


def _joined(old: Node, new: Node, non_negative: NonNegative) -> Widening:
    """`and` and `or` grow with their parts; a part more narrows an `and` and widens an `or`."""
    word = _joint(old) or _joint(new)
    if {_joint(old), _joint(new)} - {word, ""}:
        return "unknown"
    before, after = list(_parts(old, word)), list(_parts(new, word))
    for part in list(before):
        twin = next((other for other in after if _same(part, other)), None)
        if twin is not None:
            before.remove(part)
            after.remove(twin)
    more: Widening = "narrower" if word == "and" else "wider"
    if not before:
        return more if after else "same"
    if not after:
        return _opposite(more)
    if len(before) != len(after):
        return "unknown"
    return _together(_widening(*pair, non_negative) for pair in zip(before, after, strict=True))


def _parts(node: Node, word: str) -> Iterator[Node]:
    if isinstance(node, Binary) and node.operator == word:
        yield from _parts(node.left, word)
        yield from _parts(node.right, word)
    else:
        yield node


def _compared(old: Binary, new: Binary, non_negative: NonNegative) -> Widening:
    """A comparison is wider when the margin by which it holds grows: what stands on the large side, less the other."""
    way = _COMPARISONS[old.operator]
    if _COMPARISONS[new.operator] != way:
        return "unknown"
    moves = [*_moves(old.left, new.left, way, non_negative), *_moves(old.right, new.right, -way, non_negative)]
    edge = _edge(old.operator, new.operator)
    found: list[Widening] = ["unknown" if move is None else "wider" if move > 0 else "narrower" for move in moves]
    # Several numbers that pull in different directions move the border itself: which records cross it, nobody knows.
    told = set(found)
    if len(told) > 1:
        return "unknown"
    return _together([*told, *edge])


def _edge(old: str, new: str) -> list[Widening]:
    if old == new:
        return []
    return ["wider"] if _STRICT.get(old) == new else ["narrower"]


def _moves(old: Node, new: Node, way: int, non_negative: NonNegative) -> Iterator[int | None]:
    """For each number that differs: 1 when the change makes `way` times the whole grow, -1 when it shrinks, None unknown."""
    if _same(old, new):
        return
    match old, new:
        case Constant(), Constant() if _kind(old) == _kind(new):
            yield way if _size(new) > _size(old) else -way
        case Unary(operator="-"), Unary(operator="-"):
            yield from _moves(old.operand, new.operand, -way, non_negative)
        case Binary(), Binary() if old.operator == new.operator and old.operator in ("+", "-"):
            yield from _moves(old.left, new.left, way, non_negative)
            yield from _moves(old.right, new.right, way if old.operator == "+" else -way, non_negative)
        case Binary(), Binary() if old.operator == new.operator and old.operator in ("*", "/"):
            yield from _scaled(old, new, way, non_negative)
        case _:
            yield None


def _scaled(old: Binary, new: Binary, way: int, non_negative: NonNegative) -> Iterator[int | None]:
    if _same(old.right, new.right):
        known = _never_negative(old.right, non_negative)
        yield from _moves(old.left, new.left, way, non_negative) if known else [None]
    elif old.operator == "*" and _same(old.left, new.left):
        known = _never_negative(old.left, non_negative)
        yield from _moves(old.right, new.right, way, non_negative) if known else [None]
    else:
        yield None


def _never_negative(node: Node, non_negative: NonNegative) -> bool:
    match node:
        case Constant(value=value, unit=unit):
            return value >= 0 and (unit is None or not unit.is_place)
        case Name(name=name):
            return name in CONSTANTS or non_negative(name)
        case Call(function=function, arguments=arguments):
            if function in _NEVER_NEGATIVE:
                return True
            return function in _SAME_SIGN and all(_never_negative(each, non_negative) for each in arguments)
        case Binary(operator="+" | "*" | "/", left=left, right=right):
            return _never_negative(left, non_negative) and _never_negative(right, non_negative)
        case Binary(operator="^", left=left, right=Constant(value=power)):
            return power % 2 == 0 or _never_negative(left, non_negative)
        case _:
            return False


def _same(old: Node, new: Node) -> bool:
    match old, new:
        case Constant(), Constant():
            return _kind(old) == _kind(new) and math.isclose(_size(old), _size(new), rel_tol=1e-12)
        case Unary(), Unary():
            return old.operator == new.operator and _same(old.operand, new.operand)
        case Binary(), Binary():
            return old.operator == new.operator and _same(old.left, new.left) and _same(old.right, new.right)
        case Call(), Call():
            return (
                old.function == new.function
                and len(old.arguments) == len(new.arguments)
                and all(map(_same, old.arguments, new.arguments))
            )
        case _:
            return old == new


def _kind(number: Constant) -> object:
    return None if number.unit is None else number.unit.kind


def _size(number: Constant) -> float:
    return number.value if number.unit is None else number.unit.to_si(number.value)


def _opposite(found: Widening) -> Widening:
    turned: dict[Widening, Widening] = {"wider": "narrower", "narrower": "wider"}
    return turned.get(found, found)


def _together(found: Iterator[Widening] | list[Widening]) -> Widening:
    told = set(found) - {"same"}
    if not told:
        return "same"
    if "unknown" in told:
        return "unknown"
    return told.pop() if len(told) == 1 else "both"
