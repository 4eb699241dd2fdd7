"""The noisy statistics of a spec as an op: what an engine is trained from under dp-noise, or asked for beside dp-sgd."""

from __future__ import annotations

from synthspec.accounting import available
from synthspec.backend.countable import uncounted
from synthspec.ir.ops import Fit, Statistics
from synthspec.ir.privacy import accountant_of
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.statistics import CONDITIONS, MARGINALS, OFFERED, drawn_records, solved_sigma
from synthspec.lower.needs import Needs
from synthspec.spec.privacy import ConditionHistogram, DpNoise, DpSgd

PROPORTION = 65_536
"""Rows that a histogram of conditions is written out as: no share is off by more than one of them."""


def statistics_op(resolved: ResolvedSpec, fit: Fit, needs: Needs) -> Statistics | None:
    """The `Statistics` of a spec; None where it has none, or with the faults in `needs`."""
    stated, found = resolved.spec.privacy, None
    if isinstance(stated, DpNoise):
        found = _marginals(resolved, stated, fit, needs)
    elif isinstance(fit.privacy, DpSgd) and fit.privacy.condition_histogram is not None:
        found = _conditions(resolved, fit.privacy, fit.privacy.condition_histogram, fit, needs)
    if found is None:
        return None
    key = "statistics" if isinstance(stated, DpNoise) else "condition_histogram"
    for reason in uncounted(found):
        advice = "give the fields a range or an enum in the SRef, or write another mechanism"
        needs.fault("engine.backend-unsupported", reason, advice, ("privacy", key))
    return found


def _marginals(resolved: ResolvedSpec, block: DpNoise, fit: Fit, needs: Needs) -> Statistics | None:
    records = needs.of(drawn_records(block), "privacy", "records")
    if block.statistics != OFFERED:
        message = f"the engine cannot be trained from {', '.join(block.statistics) or 'nothing'}"
        _refuse(needs, message, f"write statistics: [{', '.join(OFFERED)}]", "statistics")
    if block.unit != "record":
        _refuse(needs, f"marginals protect a record, not a {block.unit}", "write unit: record", "unit")
    if records is None or needs.faults:
        return None
    schema, target = resolved.schema, None if resolved.spec.evaluation is None else resolved.spec.evaluation.target
    fields = tuple(each.name for each in schema.fields if each.role == "content" or each.name in fit.conditions)
    return Statistics(
        schema=schema,
        privacy=block,
        kind=MARGINALS,
        fields=fields,
        target=next((name for name in (target, *fit.conditions) if name in fields), ""),
        sigma=_sigma(block, needs),
        records=records,
        seed=fit.training.seed or 0,
    )


def _sigma(block: DpNoise, needs: Needs) -> float:
    """The noise that the budget leaves; 0 where it cannot be solved here."""
    accountant = accountant_of(block)
    if accountant is None or not (available() or accountant == "analytic"):
        return 0.0
    sigma = solved_sigma(block)
    if sigma is None:
        needs.fault(
            "P405-4.budget-exceeded",
            f"no noise keeps the statistics within an eps_budget of {block.eps_budget or 0:g}",
            "a waiver cannot make it private: raise the budget",
            ("privacy", "eps_budget"),
        )
    return sigma or 0.0


def _conditions(
    resolved: ResolvedSpec, block: DpSgd, histogram: ConditionHistogram, fit: Fit, needs: Needs
) -> Statistics | None:
    if not fit.conditions:
        _refuse(needs, "there are no conditions to count", "leave it out", "condition_histogram")
        return None
    return Statistics(
        schema=resolved.schema,
        privacy=block,
        kind=CONDITIONS,
        fields=fit.conditions,
        sigma=histogram.multiplier,
        records=PROPORTION,
        seed=fit.training.seed or 0,
    )


def _refuse(needs: Needs, message: str, advice: str, key: str) -> None:
    needs.fault("engine.backend-unsupported", message, advice, ("privacy", key))
