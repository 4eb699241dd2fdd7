"""What a backend can show of its private training: canaries through its own core (P405-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from synthspec.ir.families import DpSgd, Pate


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRun:
    """One training at the rate, noise, clip norm and steps of a spec, on records whose gradients are orthogonal.

    Under PATE: its votes, each of which one canary may turn.
    """

    present: tuple[bool, ...]
    """The fair coin of each canary."""
    scores: tuple[float, ...]
    """What came out in its direction, in clip norms: high speaks for present."""
    replay_ratio: float
    """How far one record moved what is summed before the noise, in clip norms, or how many votes it moved: at most 1."""
    replay_same: bool
    """Whether the same releases, with the same noise, were made without that record."""
    z: tuple[tuple[str, float], ...]
    """How far mean, noise, correlation of steps and sampling lie from those that are accounted for, in standard errors."""


@runtime_checkable
class Audited(Protocol):
    """A backend whose private training can be audited."""

    def audit(self, block: DpSgd | Pate, canaries: int, seed: int | None) -> CanaryRun:
        """Train once on `canaries`; `seed` repeats a run, None draws coins that nobody knows."""
