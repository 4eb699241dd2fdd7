"""Which types the operators take and give: the rules P90-4 .. P90-7 and P90-10 of Core.Metrology (reference.md 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from synthspec.expr.tree import Constant, Node
from synthspec.expr.types import BOOLEAN, PLAIN, Number, Origin, Text, Type
from synthspec.units import coherent_unit, spell_number

MAX_POWER = 12
"""Largest power of something that has a dimension, and largest root."""
MAX_EXPONENT = 1024


class Mismatch(Exception):  # noqa: N818  (it never leaves the package: `infer` turns it into a diagnostic)
    """Types that do not go together."""

    def __init__(self, code: str, message: str, help: str) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


@dataclass(frozen=True, slots=True)
class Typed:
    """A node with its type, its typed parts, how it was written, and its value in coherent units when constant.

    `aggregate` marks a call that looks back over a history.
    """

    node: Node
    type: Type
    parts: tuple[Typed, ...] = ()
    shown: str = ""
    value: float | str | bool | None = None
    aggregate: bool = False

    def describe(self) -> str:
        return f"`{self.shown}` is {self.type.describe()}"


def chain(operands: Sequence[Typed]) -> str:
    """What each operand is: "`a` is power [L]^2 [M] [T]^-3, `b` is temperature [Θ]"."""
    return ", ".join(dict.fromkeys(operand.describe() for operand in operands))


def number(operand: Typed, what: str) -> Number:
    """The type of an operand that must be a number."""
    if isinstance(operand.type, Number):
        return operand.type
    raise Mismatch("expr.type", f"{what} takes numbers; {operand.describe()}", "compare it, or use `where`")


def amount(operand: Typed, what: str) -> Number:
    """The type of an operand that must be an amount: places on a scale (degC, dBm) cannot be scaled."""
    found = number(operand, what)
    if found.origin is not Origin.PLACE:
        return found
    unit = found.unit or found.coherent
    message = (
        f"{what} has no meaning for a place on a scale; `{operand.shown}` is in {unit}, whose zero is a convention"
    )
    raise Mismatch("unit.offset-product", message, "take a difference first, such as `x - 20 degC`, or declare it in K")


def condition(operand: Typed, what: str) -> None:
    """Refuse an operand that must be a condition and is none."""
    if operand.type != BOOLEAN:
        raise Mismatch("expr.type", f"{what} takes conditions; {operand.describe()}", "compare it with something")


def pure(operand: Typed, what: str) -> None:
    """P90-7: the argument of log, exp, sin, cos, tanh is a plain number."""
    if not amount(operand, what).kind.is_number:
        unit = coherent_unit(number(operand, what).kind)
        message = f"{what} takes a plain number; {operand.describe()}"
        raise Mismatch(
            "unit.dim-mismatch", message, f"divide by a reference first, as in `{operand.shown} / (1 {unit})`"
        )


def alike(operands: Sequence[Typed], what: str) -> Number:
    """P90-4: the common type of operands that are added, compared or chosen from."""
    types = [number(operand, what) for operand in operands]
    if any(type_.kind != types[0].kind for type_ in types):
        raise Mismatch("unit.dim-mismatch", f"{what} needs equal dimensions: {chain(operands)}", _bare_help(operands))
    origins = {type_.origin for type_ in types}
    if Origin.PLACE in origins and not origins <= types[0].comparable:
        message = f"{what} mixes places on a scale with differences: {chain(operands)}"
        raise Mismatch("unit.dim-mismatch", message, "a difference is written in `delta_degC`, `K` or `dB`")
    unit = next((type_.unit for type_ in types if type_.unit), None)
    origin = next((o for o in (Origin.PLACE, Origin.DIFFERENCE) if o in origins), Origin.AMOUNT)
    return Number(types[0].kind, origin, unit)


def _bare_help(operands: Sequence[Typed]) -> str:
    bare = [o.node for o in operands if isinstance(o.node, Constant) and o.node.unit is None]
    units = [
        o.type.unit or o.type.coherent for o in operands if isinstance(o.type, Number) and not o.type.kind.is_number
    ]
    if bare and units:
        return f"give the number its unit: `{spell_number(bare[0].value)} {units[0]}`"
    return "convert or divide by a reference quantity so that the dimensions agree"


def _add(left: Typed, right: Typed) -> Type:
    a, b = number(left, "`+`"), number(right, "`+`")
    places = [x for x in (a, b) if x.origin is Origin.PLACE]
    if len(places) == 2:
        message = f"two places on a scale cannot be added: {chain([left, right])}"
        raise Mismatch("unit.offset-product", message, "add a difference, such as `5 delta_degC`; `mean` averages")
    if places and (b if places[0] is a else a).kind == places[0].difference.kind:
        return _plainly(places[0])
    return _sum(alike([left, right], "`+`"), a, b)


def _subtract(left: Typed, right: Typed) -> Type:
    a, b = number(left, "`-`"), number(right, "`-`")
    if a.origin is Origin.PLACE and b.origin is Origin.PLACE and a.kind == b.kind:
        return a.difference
    if a.origin is Origin.PLACE and b.kind == a.difference.kind:
        if b.origin not in a.comparable:
            return _plainly(a)
        message = f"this can be read in two ways: {chain([left, right])}, which may be a temperature or a difference"
        raise Mismatch("expr.type", message, "write the difference as `5 delta_degC`, the temperature in degC")
    return _sum(alike([left, right], "`-`"), a, b)


def _sum(common: Number, a: Number, b: Number) -> Number:
    """Differences stay differences only among themselves: 300 K plus a difference is a temperature again."""
    same = a.origin is b.origin
    return Number(common.kind, a.origin if same else Origin.AMOUNT)


def _plainly(type_: Number) -> Number:
    return Number(type_.kind, type_.origin)


def _multiply(left: Typed, right: Typed) -> Type:
    a, b = amount(left, "`*`"), amount(right, "`*`")
    return Number(a.kind * b.kind, _scaled(a, b))


def _divide(left: Typed, right: Typed) -> Type:
    a, b = amount(left, "`/`"), amount(right, "`/`")
    return Number(a.kind / b.kind, a.origin if b == PLAIN else Origin.AMOUNT)


def _scaled(a: Number, b: Number) -> Origin:
    return a.origin if b == PLAIN else b.origin if a == PLAIN else Origin.AMOUNT


def _power(left: Typed, right: Typed) -> Type:
    base = amount(left, "`^`")
    pure(right, "an exponent")
    if isinstance(right.value, float) and abs(right.value) > MAX_EXPONENT:
        message = f"the exponent {spell_number(right.value)} is too large"
        raise Mismatch("expr.too-large", message, f"at most {MAX_EXPONENT}")
    return PLAIN if base.kind.is_number else raised(left, base, _ratio(left, right))


def _ratio(left: Typed, right: Typed) -> Fraction:
    if not isinstance(right.value, float):
        message = f"the exponent of a quantity must be a constant; {left.describe()}"
        raise Mismatch("expr.type", message, "divide by a reference first, or write the exponent as a number")
    power = Fraction(right.value).limit_denominator(MAX_POWER)
    if abs(power) > MAX_POWER or abs(float(power) - right.value) > 1e-12:
        message = f"{spell_number(right.value)} is no power of a quantity; {left.describe()}"
        raise Mismatch("expr.type", message, f"whole numbers to {MAX_POWER} and their roots, as in `x^(1/3)`")
    return power


def raised(operand: Typed, base: Number, power: Fraction) -> Number:
    """P90-6: whole powers always, rational ones where every exponent divides."""
    kind = base.kind**power
    if kind.is_integral:
        return Number(kind)
    message = f"the power {power} leaves a broken exponent; {operand.describe()}"
    raise Mismatch(
        "unit.dim-mismatch", message, "take roots only of what is a power, as a length is the root of an area"
    )


def _compare(left: Typed, right: Typed) -> Type:
    if isinstance(left.type, Number) and isinstance(right.type, Number):
        alike([left, right], "a comparison")
    else:
        message = f"only numbers have an order: {chain([left, right])}"
        raise Mismatch("expr.type", message, "text is compared with `==` and `!=`")
    return BOOLEAN


def _equal(left: Typed, right: Typed) -> Type:
    if isinstance(left.type, Number) and isinstance(right.type, Number):
        return _compare(left, right)
    if left.type != right.type:
        help_ = (
            "put quotes around text"
            if any(isinstance(x.type, Text) for x in (left, right))
            else "compare like with like"
        )
        raise Mismatch("expr.type", f"these cannot be equal: {chain([left, right])}", help_)
    return BOOLEAN


def _logic(word: str) -> Callable[[Typed, Typed], Type]:
    def check(left: Typed, right: Typed) -> Type:
        condition(left, word)
        condition(right, word)
        return BOOLEAN

    return check


OPERATORS: dict[str, Callable[[Typed, Typed], Type]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "^": _power,
    "<": _compare,
    "<=": _compare,
    ">": _compare,
    ">=": _compare,
    "==": _equal,
    "!=": _equal,
    "and": _logic("`and`"),
    "or": _logic("`or`"),
}
