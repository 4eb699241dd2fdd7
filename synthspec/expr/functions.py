"""The functions of the language: how many arguments they take, and of which types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from synthspec.expr.algebra import Mismatch, Typed, alike, amount, chain, condition, number, pure, raised
from synthspec.expr.tree import Name
from synthspec.expr.types import BOOLEAN, PLAIN, TEXT, Number, Type

Rule = Callable[[str, Sequence[Typed]], Type]
MANY = 16


@dataclass(frozen=True, slots=True)
class Function:
    """`least` to `most` arguments, and the rule for their types."""

    rule: Rule
    least: int = 1
    most: int = 1

    @property
    def arity(self) -> str:
        if self.least == self.most:
            return f"{self.least} argument{'s' if self.least > 1 else ''}"
        return f"{self.least} to {self.most} arguments"


def _same(name: str, parts: Sequence[Typed]) -> Type:
    found = amount(parts[0], f"`{name}`")
    return Number(found.kind, found.origin)


def _plain(name: str, parts: Sequence[Typed]) -> Type:
    pure(parts[0], f"`{name}`")
    return PLAIN


def _root(name: str, parts: Sequence[Typed]) -> Type:
    return raised(parts[0], amount(parts[0], f"`{name}`"), Fraction(1, 2))


def _chosen(name: str, parts: Sequence[Typed]) -> Type:
    return alike(parts, f"`{name}`")


def _where(name: str, parts: Sequence[Typed]) -> Type:
    condition(parts[0], f"the first argument of `{name}`")
    first, second = parts[1:]
    if isinstance(first.type, Number) and isinstance(second.type, Number):
        return alike(parts[1:], f"`{name}`")
    if first.type != second.type:
        raise Mismatch("expr.type", f"`{name}` gives one or the other: {chain(parts[1:])}", "both must be of one type")
    return first.type


def _any(name: str, parts: Sequence[Typed]) -> Type:  # noqa: ARG001
    return BOOLEAN


def _text(name: str, parts: Sequence[Typed]) -> Type:
    if parts[0].type != TEXT:
        raise Mismatch("expr.type", f"`{name}` takes text; {parts[0].describe()}", "a number has no length; use `abs`")
    return PLAIN


FUNCTIONS: dict[str, Function] = {
    "abs": Function(_same),
    "min": Function(_chosen, 2, MANY),
    "max": Function(_chosen, 2, MANY),
    "sqrt": Function(_root),
    **dict.fromkeys(("exp", "log", "log10", "sin", "cos", "tanh"), Function(_plain)),
    "clip": Function(_chosen, 3, 3),
    "where": Function(_where, 3, 3),
    "isnull": Function(_any),
    "len": Function(_text),
}


def _series(name: str, parts: Sequence[Typed]) -> Number:
    if not isinstance(parts[0].node, Name):
        message = f"`{name}` looks back over the history of one signal; `{parts[0].shown}` is not the name of one"
        raise Mismatch("expr.type", message, f"write `{name}(signal)`")
    return number(parts[0], f"`{name}`")


def _kept(name: str, parts: Sequence[Typed]) -> Type:
    return _series(name, parts)


def _spread(name: str, parts: Sequence[Typed]) -> Type:
    return _series(name, parts).difference


def _counted(name: str, parts: Sequence[Typed]) -> Type:
    _series(name, parts)
    return PLAIN


def _quantile(name: str, parts: Sequence[Typed]) -> Type:
    level = parts[1].value
    if parts[1].type != PLAIN or not isinstance(level, float) or not 0 <= level <= 1:
        message = f"the level of `{name}` is a constant from 0 to 1, not `{parts[1].shown}`"
        raise Mismatch("expr.type", message, "as in `quantile(loss, 0.95)`")
    return _series(name, parts)


AGGREGATES: dict[str, Function] = {
    **dict.fromkeys(("mean", "min", "max", "best", "last"), Function(_kept)),
    "std": Function(_spread),
    "quantile": Function(_quantile, 2, 2),
    "len": Function(_counted),
}
"""What a name of a signal may be given to where there is a history: monitors, contracts."""

NAMES = frozenset(FUNCTIONS) | frozenset(AGGREGATES)
