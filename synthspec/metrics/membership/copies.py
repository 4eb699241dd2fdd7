"""Near copies of candidates, as they are or moved all alike: beside the advantage, never instead of it.

A distance to the training set says nothing of an attack that does not look at it; a copy is a copy all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthspec.metrics.membership.displacement import moves
from synthspec.metrics.membership.people import People
from synthspec.metrics.neighbours import nearest
from synthspec.metrics.request import Array

CLOSE = 0.01
"""A synthetic record is a copy of a candidate when it is nearer than this share of the typical distance to a neighbour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Shares of members and of non-members that a synthetic record copies."""

    members: float
    non_members: float
    moved_members: float
    """The same once the synthetic records are moved back by what they may have been moved by."""
    moved_non_members: float


def copies(people: People) -> Copies:
    """Count copies of members and of others among the synthetic records."""
    typical = float(np.median(nearest(people.others, people.reference)))
    back = moves(np.concatenate([people.members, people.others]), people.synthetic, people.reference)

    def share(rows: Array, *by: Array) -> float:
        near = np.logical_or.reduce([nearest(rows + move, people.synthetic) <= CLOSE * typical for move in by])
        return float(near.mean())

    still = np.zeros(people.members.shape[1])
    return Copies(
        members=share(people.members, still),
        non_members=share(people.others, still),
        moved_members=share(people.members, *back),
        moved_non_members=share(people.others, *back),
    )
