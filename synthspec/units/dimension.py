"""Dimensions: products of powers of the seven SI base dimensions (rules P90-4 .. P90-7 of Core.Metrology)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from synthspec.units.errors import UnitError

BASES = ("L", "M", "T", "I", "Θ", "N", "J")
"""Length, mass, time, electric current, temperature, amount of substance, luminous intensity."""

MAX_LENGTH = 200
MAX_EXPONENT = 64

# What each accepted tag stands for. The five-base spelling of Core.Metrology has the charge [Qe] = I T and [Temp].
_TAGS: dict[str, tuple[str, ...]] = {
    **{base: (base,) for base in BASES},
    "Th": ("Θ",),
    "Theta": ("Θ",),
    "Temp": ("Θ",),
    "Qe": ("I", "T"),
}

_TOKEN = re.compile(
    r"\s*(?:(?P<op>[*·⋅/])\s*)?(?:\[(?P<tag>\w*)\]|(?P<bare>[^\W\d_]+|1))"
    r"(?:\s*\^\s*(?:\(\s*(?P<ratio>[+-]?\d{1,3}\s*/\s*\d{1,3})\s*\)|\(?(?P<power>[+-]?\d{1,3})\)?))?"
)


@dataclass(frozen=True, slots=True, repr=False)
class Dimension:
    """Exponents of `BASES`, in that order. A group under multiplication; `DIMENSIONLESS` is its one."""

    exponents: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if len(self.exponents) != len(BASES):
            raise ValueError(f"a dimension has {len(BASES)} exponents")

    @classmethod
    def of(cls, exponents: Iterable[int | Fraction]) -> Dimension:
        return cls(tuple(map(Fraction, exponents)))

    @property
    def is_dimensionless(self) -> bool:
        return not any(self.exponents)

    @property
    def is_integral(self) -> bool:
        """Whether every exponent is whole: what P90-6 asks of the result of a rational power."""
        return all(exponent.denominator == 1 for exponent in self.exponents)

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(tuple(a + b for a, b in zip(self.exponents, other.exponents, strict=True)))

    def __truediv__(self, other: Dimension) -> Dimension:
        return Dimension(tuple(a - b for a, b in zip(self.exponents, other.exponents, strict=True)))

    def __pow__(self, power: int | Fraction) -> Dimension:
        return Dimension(tuple(a * power for a in self.exponents))

    @property
    def name(self) -> str:
        """What people call it (``power``); empty when it has no common name."""
        return _NAMES.get(str(self), "")

    def __str__(self) -> str:
        """Canonical text: ``[L]^2 [M] [T]^-3``; ``[1]`` when dimensionless."""
        parts = [
            f"[{base}]{_power(exponent)}" for base, exponent in zip(BASES, self.exponents, strict=True) if exponent
        ]
        return " ".join(parts) or "[1]"

    def __repr__(self) -> str:
        return f"Dimension({self})"

    def describe(self) -> str:
        """Name and text for messages: ``power [L]^2 [M] [T]^-3``."""
        return "dimensionless" if self.is_dimensionless else f"{self.name} {self}".strip()


DIMENSIONLESS = Dimension.of([0] * len(BASES))


def _power(exponent: Fraction) -> str:
    if exponent == 1:
        return ""
    return f"^{exponent}" if exponent.denominator == 1 else f"^({exponent})"


def parse_dimension(text: str) -> Dimension:
    """Read ``[L] [T]^-1``, ``L T^-1``, ``L/T``, ``1``, ``[1]``, ``[]``, or the five-base spelling ``[Qe] [T]^-1``.

    Raises `UnitError`: `unit.syntax` for the form, `unit.unknown` for a tag that is no base dimension, `unit.too-large`
    for a text over 200 characters or an exponent over 64.
    """
    if len(text) > MAX_LENGTH:
        raise UnitError(
            "unit.too-large", "this dimension is too long", f"at most {MAX_LENGTH} characters", 0, len(text)
        )
    result = DIMENSIONLESS
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or (position == 0 and match["op"]):
            raise UnitError("unit.syntax", f"{text!r} is not a dimension", _HELP, position, end)
        factor = _base(match) ** _exponent(match)
        result = result / factor if match["op"] == "/" else result * factor
        position = match.end()
    if end == 0:
        raise UnitError("unit.syntax", "an empty dimension", _HELP, 0, len(text))
    if any(abs(exponent) > MAX_EXPONENT for exponent in result.exponents):
        raise UnitError("unit.too-large", f"an exponent of {text!r} is over {MAX_EXPONENT}", _HELP, 0, end)
    return result


_HELP = "write the base dimensions with exponents, `[L] [T]^-1`; `1` when dimensionless; bases: " + " ".join(
    f"[{base}]" for base in BASES
)


def _base(match: re.Match[str]) -> Dimension:
    tag = match["bare"] or match["tag"]
    if tag in {"1", "", None}:
        return DIMENSIONLESS
    if tag not in _TAGS:
        group = "bare" if match["bare"] else "tag"
        raise UnitError("unit.unknown", f"{tag!r} is not a base dimension", _HELP, *match.span(group))
    return Dimension.of(_TAGS[tag].count(base) for base in BASES)


def _exponent(match: re.Match[str]) -> Fraction:
    text = match["ratio"] or match["power"] or "1"
    numerator, _, denominator = text.replace(" ", "").partition("/")
    if denominator and not int(denominator):
        raise UnitError("unit.syntax", "an exponent divides by zero", _HELP, match.start(), match.end())
    return Fraction(int(numerator), int(denominator or 1))


_NAMES = {
    "[1]": "dimensionless",
    "[L]": "length",
    "[M]": "mass",
    "[T]": "time",
    "[I]": "electric current",
    "[Θ]": "temperature",
    "[N]": "amount of substance",
    "[J]": "luminous intensity",
    "[L]^2": "area",
    "[L]^3": "volume",
    "[L]^-1": "wavenumber",
    "[T]^-1": "frequency",
    "[L] [T]^-1": "speed",
    "[L] [T]^-2": "acceleration",
    "[L]^3 [T]^-1": "volume flow",
    "[M] [T]^-1": "mass flow",
    "[L]^-3 [M]": "density",
    "[L] [M] [T]^-1": "momentum",
    "[L] [M] [T]^-2": "force",
    "[L]^-1 [M] [T]^-2": "pressure",
    "[L]^-1 [M] [T]^-1": "dynamic viscosity",
    "[L]^2 [T]^-1": "kinematic viscosity",
    "[L]^2 [T]^-2": "specific energy",
    "[L]^2 [M] [T]^-2": "energy",
    "[L]^2 [M] [T]^-3": "power",
    "[M] [T]^-3": "irradiance",
    "[T] [I]": "electric charge",
    "[L]^2 [M] [T]^-3 [I]^-1": "voltage",
    "[L]^2 [M] [T]^-3 [I]^-2": "resistance",
    "[L]^-2 [M]^-1 [T]^3 [I]^2": "conductance",
    "[L]^-2 [M]^-1 [T]^4 [I]^2": "capacitance",
    "[L]^2 [M] [T]^-2 [I]^-2": "inductance",
    "[L]^2 [M] [T]^-2 [I]^-1": "magnetic flux",
    "[M] [T]^-2 [I]^-1": "magnetic flux density",
    "[L] [M] [T]^-3 [I]^-1": "electric field",
    "[L]^-3 [N]": "concentration",
    "[T]^-1 [N]": "catalytic activity",
    "[L]^-2 [J]": "luminance",
    "[L]^2 [M] [T]^-2 [Θ]^-1": "entropy",
}
