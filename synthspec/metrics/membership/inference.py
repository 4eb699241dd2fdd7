"""What else a table gives away of those whose records were trained on: a column that is not known, and who is who.

Both are rates among members less the rates among non-members: what follows from the law of the data alone, anyone may
infer of anyone (Giomi et al. 2023). They stand beside the membership advantage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.metrics.intervals import difference
from synthspec.metrics.neighbours import closest
from synthspec.metrics.request import Array

Blocks = Sequence[Array]
"""The columns of a table, each as numbers (n, D_j)."""
MOST = 64
"""Columns, beyond which a table is not attacked column by column."""
_SAME = 0.1
"""Two numbers are taken for one when they are this near, in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much more often an attacker is right about members; one-sided bounds at 95 %, jointly over what was tried."""

    value: float
    lower: float
    upper: float
    column: int | None = None
    """The column that is worst, of those whose inference was tried."""


def attribute(members: Blocks, others: Blocks, synthetic: Blocks) -> Gain:
    """Guess each column from all others by the nearest synthetic record; the worst column."""
    alpha = 0.05 / len(synthetic)
    gains = []
    for j in range(len(synthetic)):
        right = [_guessed(side, synthetic, j) for side in (members, others)]
        gains.append((_gain(right[0], right[1], alpha), j))
    worst, column = max(gains, key=lambda pair: pair[0].value)
    bounds = [gain for gain, _ in gains]
    return Gain(
        value=worst.value,
        lower=max(gain.lower for gain in bounds),
        upper=max(gain.upper for gain in bounds),
        column=column,
    )


def linkability(members: Blocks, others: Blocks, synthetic: Blocks) -> Gain:
    """Whether the two halves of a record's columns, seen apart, lead to the same synthetic record."""
    return _gain(_linked(members, synthetic), _linked(others, synthetic), 0.05)


def _guessed(records: Blocks, synthetic: Blocks, column: int) -> NDArray[np.bool_]:
    known = [j for j in range(len(synthetic)) if j != column]
    match = closest(_joined(records, known), _joined(synthetic, known)).index
    return np.asarray(np.abs(synthetic[column][match] - records[column]).max(axis=1) <= _SAME)


def _linked(records: Blocks, synthetic: Blocks) -> NDArray[np.bool_]:
    halves = [range(start, len(synthetic), 2) for start in (0, 1)]
    one, other = (closest(_joined(records, half), _joined(synthetic, half)).index for half in halves)
    return np.asarray(one == other)


def _joined(blocks: Blocks, chosen: Sequence[int]) -> Array:
    return np.concatenate([blocks[j] for j in chosen], axis=1)


def _gain(member: NDArray[np.bool_], other: NDArray[np.bool_], alpha: float) -> Gain:
    lower, upper = difference((int(member.sum()), len(member)), (int(other.sum()), len(other)), alpha)
    return Gain(value=float(member.mean() - other.mean()), lower=lower, upper=upper)
