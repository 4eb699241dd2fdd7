"""Checked trees to closures: conversions folded into constants, then plain calls, no interpretation and no `eval`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synthspec.expr.algebra import Typed
from synthspec.expr.scalar import Operation
from synthspec.expr.tree import Binary, Call, Name, Node, Unary
from synthspec.expr.types import Type
from synthspec.units import Affine, Unit

Values = Mapping[str, Any]
Closure = Callable[[Values], Any]
Leaf = Callable[[Typed], Closure | None]
"""How a name, or a call that looks back, gets its value; None for a node that is computed from its parts."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a kernel is made of. `names` are the columns it reads, in the order of writing; `unit` is what it gives."""

    names: tuple[str, ...]
    type: Type
    unit: Unit | None
    typed: Typed = field(repr=False)
    env: Mapping[str, Type] = field(repr=False)
    to_unit: Affine = field(default=Affine(), repr=False)


def _cell(typed: Typed) -> Closure | None:
    """In a row, a name is the cell of that column."""
    match typed.node:
        case Name(name=name):
            return lambda values: values[name]
    return None


def build(typed: Typed, table: Mapping[str, Operation], leaf: Leaf = _cell) -> Closure:
    """The closure of a checked tree over the operations of `table`; values come in coherent units."""
    if typed.value is not None:
        constant = typed.value
        return lambda _: constant
    if found := leaf(typed):
        return found
    return _applied(table[symbol(typed.node)], [build(part, table, leaf) for part in typed.parts])


def symbol(node: Node) -> str:
    """The key in a table of operations of a node that is computed from its parts."""
    match node:
        case Unary(operator=operator):
            return "not" if operator == "not" else "neg"
        case Binary(operator=operator):
            return operator
        case Call(function=function):
            return function
    raise AssertionError(node)


def _applied(operation: Operation, parts: Sequence[Closure]) -> Closure:
    match parts:
        case [only]:
            return lambda values: operation(only(values))
        case [left, right]:
            return lambda values: operation(left(values), right(values))
        case _:
            return lambda values: operation(*(part(values) for part in parts))
