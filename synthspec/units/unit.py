"""Units: a symbol, a kind of quantity, and the affine map to SI (S403-2, ``x_SI = a * x + b``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from typing import Any, overload

from synthspec.units.dimension import BASES, DIMENSIONLESS, Dimension
from synthspec.units.errors import UnitError

ZERO, ONE = Fraction(0), Fraction(1)
_EXACT = 1 << 53


class Scale(Enum):
    """How the numbers of a unit behave."""

    LINEAR = "linear"
    """Zero means none: may be multiplied. Also the differences of the other two."""
    OFFSET = "offset"
    """Zero is a convention (degC, degF): may be compared and subtracted, not multiplied."""
    LOGARITHMIC = "logarithmic"
    """A ratio of powers (dB, Np), a level above a reference (dBm), or information (bit, nat)."""


@dataclass(frozen=True, slots=True)
class QuantityKind:
    """What may be compared with what: a dimension, and how often a logarithmic ratio or information enters.

    dB and bit have the dimension 1, but `40 dB` is neither 40 nor 40 bit. `level` counts logarithmic power ratios
    (dB/km has level 1 and [L]^-1), `information` counts bits. The coherent units are those of SI, dB and bit.
    """

    dimension: Dimension
    level: Fraction = ZERO
    information: Fraction = ZERO

    @property
    def is_number(self) -> bool:
        """A plain number: what log and sin take."""
        return not self.level and not self.information and self.dimension.is_dimensionless

    @property
    def is_integral(self) -> bool:
        return self.dimension.is_integral and self.level.denominator == self.information.denominator == 1

    def __mul__(self, other: QuantityKind) -> QuantityKind:
        dimension = self.dimension * other.dimension
        return QuantityKind(dimension, self.level + other.level, self.information + other.information)

    def __truediv__(self, other: QuantityKind) -> QuantityKind:
        return self * other**-1

    def __pow__(self, power: int | Fraction) -> QuantityKind:
        return QuantityKind(self.dimension**power, self.level * power, self.information * power)

    def describe(self) -> str:
        """For messages: ``power [L]^2 [M] [T]^-3``, ``a level in dB``, ``information in bit``."""
        if not self.level and not self.information:
            return self.dimension.describe()
        if self.dimension.is_dimensionless and self.level == 1 and not self.information:
            return "a level in dB"
        if self.dimension.is_dimensionless and self.information == 1 and not self.level:
            return "information in bit"
        if self == POWER_LEVEL:
            return "a power level in dB above 1 W"
        return f"a quantity in {coherent_unit(self)}"


NUMBER = QuantityKind(DIMENSIONLESS)
LEVEL = QuantityKind(DIMENSIONLESS, level=ONE)
INFORMATION = QuantityKind(DIMENSIONLESS, information=ONE)
POWER_LEVEL = QuantityKind(Dimension.of((2, 1, -3, 0, 0, 0, 0)), level=ONE)


@dataclass(frozen=True, slots=True)
class Affine:
    """``x * multiply / divide + add``, elementwise on floats and arrays.

    Ratios stay a product and a quotient of whole numbers where a double holds them, so that 1500 uW and 1.5 mW are the
    same number of watts to the last bit.
    """

    multiply: float = 1.0
    divide: float = 1.0
    add: float = 0.0

    @overload
    def __call__(self, x: float) -> float: ...
    @overload
    def __call__(self, x: Any) -> Any: ...  # noqa: ANN401
    def __call__(self, x: Any) -> Any:
        if self.multiply != 1.0:
            x = x * self.multiply
        if self.divide != 1.0:
            x = x / self.divide
        return x + self.add if self.add else x


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit with its canonical `symbol`; ``x_SI = factor * x + offset``, exact where the unit is defined exactly.

    For logarithmic units "SI" reads dB (ratios), dB above 1 W (dBm) and bit (information).
    """

    symbol: str
    kind: QuantityKind
    factor: Fraction = ONE
    offset: Fraction = ZERO
    scale: Scale = Scale.LINEAR
    is_delta: bool = False

    @property
    def dimension(self) -> Dimension:
        return self.kind.dimension

    @property
    def is_dimensionless(self) -> bool:
        """True for plain numbers (1, %, rad), not for dB or bit."""
        return self.kind.is_number

    @property
    def is_place(self) -> bool:
        """Whether a value is a place on a scale (degC, dBm) rather than an amount: subtract two to get an amount."""
        return self.scale is Scale.OFFSET or (self.scale is Scale.LOGARITHMIC and self.kind not in {LEVEL, INFORMATION})

    @property
    def delta(self) -> Unit:
        """The unit of a difference of two values in this one: `delta_degC` of degC, `dB` of dBm, itself of most."""
        if not self.is_place:
            return self
        if self.kind.level:
            return Unit("dB", LEVEL, scale=Scale.LOGARITHMIC)
        return Unit(f"delta_{self.symbol}", self.kind, self.factor, is_delta=True)

    def to_si(self, x: float) -> float:
        return self.affine_to(None)(x)

    def from_si(self, x: float) -> float:
        return self.affine_from_si()(x)

    def affine_from_si(self) -> Affine:
        """The map of SI numbers to numbers in this unit."""
        return _affine(1 / self.factor, -self.offset / self.factor)

    def affine_to(self, other: Unit | None) -> Affine:
        """The map of numbers in this unit to numbers in `other` (None: SI). Raises `UnitError` unless of one kind."""
        if other is None:
            return _affine(self.factor, self.offset)
        places = self.is_place != other.is_place
        if other.kind != self.kind or (places and (self.kind.level or self.is_delta or other.is_delta)):
            raise mismatch(self, other)
        return _affine(self.factor / other.factor, (self.offset - other.offset) / other.factor)

    def convert(self, x: float, other: Unit) -> float:
        """`x` of this unit in `other`, also between a logarithmic unit and what it is the logarithm of (dBm and mW)."""
        if self.kind == other.kind:
            return self.affine_to(other)(x)
        if self.kind.level == 1 and other.kind == QuantityKind(self.dimension):
            return other.from_si(_power_of_ten(self.to_si(x)))
        if other.kind.level == 1 and self.kind == QuantityKind(other.dimension):
            return other.from_si(_decibel(self.to_si(x)))
        raise mismatch(self, other)

    def __str__(self) -> str:
        return self.symbol


def mismatch(found: Unit, wanted: Unit) -> UnitError:
    """The error of a unit of the wrong kind."""
    return UnitError(
        "unit.dim-mismatch",
        f"{found} is {found.kind.describe()}, {wanted} is {wanted.kind.describe()}",
        f"use a unit of {wanted.kind.describe()}, such as `{wanted}`",
        0,
        len(found.symbol),
    )


@lru_cache(maxsize=512)
def _affine(ratio: Fraction, shift: Fraction) -> Affine:
    if ratio.numerator <= _EXACT and ratio.denominator <= _EXACT:
        return Affine(float(ratio.numerator), float(ratio.denominator), float(shift))
    return Affine(float(ratio), 1.0, float(shift))


def _power_of_ten(decibel: float) -> float:
    try:
        return float(10.0 ** (decibel / 10.0))
    except OverflowError:
        return float("inf")


def _decibel(ratio: float) -> float:
    from math import log10

    return 10.0 * log10(ratio) if ratio > 0 else float("-inf") if ratio == 0 else float("nan")


_SI_SYMBOLS = dict(zip(BASES, ("m", "kg", "s", "A", "K", "mol", "cd"), strict=True))
_WRITTEN_FIRST = ("M", "L", "T", "I", "Θ", "N", "J")


@lru_cache(maxsize=512)
def coherent_unit(kind: QuantityKind) -> Unit:
    """The unit in which `kind` has the factor one: SI base units, dB and bit, as in `kg*m^2/s^3`."""
    powers = dict(zip(BASES, kind.dimension.exponents, strict=True))
    named = [("dB", kind.level), ("bit", kind.information)]
    named += [(_SI_SYMBOLS[base], powers[base]) for base in _WRITTEN_FIRST]
    scale = Scale.LOGARITHMIC if kind in {LEVEL, INFORMATION} else Scale.LINEAR
    return Unit(spell([(symbol, power) for symbol, power in named if power]), kind, scale=scale)


def spell(factors: Sequence[tuple[str, int | Fraction]]) -> str:
    """The canonical spelling of a product of powers: ``kg*m^2/s^3``, ``J/(kg*K)``, ``s^-1``, ``dimensionless``."""
    above = [_raised(symbol, power) for symbol, power in factors if power > 0]
    below = [(symbol, power) for symbol, power in factors if power < 0]
    if not above:
        return "*".join(_raised(symbol, power) for symbol, power in below) or "dimensionless"
    under = "*".join(_raised(symbol, -power) for symbol, power in below)
    return "*".join(above) + (f"/({under})" if len(below) > 1 else f"/{under}" if below else "")


def _raised(symbol: str, power: int | Fraction) -> str:
    return symbol if power == 1 else f"{symbol}^{power}"
