"""A lower bound of eps from one run: canaries put in by fair coins, and guesses of the coins from what came out.

Steinke, Nasr and Jagielski 2023, theorem 5.2. It is evidence against a claim and never the guarantee: a mechanism whose
bound lies under its claim may still be wrong. It loads scipy where it is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_MOST_EPS, _HALVINGS = 60.0, 60
CONFIDENCE = 0.95


def lower_bound(correct: int, guesses: int, canaries: int, delta: float, confidence: float = CONFIDENCE) -> float:
    """The largest eps that `correct` of `guesses` about `canaries` rule out, at `confidence`; 0 where none is.

    `guesses` must not have been chosen by how well they did. Raises ValueError for counts that cannot be.
    """
    if not 0 <= correct <= guesses <= canaries or not guesses:
        raise ValueError(f"{correct} of {guesses} guesses about {canaries} canaries")
    if _explained(0.0, correct, guesses, canaries, delta) > 1 - confidence:
        return 0.0
    low, high = 0.0, _MOST_EPS
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _explained(middle, correct, guesses, canaries, delta) <= 1 - confidence:
            low = middle
        else:
            high = middle
    return low


def guessed(scores: Sequence[float], present: Sequence[bool], guesses: int) -> int:
    """How many of `guesses` are right that call the highest half of the scores present, and the lowest half absent."""
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    half = guesses // 2
    return sum(not present[i] for i in order[:half]) + sum(present[i] for i in order[len(order) - half :])


def _explained(eps: float, correct: int, guesses: int, canaries: int, delta: float) -> float:
    """The probability of at least so many correct guesses that an (eps, delta)-private mechanism cannot exceed."""
    import numpy as np
    from scipy import stats

    # Each guess is right with a probability of at most e^eps / (1 + e^eps), whatever the others were.
    right = 1.0 / (1.0 + math.exp(-eps))
    tail = np.asarray(stats.binom.sf(np.arange(correct + 1) - 1, guesses, right), dtype=np.float64)
    steps = np.arange(1, correct + 1)
    most = float(((tail[correct - steps] - tail[correct]) / steps).max(initial=0.0))
    return min(1.0, float(tail[correct]) + 2 * canaries * delta * most)
