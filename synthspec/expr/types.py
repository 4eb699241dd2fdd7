"""Types of expressions: a number of some kind, a truth value, a string."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from synthspec.units import LEVEL, NUMBER, QuantityKind, Unit, coherent_unit, parse_unit


class Origin(Enum):
    """What zero means."""

    AMOUNT = "amount"
    """Zero is none: a length, a power, a temperature in K. May be multiplied."""
    PLACE = "place"
    """A place on a scale: a temperature in degC, a level in dBm, an instant. May be compared and subtracted."""
    DIFFERENCE = "difference"
    """The difference of two places."""


@dataclass(frozen=True, slots=True)
class Number:
    """Numbers of one kind. `unit` is the unit the values come in (None: coherent); it takes no part in equality."""

    kind: QuantityKind = NUMBER
    origin: Origin = Origin.AMOUNT
    unit: Unit | None = field(default=None, compare=False)

    @classmethod
    def of(cls, unit: Unit | str) -> Number:
        """The type of a field declared in `unit`. Raises `UnitError` for a text that is no unit."""
        unit = parse_unit(unit) if isinstance(unit, str) else unit
        origin = Origin.PLACE if unit.is_place else Origin.DIFFERENCE if unit.is_delta else Origin.AMOUNT
        return cls(unit.kind, origin, unit)

    @property
    def coherent(self) -> Unit:
        """The unit of computed values: SI, dB, bit."""
        return coherent_unit(self.kind)

    @property
    def difference(self) -> Number:
        """The type of a difference of two of these."""
        if self.origin is not Origin.PLACE:
            return Number(self.kind, self.origin)
        if self.is_temperature:
            return Number(self.kind, Origin.DIFFERENCE)
        # Two power levels (dBm) differ by a ratio in dB, two instants by a duration: ordinary amounts.
        return Number(LEVEL) if self.kind.level else Number(self.kind)

    @property
    def is_temperature(self) -> bool:
        return self.kind.dimension.name == "temperature"

    @property
    def comparable(self) -> frozenset[Origin]:
        """What may stand beside a place of this kind: of all scales only temperature has absolute amounts too (K)."""
        return frozenset({Origin.PLACE, Origin.AMOUNT} if self.is_temperature else {Origin.PLACE})

    def describe(self) -> str:
        """For messages: ``power [L]^2 [M] [T]^-3``."""
        if self.kind.is_number:
            return "a plain number"
        shown = self.kind.describe()
        return f"{shown} (a difference)" if self.origin is Origin.DIFFERENCE else shown


@dataclass(frozen=True, slots=True)
class Boolean:
    """A truth value."""

    def describe(self) -> str:
        return "a condition"


@dataclass(frozen=True, slots=True)
class Text:
    """A string or a category."""

    def describe(self) -> str:
        return "text"


Type = Number | Boolean | Text

PLAIN = Number()
BOOLEAN = Boolean()
TEXT = Text()
INSTANT = Number(parse_unit("s").kind, Origin.PLACE, parse_unit("s"))
"""A point in time: two of them differ by seconds. Columns of datetime64, or seconds since an epoch."""
