"""Records that were moved all alike: a copy of the training set that no distance to it shows (privacy.md section 4.1).

An attacker need not be told by how much. Among all differences between synthetic records and candidates the move stands
out, since every copied record has it: it is the commonest value of the differences along one random direction. Where the
copies carry noise as well, the medians of the two clouds lie as far apart as the move, and nearest pairs refine it.
"""

from __future__ import annotations

import numpy as np

from synthspec.metrics.membership.whitening import TINY
from synthspec.metrics.neighbours import closest, nearest
from synthspec.metrics.request import Array
from synthspec.metrics.stream import stream

_VOTERS, _ELECTED = 500, 2500
_GRAIN = 1e-6
"""Of the spread along the direction: differences so close are one."""
_ROUNDS = 5


def moves(candidates: Array, synthetic: Array, reference: Array) -> tuple[Array, ...]:
    """The moves that may have been made, each (D,): what most differences agree on, and what lays the clouds together."""
    return voted(candidates, synthetic), aligned(candidates, synthetic, reference)


def voted(candidates: Array, synthetic: Array) -> Array:
    """The commonest difference between synthetic records and candidates (n, D)."""
    rng = stream(0, "MI/displacement")
    one = candidates[rng.permutation(len(candidates))[:_VOTERS]]
    other = synthetic[rng.permutation(len(synthetic))[:_ELECTED]]
    direction = rng.standard_normal(one.shape[1])
    apart = (other @ direction)[None, :] - (one @ direction)[:, None]
    order = np.argsort(apart, axis=None, kind="stable")
    ranked = apart.ravel()[order]
    width = _GRAIN * max(float(np.ptp(ranked)), TINY)
    ends = np.searchsorted(ranked, ranked + width, side="right")
    first = int(np.argmax(ends - np.arange(len(ranked))))
    rows, columns = np.unravel_index(order[first : ends[first]], apart.shape)
    return np.asarray(np.median(other[columns] - one[rows], axis=0))


def aligned(candidates: Array, synthetic: Array, reference: Array) -> Array:
    """From the distance of the medians, the nearest pairs' median until it settles."""
    move = np.median(synthetic, axis=0) - np.median(reference, axis=0)
    some = candidates[stream(0, "MI/alignment").permutation(len(candidates))[:_VOTERS]]
    for _ in range(_ROUNDS):
        moved = some + move
        move = move + np.median(synthetic[closest(moved, synthetic).index] - moved, axis=0)
    return np.asarray(move)


def displaced(candidates: Array, synthetic: Array, reference: Array) -> Array:
    """How much nearer than its neighbours among others the synthetic records are, once moved back: log ratio, (n,)."""
    gaps = [nearest(candidates + move, synthetic) for move in moves(candidates, synthetic, reference)]
    return np.asarray(np.log(nearest(candidates, reference) + TINY) - np.log(np.minimum.reduce(gaps) + TINY))
