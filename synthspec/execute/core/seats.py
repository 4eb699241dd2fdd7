"""Who is kept: each of n seats goes to the candidate drawn for it, or to one of the reserve."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.dataset import Column
from synthspec.execute.core.row_ids import row_ids

EMPTY = -1


def fill_seats(
    n: int, accepted: NDArray[np.bool_], given_up: NDArray[np.bool_], requested: Sequence[Column]
) -> NDArray[np.int64]:
    """The candidate in each seat, in order; -1 where nobody is left for it. Seats that are `given_up` are left out.

    Candidates 0..n-1 have their own seats, those from n on are the reserve. A turned-down candidate is replaced by the
    next accepted one of the reserve with the same requested condition, and only when all such are gone by any other: so
    replacing changes the requested distribution as little as it can.
    """
    seats = np.flatnonzero(~given_up[:n]).astype(np.int64)
    vacant = seats[~accepted[seats]]
    reserve = [row for row in np.flatnonzero(accepted).tolist() if row >= n]
    ids = row_ids(requested, len(accepted)).tolist()
    waiting: dict[int, deque[int]] = {}
    for row in reserve:
        waiting.setdefault(ids[row], deque()).append(row)
    taken = {seat: queue.popleft() for seat in vacant.tolist() if (queue := waiting.get(ids[seat]))}
    others = iter(sorted(row for queue in waiting.values() for row in queue))
    for seat in vacant.tolist():
        if seat not in taken:
            taken[seat] = next(others, EMPTY)
    return np.array([taken.get(seat, seat) for seat in seats.tolist()], np.int64)
