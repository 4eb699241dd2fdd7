"""What the noisy votes of teachers cost: PATE, without a look at the votes (Papernot et al. 2017, 2018).

A query counts the votes of k teachers for each class, adds noise to every count and releases which one is then the
greatest. The records of the teachers are disjoint, so however one record changes, one teacher changes, and it takes its
vote from one count and gives it to another: the histogram moves by at most sqrt 2 in L2 and 2 in L1. That holds under
every adjacency, and tells the truth already where two teachers tie; the votes themselves are not looked at, so the
figure may be published.
"""

from __future__ import annotations

import math
from typing import Literal

from synthspec.accounting.events import Adjacency, Composed, Event, Gaussian, Laplace, Repeated, distance

Aggregation = Literal["gnmax", "laplace"]
"""gnmax: Gaussian noise on each count. laplace (LNMax): Laplace noise."""

MOVED_L2, MOVED_L1 = math.sqrt(2), 2.0
"""How far one record moves the histogram of one query."""


def votes(aggregation: Aggregation, scale: float, queries: int, adjacency: Adjacency) -> Event:
    """`queries` releases of the winner of noisy votes.

    `scale` counts votes: the standard deviation of the noise on each count, or the scale b of Laplace's law (a mean of
    |noise| of b, never its inverse). Raises ValueError for a negative scale or number.
    """
    if not queries:
        return Composed()
    # A ledger multiplies by what a record moves under its adjacency; here that is counted already.
    unit = scale * distance(adjacency)
    return Repeated(Laplace(unit / MOVED_L1) if aggregation == "laplace" else Gaussian(unit / MOVED_L2), queries)
