"""The grammar of unit texts: products, quotients and small powers of names, and nothing else.

Every input of at most `MAX_LENGTH` characters is read in linear time; a longer one is refused before it is looked at.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from synthspec.units.errors import UnitError
from synthspec.units.lookup import suggestion, unit_named
from synthspec.units.unit import NUMBER, ONE, Scale, Unit, spell

MAX_LENGTH = 120
MAX_EXPONENT = 12
MAX_DEPTH = 6

_HELP = "write names with `*`, `/` and `^` with a small whole number, as in `m/s^2` or `J/(kg*K)`"
_LIMIT = f"exponents are whole numbers from -{MAX_EXPONENT} to {MAX_EXPONENT}"
NAME = r"[A-Za-zµμ\u2126Ω\u212bÅ°%‰Δ_][A-Za-z0-9µμ\u2126Ω\u212bÅ°_]*"
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_TOKEN = re.compile(
    rf"(?P<space> +)|(?P<name>{NAME})|(?P<power>(?:\^|\*\*) *(?:\( *[+-]?\d+ *\)|[+-]?\d+))|(?P<super>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
    r"|(?P<times>\*(?!\*)|[·⋅])|(?P<per>/)|(?P<open>\()|(?P<close>\))|(?P<one>1)(?![\d.eE])"
)

Factors = list[tuple[Unit, int]]


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit:
    """Read a unit: ``mW``, ``m/s^2``, ``J/(kg*K)``, ``1/s``, ``m²``, ``1`` or ``dimensionless``.

    `**` is `^`; `·` and a space multiply. A product after a `/` needs parentheses: people read ``J/kg K`` in two ways.
    Raises `UnitError`: `unit.syntax`, `unit.unknown`, `unit.offset-product`, `unit.too-large`.
    """
    if len(text) > MAX_LENGTH:
        raise UnitError("unit.too-large", "this unit is too long", f"at most {MAX_LENGTH} characters", 0, len(text))
    reader = _Reader(text)
    factors = reader.product(0)
    if not reader.done:
        raise reader.error("unexpected " + repr(reader.rest))
    return _combine(factors, text)


class _Reader:
    """A recursive-descent reader; `position` is the next character, spaces are tokens because they multiply."""

    def __init__(self, text: str) -> None:
        self.text = text.rstrip(" ")
        self.position = len(text) - len(text.lstrip(" "))

    @property
    def done(self) -> bool:
        return self.position >= len(self.text)

    @property
    def rest(self) -> str:
        return self.text[self.position : self.position + 12]

    def error(self, message: str, help: str = _HELP, code: str = "unit.syntax", start: int | None = None) -> UnitError:  # noqa: A002
        begin = self.position if start is None else start
        end = max(begin + 1, self.position) if start is not None else begin + 1
        return UnitError(code, f"{message} in the unit `{printable(self.text)}`", help, begin, end)

    def _peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self.text, self.position)

    def _accept(self, *groups: str) -> re.Match[str] | None:
        match = self._peek()
        if match is None or match.lastgroup not in groups:
            return None
        self.position = match.end()
        return match

    def product(self, depth: int) -> Factors:
        factors = self._power(depth)
        divided = False
        while operator := self._operator():
            if operator == "times" and divided:
                both = "write `a/(b*c)` to divide by both, `a*c/b` to multiply"
                raise self.error("a product after `/` can be read in two ways", both)
            sign = -1 if operator == "per" else 1
            divided = divided or operator == "per"
            factors += [(unit, sign * power) for unit, power in self._power(depth)]
        return factors

    def _operator(self) -> str | None:
        spaced = self._accept("space")
        match = self._accept("times", "per")
        if match is not None:
            self._accept("space")
            return str(match.lastgroup)
        following = self._peek()
        if spaced and following is not None and following.lastgroup != "close":
            return "times"
        return None

    def _power(self, depth: int) -> Factors:
        start = self.position
        factors = self._atom(depth)
        # A space before `^` is allowed, and means nothing.
        save = self.position
        self._accept("space")
        match = self._accept("power", "super")
        if match is None:
            self.position = save
            return factors
        digits = match[0].translate(_SUPERSCRIPT).strip("^*() ").replace(" ", "")
        if len(digits) > 4 or not digits.lstrip("+-").isdigit() or abs(int(digits)) > MAX_EXPONENT:
            raise self.error("an exponent that is no small whole number", _LIMIT, "unit.too-large", start)
        following = self._peek()
        if following is not None and following.lastgroup in {"power", "super"}:
            raise self.error("a power of a power", "multiply the exponents, or use parentheses")
        return [(unit, power * int(digits)) for unit, power in factors]

    def _atom(self, depth: int) -> Factors:
        start = self.position
        if self._accept("open"):
            if depth >= MAX_DEPTH:
                raise self.error("too many parentheses", _HELP, "unit.too-large")
            self._accept("space")
            factors = self.product(depth + 1)
            self._accept("space")
            if not self._accept("close"):
                raise self.error("a parenthesis is not closed", start=start)
            return factors
        if self._accept("one"):
            return []
        name = self._accept("name")
        if name is None:
            raise self._no_name()
        unit = unit_named(name[0])
        if unit is None:
            shown = printable(name[0])
            raise UnitError("unit.unknown", f"{shown!r} is not a known unit", suggestion(name[0]), *name.span())
        return [(unit, 1)]

    def _no_name(self) -> UnitError:
        if self.done:
            return self.error("a name is missing at the end" if self.text.strip() else "nothing", "write `1` or a unit")
        char = self.text[self.position]
        shown = repr(char) if char.isprintable() else f"U+{ord(char):04X}"
        return self.error(f"unexpected {shown}")


def _combine(factors: Factors, text: str) -> Unit:
    """One unit out of the factors; a product with an offset unit or a level above a reference has no meaning."""
    whole = (0, len(text))
    merged: dict[str, tuple[Unit, int]] = {}
    for unit, power in factors:
        merged[unit.symbol] = (unit, power + merged.get(unit.symbol, (unit, 0))[1])
    if len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    for unit, _ in factors:
        if unit.is_place:
            help_ = f"use `{unit.delta}` for a difference" + (" or `K`" if unit.scale is Scale.OFFSET else "")
            raise UnitError("unit.offset-product", f"{unit} cannot be multiplied, divided or raised", help_, *whole)
    kept = [(unit, power) for unit, power in merged.values() if power and unit.symbol != "dimensionless"]
    for unit, power in kept:
        if abs(power) > MAX_EXPONENT:  # what is spelled has to read back
            message = f"the powers of `{unit.symbol}` in this unit come to {power}"
            raise UnitError("unit.too-large", message, _LIMIT, *whole)
    return _product(kept, text)


def _product(factors: Factors, text: str) -> Unit:
    if len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    kind, factor = NUMBER, ONE
    for unit, power in factors:
        kind, factor = kind * unit.kind**power, factor * unit.factor**power
    exponents = (*kind.dimension.exponents, kind.level, kind.information)
    if not Fraction(1, 10**200) < factor < 10**200 or any(abs(power) > 64 for power in exponents):
        raise UnitError("unit.too-large", "the powers in this unit are too large", _HELP, 0, len(text))
    return Unit(spell([(unit.symbol, power) for unit, power in factors]), kind, factor)


def printable(text: str) -> str:
    """At most 40 characters of `text`, what cannot be shown written as its code point."""
    shown = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:40])
    return shown + ("…" if len(text) > 40 else "")
