"""The noisy statistics of a spec as an op: what an engine is trained from under dp-noise, or asked for beside dp-sgd."""

from __future__ import annotations

from synthspec.accounting import available
from synthspec.backend.countable import told_apart, uncounted
from synthspec.ir.ops import Fit, Statistics
from synthspec.ir.privacy import accountant_of
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.statistics import (
    CONDITIONS,
    EMBEDDING,
    IMPUTATION,
    OFFERED,
    Kind,
    drawn_records,
    kind_of,
    solved_sigma,
)
from synthspec.lower.binding import impute_op
from synthspec.lower.needs import Needs
from synthspec.spec.data import Constant
from synthspec.spec.privacy import DpNoise, DpSgd

PROPORTION = 65_536
"""Rows that a histogram of conditions is written out as: no share is off by more than one of them."""


def statistics_op(resolved: ResolvedSpec, fit: Fit, needs: Needs) -> Statistics | None:
    """The `Statistics` of a spec; None where it has none, or with the faults in `needs`."""
    stated, found = resolved.spec.privacy, None
    if isinstance(stated, DpNoise):
        found = _trained_from(resolved, stated, fit, needs)
    elif isinstance(fit.privacy, DpSgd):
        found = _beside(resolved, fit.privacy, fit, needs)
    if found is None:
        return None
    key = "statistics" if isinstance(stated, DpNoise) else found.kind
    for reason in uncounted(found):
        advice = "give the fields a range or an enum in the SRef, or write another mechanism"
        needs.fault("engine.backend-unsupported", reason, advice, ("privacy", key))
    return found


def _trained_from(resolved: ResolvedSpec, block: DpNoise, fit: Fit, needs: Needs) -> Statistics | None:
    records, kind = needs.of(drawn_records(block), "privacy", "records"), kind_of(block)
    if kind is None:
        message = f"the engine cannot be trained from {', '.join(block.statistics) or 'nothing'}"
        _refuse(needs, message, f"write statistics: [{'] or ['.join(OFFERED)}]", "statistics")
    if block.unit != "record":
        _refuse(needs, f"noisy statistics protect a record, not a {block.unit}", "write unit: record", "unit")
    if records is None or kind is None or needs.faults:
        return None
    schema = resolved.schema
    fields = tuple(each.name for each in schema.fields if each.role == "content" or each.name in fit.conditions)
    return Statistics(
        schema=schema,
        privacy=block,
        kind=kind,
        fields=fields,
        target=_target(resolved, fit, kind, fields),
        sigma=_sigma(block, needs),
        records=records,
        seed=fit.training.seed or 0,
    )


def _target(resolved: ResolvedSpec, fit: Fit, kind: Kind, fields: tuple[str, ...]) -> str:
    """What the other fields are to predict; of embeddings the first condition or target with members for a block each."""
    evaluation = resolved.spec.evaluation
    stated = () if evaluation is None or evaluation.target is None else (evaluation.target,)
    if kind == EMBEDDING:
        known = {field.name: field for field in resolved.schema.fields if field.name in fields}
        wanted = (name for name in (*fit.conditions, *stated) if name in known and told_apart(known[name]))
        return next(wanted, "") if len(fields) > 1 else ""
    return next((name for name in (*stated, *fit.conditions) if name in fields), "")


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


def _beside(resolved: ResolvedSpec, block: DpSgd, fit: Fit, needs: Needs) -> Statistics | None:
    """What is released beside gradients: counts of the conditions, and those that gaps are filled by."""
    histogram, imputed = block.condition_histogram, block.imputation
    filled = impute_op(resolved)
    fill = () if filled is None or imputed is None else filled.fill
    if histogram is not None and not fit.conditions:
        _refuse(needs, "there are no conditions to count", "leave it out", "condition_histogram")
    if imputed is not None and all(isinstance(how, Constant) for _, how in fill):
        _refuse(needs, "no gap is filled with a mean, a median or a mode", "leave it out", "imputation")
    stated = histogram or imputed
    if stated is None or needs.faults:
        return None
    return Statistics(
        schema=resolved.schema,
        privacy=block,
        kind=IMPUTATION if histogram is None else CONDITIONS,
        fields=() if histogram is None else fit.conditions,
        sigma=stated.multiplier,
        records=0 if histogram is None else PROPORTION,
        seed=fit.training.seed or 0,
        fill=fill,
        fill_sigma=0.0 if imputed is None else imputed.multiplier,
    )


def _refuse(needs: Needs, message: str, advice: str, key: str) -> None:
    needs.fault("engine.backend-unsupported", message, advice, ("privacy", key))
