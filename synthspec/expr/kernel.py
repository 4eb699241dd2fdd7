"""Checked trees to closures: conversions folded into constants, then plain calls, no interpretation and no `eval`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synthspec.expr.algebra import Typed
from synthspec.expr.infer import check
from synthspec.expr.scalar import NAN, SCALAR, Operation, is_null
from synthspec.expr.tree import Binary, Call, Expr, Name, Node, Unary, leaves
from synthspec.expr.types import Boolean, Number, Type
from synthspec.units import Affine, Unit

if TYPE_CHECKING:
    from synthspec.expr.buffers import Run
    from synthspec.expr.vector import Array

Values = Mapping[str, Any]
Closure = Callable[[Values], Any]
Leaf = Callable[[Typed], Closure | None]
"""How a name, or a call that looks back, gets its value; None for a node that is computed from its parts."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled expression. `names` are the columns it reads, in the order of writing; `unit` is what it gives.

    Call it with columns in their declared units: arrays, or anything numpy makes one of. `row` evaluates one row
    without numpy. Both are total: what has no value is NaN or an infinity.
    """

    names: tuple[str, ...]
    type: Type
    unit: Unit | None
    typed: Typed = field(repr=False)
    env: Mapping[str, Type] = field(repr=False)
    to_unit: Affine = field(default=Affine(), repr=False)

    def __call__(self, columns: Mapping[str, Any]) -> Array:
        """One result a row: float64 in `unit`, bool, or text. Raises `KeyError` for a column that is missing."""
        return self.run()(columns)

    def run(self) -> Run:
        """The same function for one block of rows after another, in buffers that each call writes again."""
        from synthspec.expr.buffers import Run

        return Run(self)

    def row(self, cells: Mapping[str, Any]) -> Any:  # noqa: ANN401  (float, bool or text, as `type` says)
        """The result for one row of plain Python values, None where a cell is empty."""
        values = {name: cell(cells[name], self.env[name]) for name in self.names}
        return self.to_unit(build(self.typed, SCALAR)(values))


def compile_kernel(tree: Expr, env: Mapping[str, Type], output: Unit | None = None) -> Kernel:
    """The kernel of an expression over rows. Results come in `output`, in SI (dB, bit) when it is left out.

    Raises `ValueError` when `infer` has errors to report, and for an `output` of another kind: ask `infer` first.
    """
    outcome = check(tree, env, expected=Number.of(output) if output else None)
    if outcome.value is None:
        raise ValueError("; ".join(finding.message for finding in outcome.diagnostics))
    typed = outcome.value
    found = tuple(dict.fromkeys(leaf.name for leaf in leaves(tree.root)))
    if not isinstance(typed.type, Number):
        return Kernel(found, typed.type, None, typed, dict(env))
    if output is None:
        return Kernel(found, typed.type, typed.type.coherent, typed, dict(env))
    return Kernel(found, typed.type, output, typed, dict(env), output.affine_from_si())


def cell(value: Any, type_: Type) -> Any:  # noqa: ANN401
    """One cell in coherent units; an empty number is NaN."""
    if isinstance(type_, Number):
        number = NAN if is_null(value) else float(value)
        return type_.unit.to_si(number) if type_.unit else number
    return bool(value) if isinstance(type_, Boolean) else value


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
