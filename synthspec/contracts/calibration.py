"""Thresholds from the null (App B III): ``tol = q_(1-alpha) + margin``, for all terms of a spec at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from synthspec.contracts.form import Term

SHARES = frozenset(
    {"recall_min", "covg_min", "precision_min", "mi_max", "tol_mode_drop", "tol_detection_AUC", "tol_memorisation"}
)
"""Symbols whose limits are shares: no margin takes them beyond 0 and 1."""


def joint_limits(
    judged: Mapping[str, Sequence[float]], terms: Mapping[str, Term], confidence: float, margin: float
) -> dict[str, float]:
    """A limit for each symbol such that a new cut keeps all of them with probability `confidence`.

    `judged` holds, by symbol, the number that is judged in each of B cuts. The cuts are exchangeable, so how badly a new
    one does, counted as the worst of its ranks over the symbols, is as likely to take any place among theirs: the limits
    stand at the rank that ``ceil((B + 1) confidence)`` of them keep in every symbol. `margin` widens each limit by that
    part of its size, and the last digit is rounded in favour of the null.

    Raises:
        ValueError: there are too few cuts for this confidence, or not equally many for each symbol.

    """
    counts = {len(values) for values in judged.values()}
    if len(counts) != 1:
        raise ValueError("each symbol needs a number from each cut")
    (cuts,) = counts
    needed = math.ceil((cuts + 1) * confidence - 1e-9)
    if needed > cuts:
        raise ValueError(f"{cuts} cuts say nothing at {confidence:g}: at least {least_cuts(confidence)} are needed")
    bad = {symbol: _badness(terms[symbol], values) for symbol, values in judged.items()}
    orders = {symbol: sorted(values) for symbol, values in bad.items()}
    worst = sorted(max(_rank(orders[symbol], bad[symbol][cut]) for symbol in bad) for cut in range(cuts))
    place = worst[needed - 1]
    return {symbol: _limit(symbol, terms[symbol], orders[symbol][place - 1], margin) for symbol in judged}


def least_cuts(confidence: float) -> int:
    """The fewest cuts that can say anything at `confidence`: 19 at 0.95."""
    return math.ceil(confidence / (1 - confidence) - 1e-9)


def _badness(term: Term, values: Sequence[float]) -> list[float]:
    """Larger is worse for the claim."""
    return [value if term.relation == "<=" else -value for value in values]


def _rank(order: Sequence[float], value: float) -> int:
    """How many of `order`, ascending, are at most `value`."""
    return sum(other <= value for other in order)


def _limit(symbol: str, term: Term, bad: float, margin: float) -> float:
    loose = bad + margin * abs(bad)
    sign = 1.0 if term.relation == "<=" else -1.0
    limit = sign * _rounded_up(loose)
    return min(1.0, max(0.0, limit)) if symbol in SHARES else limit


def _rounded_up(value: float, digits: int = 4) -> float:
    """`value` at `digits` significant digits, not smaller."""
    if value == 0 or not math.isfinite(value):
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
    return float(f"{math.ceil(value / step - 1e-9) * step:.{digits + 4}g}")
