"""One inequality against one figure. What cannot be shown is unproven; nothing missing ever counts as held."""

from __future__ import annotations

import math

from synthspec.ir.evidence import Evidence, Figure
from synthspec.ir.verdict import Bound, BoundRecord, Result

_SLACK = 1e-9
"""How far, relative to its value, a bound may lie on its wrong side from rounding alone."""


def judge_bound(bound: Bound, evidence: Evidence) -> BoundRecord:
    """Compare the figure that `bound` names with its limit, at the number that is bad for the claim."""
    figure = evidence.get(bound.metric)
    if figure is None:
        return BoundRecord(bound=bound, result="unproven", reason=f"{bound.metric} was not measured")
    reason = _unusable(bound, figure)
    judged = None if reason else _judged(bound, figure)
    if judged is None:
        return _record(bound, figure, None, reason or f"{bound.metric} has no number at '{bound.at}'")
    return _record(bound, figure, judged, _unsound(bound, figure, judged))


def _unusable(bound: Bound, figure: Figure) -> str:
    """Why the figure cannot speak for this bound at all; empty when it can."""
    if figure.value is None:
        return figure.reason or f"{figure.name} could not be computed"
    if any(number is not None and math.isnan(number) for number in (figure.value, figure.lower, figure.upper)):
        return f"{figure.name} is not a number"
    if figure.u is not None and not 0.0 <= figure.u < math.inf:
        return f"the uncertainty of {figure.name} is negative or not a finite number"
    if any(n is not None and n < 1 for n in (figure.n_real, figure.n_syn)):
        return f"{figure.name} was measured on nothing"
    if not math.isfinite(bound.limit):
        return f"the limit {bound.symbol or bound.metric} is not a finite number"
    if figure.unit != bound.unit:
        return f"{figure.name} is in {figure.unit}, the limit in {bound.unit}"
    if bound.split is not None and figure.split != bound.split:
        return f"measured on split {figure.split or 'unstated'}, owed on {bound.split}"
    return ""


def _judged(bound: Bound, figure: Figure) -> float | None:
    """The number that is compared with the limit."""
    match bound.at:
        case "upper":
            return figure.upper
        case "lower":
            return figure.lower
        case "value":
            return figure.value
        case "value+u":
            return None if figure.value is None or figure.u is None else figure.value + figure.u


def _unsound(bound: Bound, figure: Figure, judged: float) -> str:
    """Why the judged number cannot be believed; empty when it can."""
    value = figure.value
    if math.isnan(judged) or value is None:
        return f"{figure.name} is not a number at '{bound.at}'"
    sign = 1.0 if bound.relation == "<=" else -1.0
    if -math.inf in (sign * judged, sign * value):
        return f"{figure.name} is infinite"
    slack = _SLACK * abs(value) if math.isfinite(value) else 0.0
    if sign * judged < sign * value - slack:
        side = "below" if sign > 0 else "above"
        return f"the {bound.at} bound of {figure.name} lies {side} its value"
    return ""


def _result(bound: Bound, judged: float | None) -> Result:
    if judged is None:
        return "unproven"
    within = judged <= bound.limit if bound.relation == "<=" else judged >= bound.limit
    return "held" if within else "broken"


def _record(bound: Bound, figure: Figure, judged: float | None, reason: str) -> BoundRecord:
    return BoundRecord(
        bound=bound,
        result=_result(bound, None if reason else judged),
        judged=judged,
        value=figure.value,
        u=figure.u,
        n_real=figure.n_real,
        n_syn=figure.n_syn,
        label=figure.label,
        reason=reason,
    )
