"""Expressions over rows, compiled: called with columns, or with one row of plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synthspec.expr.closures import Compiled, build
from synthspec.expr.infer import check
from synthspec.expr.scalar import NAN, SCALAR, is_null
from synthspec.expr.tree import Expr, leaves
from synthspec.expr.types import Boolean, Number, Type
from synthspec.units import Unit

if TYPE_CHECKING:
    from synthspec.expr.buffers import Run
    from synthspec.expr.vector import Array


class Kernel(Compiled):
    """A compiled expression that can be called.

    Call it with columns in their declared units: arrays, or anything numpy makes one of. `row` evaluates one row
    without numpy. Both are total: what has no value is NaN or an infinity.
    """

    __slots__ = ()

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
