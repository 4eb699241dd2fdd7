"""Kernels over blocks of rows: what they make on their way lies in buffers that are written again, so nothing is allocated.

A fresh array costs more than the arithmetic it is for: the system hands out its pages zeroed, one fault each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synthspec.expr.algebra import Typed
from synthspec.expr.closures import Closure, Compiled, Values, build, symbol
from synthspec.expr.tree import Name
from synthspec.expr.types import Number, Type
from synthspec.expr.vector import column, table
from synthspec.units import Affine

if TYPE_CHECKING:
    from synthspec.expr.vector import Array

FLOAT, BOOL = np.dtype(np.float64), np.dtype(np.bool_)
_TO_BOOL: Mapping[str, np.ufunc] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
}  # fmt: skip
_TO_FLOAT = ("+", "-", "*", "/", "neg", "abs", "sqrt", "exp", "log", "log10", "sin", "cos", "tanh")


_SAME = Affine()


class Pool:
    """Buffers of one shape. What is given back is the next to be taken, so an operation writes over its own operand."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._all: dict[np.dtype[Any], list[Array]] = {FLOAT: [], BOOL: []}
        self._free: dict[np.dtype[Any], list[Array]] = {FLOAT: [], BOOL: []}

    def begin(self, shape: tuple[int, ...]) -> None:
        """Every buffer is free again; they are others where `shape` is another."""
        if shape != self._shape:
            self._shape, self._all = shape, {FLOAT: [], BOOL: []}
        self._free = {dtype: list(buffers) for dtype, buffers in self._all.items()}

    def take(self, dtype: np.dtype[Any]) -> Array:
        free = self._free[dtype]
        if free:
            return free.pop()
        fresh = np.empty(self._shape, dtype)
        self._all[dtype].append(fresh)
        return fresh

    def give(self, array: Array) -> None:
        """Free it again; an array that is no buffer of this pool (a column as it was given) is left alone."""
        if any(array is buffer for buffer in self._all.get(array.dtype, ())):
            self._free[array.dtype].append(array)


@dataclass(frozen=True, slots=True)
class _Part:
    """A closure, and whether nothing else reads what it gives: a buffer then, or a column that is named once."""

    closure: Closure
    own: bool = False


class Run:
    """A kernel over one block after another. What a call gives is overwritten by the next call with the same shape.

    It is the function of the kernel itself: the same operations in the same order, rounded alike.
    """

    def __init__(self, kernel: Compiled) -> None:
        self._kernel = kernel
        self._pool = Pool()
        self._to_si = {name: _to_si(kernel.env[name]) for name in kernel.names}
        self._uses = Counter(leaf.name for leaf in _names(kernel.typed))
        self._whole = self._built(kernel.typed)
        self._made = self._whole.own and not isinstance(kernel.typed.node, Name)

    def __call__(self, columns: Mapping[str, Any]) -> Array:
        """One result a row, as `Compiled.__call__`. Raises `KeyError` for a column that is missing."""
        kernel = self._kernel
        given = {name: np.asarray(columns[name]) for name in kernel.names}
        shapes = {array.shape for array in given.values()}
        rows = max(shapes, key=len, default=())
        with np.errstate(all="ignore"):
            if len(shapes) != 1 or not rows:  # one value, or columns that are spread over others: no buffer fits all
                return _spread(kernel, given, rows)
            self._pool.begin(rows)
            values = {name: self._column(name, array) for name, array in given.items()}
            result = self._whole.closure(values)
            if self._made and result.dtype == FLOAT:
                return _converted(kernel.to_unit, result, result)
            result = kernel.to_unit(result)
        return np.asarray(result) if np.ndim(result) else np.full(rows, result)

    def _column(self, name: str, array: Array) -> Array:
        """`vector.column`, written to a buffer."""
        to_si = self._to_si[name]
        if to_si is None or array.dtype.kind not in "fiub":
            return column(array, self._kernel.env[name])
        if to_si is _SAME and array.dtype == FLOAT:
            return array
        return _converted(to_si, array, self._pool.take(FLOAT))

    def _built(self, typed: Typed) -> _Part:
        if typed.value is not None:
            constant = typed.value
            return _Part(lambda _: constant)
        if isinstance(typed.node, Name):
            name = typed.node.name
            return _Part(lambda values: values[name], own=self._uses[name] == 1)
        parts = [self._built(part) for part in typed.parts]
        word = symbol(typed.node)
        numbers = isinstance(typed.parts[0].type, Number)
        if word in _TO_FLOAT or (word in _TO_BOOL and (numbers or word in {"and", "or", "not"})):
            return self._elementwise(_TO_BOOL.get(word) or table()[word], FLOAT if word in _TO_FLOAT else BOOL, parts)
        operation = table()[word]
        return _Part(lambda values: operation(*[part.closure(values) for part in parts]))

    def _elementwise(self, operation: Callable[..., Array], dtype: np.dtype[Any], parts: list[_Part]) -> _Part:
        pool = self._pool

        def apply(values: Values) -> Array:
            found = [part.closure(values) for part in parts]
            for part, operand in zip(parts, found, strict=True):
                if part.own:
                    pool.give(operand)
            return operation(*found, out=pool.take(dtype))

        return _Part(apply, own=True)


def _names(typed: Typed) -> Iterator[Name]:
    """The names of a tree, once for each time that they are read."""
    if isinstance(typed.node, Name) and typed.value is None:
        yield typed.node
    for part in typed.parts:
        yield from _names(part)


def _spread(kernel: Compiled, given: Mapping[str, Array], rows: tuple[int, ...]) -> Array:
    """The kernel over columns of several shapes, which numpy spreads over each other."""
    values = {name: column(array, kernel.env[name]) for name, array in given.items()}
    result = kernel.to_unit(build(kernel.typed, table())(values))
    return np.asarray(result) if np.ndim(result) or not rows else np.full(rows, result)


def _to_si(type_: Type) -> Affine | None:
    """The map of a column of numbers to coherent units; None for truth values and text."""
    if not isinstance(type_, Number):
        return None
    found = type_.unit.affine_to(None) if type_.unit else _SAME
    return _SAME if found == _SAME else found


def _converted(affine: Affine, array: Array, out: Array) -> Array:
    """``affine(array)`` in float64, written to `out`."""
    if affine.multiply != 1.0:
        array = np.multiply(array, affine.multiply, out=out, dtype=FLOAT)
    if affine.divide != 1.0:
        array = np.divide(array, affine.divide, out=out, dtype=FLOAT)
    if affine.add:
        array = np.add(array, affine.add, out=out, dtype=FLOAT)
    if array is not out:
        np.copyto(out, array)
    return out
