"""Monitor trips and contract expressions: conditions over the history of signals, on plain floats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from synthspec.expr.algebra import Typed
from synthspec.expr.closures import Closure, build
from synthspec.expr.infer import Context, check
from synthspec.expr.scalar import SCALAR, best, deviation, mean, quantile
from synthspec.expr.tree import Call, Expr, Name, Node, children, leaves
from synthspec.expr.types import BOOLEAN, Number, Type
from synthspec.units import Affine

History = Mapping[str, Sequence[float]]
Aggregate = Callable[[Sequence[float]], float]


def compile_trip(
    tree: Expr, signals: Mapping[str, Type], directions: Mapping[str, str] | None = None
) -> Callable[[History], bool]:
    """The condition of a monitor: from the values of each signal so far, oldest first, to whether it trips.

    A bare name is the last value, `best(x)` the smallest so far, or the largest where ``directions["x"]`` is ``"max"``.
    A signal that has no value yet trips nothing. A last value that is NaN trips, unless the expression asks `isnull` of
    that signal: a run whose loss is no number must not go on because no comparison with NaN holds.

    Raises `ValueError` when `infer` with ``Context.HISTORY`` has errors to report: ask it first.
    """
    outcome = check(tree, signals, expected=BOOLEAN, context=Context.HISTORY)
    if outcome.value is None:
        raise ValueError("; ".join(finding.message for finding in outcome.diagnostics))
    condition = build(outcome.value, SCALAR, partial(_signal, directions=directions or {}))
    used = tuple(dict.fromkeys(leaf.name for leaf in leaves(tree.root)))
    watched = tuple(name for name in used if name not in set(_asked(tree.root)))

    def trip(history: History) -> bool:
        if not all(history.get(name) for name in used):
            return False
        return bool(condition(history)) or any(math.isnan(history[name][-1]) for name in watched)

    return trip


def _signal(typed: Typed, directions: Mapping[str, str]) -> Closure | None:
    """A name is its last value; an aggregate is taken over the values as measured, and then converted."""
    if isinstance(typed.node, Name):
        name, convert = typed.node.name, _conversion(typed)
        return lambda history: convert(history[name][-1])
    if not typed.aggregate or not isinstance(typed.node, Call):
        return None
    signal = typed.parts[0]
    name, convert = getattr(signal.node, "name", ""), _conversion(signal)
    if typed.node.function == "len":
        return lambda history: float(len(history[name]))
    if typed.node.function == "std":
        slope = Affine(convert.multiply, convert.divide)
        return lambda history: slope(deviation(history[name]))
    aggregate = _aggregate(typed, directions.get(name, "min"))
    return lambda history: convert(aggregate(history[name]))


def _conversion(signal: Typed) -> Affine:
    unit = signal.type.unit if isinstance(signal.type, Number) else None
    return unit.affine_to(None) if unit else Affine()


def _aggregate(typed: Typed, direction: str) -> Aggregate:
    function = typed.node.function if isinstance(typed.node, Call) else ""
    if function == "quantile":
        return partial(quantile, level=float(typed.parts[1].value or 0.0))
    if function == "best":
        return partial(best, direction=direction)
    simple: dict[str, Aggregate] = {
        "mean": mean,
        "min": lambda values: SCALAR["min"](*values),
        "max": lambda values: SCALAR["max"](*values),
        "last": lambda values: values[-1],
    }
    return simple[function]


def _asked(node: Node) -> Iterator[str]:
    """The signals whose absence the expression handles itself."""
    if isinstance(node, Call) and node.function == "isnull":
        yield from (leaf.name for leaf in leaves(node))
    for child in children(node):
        yield from _asked(child)
