"""Quantities: ``<number> <unit>``, with one canonical spelling."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from synthspec.units.errors import UnitError
from synthspec.units.grammar import parse_unit, printable
from synthspec.units.unit import Unit, mismatch

MAX_DIGITS = 60
_NUMBER = re.compile(r" *(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?) *")
_NONFINITE = re.compile(r" *[+-]?(nan|inf|infinity|\.nan|\.inf)\b", re.IGNORECASE)
_HELP = "write a number and a unit, such as `50 ms`"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A finite number of a unit. `text` is what was written; it takes no part in equality."""

    value: float
    unit: Unit
    text: str = field(default="", compare=False)

    @property
    def si(self) -> float:
        """The value in SI units; in dB, dB above 1 W, or bit for the logarithmic units, which SI does not have."""
        return self.unit.to_si(self.value)

    def to(self, unit: Unit | str) -> float:
        """The value in another unit of the same kind, or across a logarithm (dBm to mW). Raises `UnitError`."""
        return self.unit.convert(self.value, parse_unit(unit) if isinstance(unit, str) else unit)

    @property
    def canonical(self) -> str:
        """Shortest digits that give this number back, and the canonical unit: ``50 ms``."""
        return f"{spell_number(self.value)} {self.unit.symbol}"

    def __str__(self) -> str:
        return self.canonical


def spell_number(value: float) -> str:
    """The shortest digits that read back as `value`, without a trailing ``.0``."""
    return repr(value).removesuffix(".0")


def parse_quantity(text: str, like: Unit | None = None) -> Quantity:
    """Read ``50 ms``, ``299792458 m/s``, ``-40 degC``. With `like`, the unit must be of that unit's kind.

    Raises `UnitError`: `unit.bare-number` when the unit is missing, `unit.nonfinite` for infinities, NaN and what
    overflows, `unit.dim-mismatch` when it is not of the kind of `like`, else what `parse_unit` raises.
    """
    match = _NUMBER.match(text[: MAX_DIGITS + 80])
    if match is None:
        raise _no_number(text)
    start, end = match.span("number")
    if end - start > MAX_DIGITS:
        raise UnitError("unit.too-large", "this number is too long", f"at most {MAX_DIGITS} characters", start, end)
    if not text[match.end() :].strip(" "):
        raise UnitError(
            "unit.bare-number", f"{match['number']} has no unit", _example(match["number"], like), start, end
        )
    value = float(match["number"])
    try:
        unit = parse_unit(text[match.end() :])
    except UnitError as error:
        raise error.shifted(match.end()) from None
    quantity = Quantity(value, unit, text)
    vanished = value == 0 and re.search("[1-9]", match["number"].lower().partition("e")[0]) is not None
    if vanished or not math.isfinite(value) or not math.isfinite(quantity.si):
        message = f"`{printable(text.strip())}` is not a number that a double can hold"
        raise UnitError("unit.nonfinite", message, "write a finite number", start, end)
    if like is not None and unit.kind != like.kind:
        wrong = mismatch(unit, like)
        raise UnitError(wrong.code, wrong.message, wrong.help, match.end(), len(text))
    return quantity


def _no_number(text: str) -> UnitError:
    if _NONFINITE.match(text[:40]):
        return UnitError("unit.nonfinite", f"`{printable(text)}` is not finite", "write a finite number", 0, len(text))
    return UnitError("unit.syntax", f"`{printable(text)}` does not start with a number", _HELP, 0, min(len(text), 1))


def _example(number: str, like: Unit | None) -> str:
    return f"write it with its unit, such as `{number} {like.symbol}`" if like else _HELP
