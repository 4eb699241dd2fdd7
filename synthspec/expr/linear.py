"""Which conditions are half-spaces of the fields that they name, and which ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from synthspec.expr.infer import infer
from synthspec.expr.kernel import compile_kernel
from synthspec.expr.tree import CONSTANTS, Binary, Call, Constant, Expr, Name, Node, Unary
from synthspec.expr.types import Number, Type

_LOW_FIRST = {"<": True, "<=": True, ">": False, ">=": False}
_FAR = 3.0
"""Where it is looked whether a condition is as linear as it is written."""
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """``sum of coefficient times field <= bound``, fields in the units that they are declared in."""

    coefficients: tuple[tuple[str, float], ...]
    bound: float


def half_spaces(tree: Expr, env: Mapping[str, Type]) -> tuple[HalfSpace, ...] | None:
    """The half-spaces whose intersection `tree` is; None for what is no conjunction of linear inequalities of numbers.

    Loads no numpy. `env` are the types of the fields, whose units are converted.
    """
    found: list[HalfSpace] = []
    for root in _conjuncts(tree.root):
        one = _half_space(tree, root, env)
        if one is None:
            return None
        found.append(one)
    return tuple(found)


def _conjuncts(root: Node) -> tuple[Node, ...]:
    if isinstance(root, Binary) and root.operator == "and":
        return (*_conjuncts(root.left), *_conjuncts(root.right))
    return (root,)


def _half_space(tree: Expr, root: Node, env: Mapping[str, Type]) -> HalfSpace | None:
    if not isinstance(root, Binary) or root.operator not in _LOW_FIRST:
        return None
    low, high = (root.left, root.right) if _LOW_FIRST[root.operator] else (root.right, root.left)
    beyond = Binary("-", low, high)
    difference = replace(tree, root=beyond)
    if _degree(beyond) != 1 or infer(difference, env).value is None:
        return None
    kernel = compile_kernel(difference, env)
    if any(not isinstance(env[name], Number) for name in kernel.names):
        return None

    def at(*places: float) -> float:
        return float(kernel.row(dict(zip(kernel.names, places, strict=True))))

    names = len(kernel.names)
    origin = at(*[0.0] * names)
    slopes = [at(*[float(each == chosen) for each in range(names)]) - origin for chosen in range(names)]
    size = abs(origin) + _FAR * sum(map(abs, slopes))
    if not abs(at(*[_FAR] * names) - origin - _FAR * sum(slopes)) <= _CLOSE * size:
        return None  # of a unit whose scale is no line
    return HalfSpace(tuple(zip(kernel.names, slopes, strict=True)), -origin)


def _degree(node: Node) -> int | None:
    """0 for a constant, 1 for what is linear in fields, None for anything else."""
    match node:
        case Constant():
            return 0
        case Name(name=name):
            return 0 if name in CONSTANTS else 1
        case Unary(operator="-", operand=operand):
            return _degree(operand)
        case Binary(operator="+" | "-", left=left, right=right):
            return _larger(_degree(left), _degree(right))
        case Binary(operator="*", left=left, right=right):
            return _product(_degree(left), _degree(right))
        case Binary(operator="/", left=left, right=right):
            return _degree(left) if _degree(right) == 0 else None
        case Binary(operator="^", left=left, right=right):
            return 0 if _degree(left) == 0 == _degree(right) else None
        case Call(arguments=arguments):
            return 0 if all(_degree(each) == 0 for each in arguments) else None
        case _:
            return None


def _larger(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _product(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None or one + other > 1 else one + other
