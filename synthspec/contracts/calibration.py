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
    one does, counted as the worst of its distances from the mean over the symbols, in standard deviations of the symbol
    in the other cuts, is as likely to take any place among theirs: the limits stand where ``ceil((B + 1) confidence)`` of
    them stay within, as many standard deviations away in every symbol. (Ranks would not do: among B cuts each symbol has
    a worst one, and a new cut is beyond one of the worst of S symbols up to S times in B + 1.) `margin` widens each limit
    by that part of its size, and the last digit is rounded in favour of the null.

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
    centres = {symbol: math.fsum(values) / cuts for symbol, values in bad.items()}
    spreads = {
        symbol: math.sqrt(_squares(values, centres[symbol]) / max(cuts - 1, 1)) for symbol, values in bad.items()
    }
    moving = [symbol for symbol in bad if spreads[symbol] > 0]
    alone = sorted(max((_away(bad[s], n, centres[s], spreads[s]) for s in moving), default=0.0) for n in range(cuts))
    inside = sorted(max(((bad[s][n] - centres[s]) / spreads[s] for s in moving), default=0.0) for n in range(cuts))
    reach = max(alone[needed - 1], inside[needed - 1])
    edges = {s: centres[s] + reach * spreads[s] if s in moving else max(values) for s, values in bad.items()}
    return {symbol: _limit(symbol, terms[symbol], edges[symbol], margin) for symbol in judged}


def _squares(values: Sequence[float], centre: float) -> float:
    return math.fsum((value - centre) ** 2 for value in values)


def _away(values: Sequence[float], number: int, centre: float, spread: float) -> float:
    """How far the value of one cut lies beyond the mean of the others, in their standard deviations.

    Where the others are all alike, in standard deviations of all.
    """
    n, off = len(values), values[number] - centre
    left = _squares(values, centre) - off**2 * n / (n - 1)
    others = math.sqrt(left / (n - 2)) if n > 2 and left > 1e-12 * off**2 else spread
    return off * n / (n - 1) / others


def least_cuts(confidence: float) -> int:
    """The fewest cuts that can say anything at `confidence`: 19 at 0.95."""
    return math.ceil(confidence / (1 - confidence) - 1e-9)


def _badness(term: Term, values: Sequence[float]) -> list[float]:
    """Larger is worse for the claim."""
    return [value if term.relation == "<=" else -value for value in values]


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
