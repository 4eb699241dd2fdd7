"""The report of P405-7 on what was read: units to SI and back, and what storing the values cost."""

from __future__ import annotations

from dataclasses import dataclass

CONSERVATION_REPORT = "conservation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldConservation:
    """One field of numbers. ``x_SI = a x + b`` (S403-2), so that ``u(x_SI) = |a| u(x)``."""

    name: str
    unit: str
    a: float
    b: float
    values: int
    not_restored: int
    """Values that the way to SI and back does not give again, to two units in the last place of float64."""
    loss_cast: float
    """S403-3: the mean of ``|x - cast(x)|``, in `unit`."""
    largest_loss: float
    mean_size: float
    """The mean of ``|x|``, in `unit`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConservationReport:
    """One entry a field of numbers, in the order of the schema."""

    fields: tuple[FieldConservation, ...]
