"""How a metric answers: a figure, or the reason why there is none."""

from __future__ import annotations

from synthspec.ir.evidence import Figure, Scalar

Z95 = 1.6448536269514722
"""The one-sided 95 % quantile of the normal law."""


class UnmeasurableError(Exception):
    """The figure cannot be computed from this request; the text says why. Never leaves `measure`."""


def absent(name: str, reason: str) -> Figure:
    """The figure that could not be computed."""
    return Figure(name=name, label=name, value=None, reason=reason)


def details(**entries: Scalar | None) -> tuple[tuple[str, Scalar], ...]:
    """The credentials of a figure in the order given; None entries are left out."""
    return tuple((key, value) for key, value in entries.items() if value is not None)
