"""The plan spends more than its budget.

Why: eps follows from the rate, the noise, the steps and delta before a record is read, so a training that would overspend
    need not begin. The figure is an upper bound, rounded up, by the accountant that the block names.

Refs: P405-4; S405-8; C40-516

Bad on cancer-dp-vae:
    privacy.noise: {multiplier: 2.0, rng: secret_csprng, dtype: float64}

Good:
    privacy.noise: {multiplier: 3.6, rng: secret_csprng, dtype: float64}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpNoise, DpSgd, Pate

if TYPE_CHECKING:  # the accountants are loaded for a spec that has a mechanism
    from synthspec.accounting import Accountant, Adjacency, Event, Spend

_OTHERWISE = (
    "incomplete", "accountant-unknown", "adjacency-mismatch", "sampler-mismatch", "weighted-sampler", "clip-missing",
    "clip-scope", "clip-invalid", "noise-per-microbatch", "multiplicity-clipped-each", "critic-steps-uncounted",
)  # fmt: skip
"""Where one of these speaks, the plan is not what it would be accounted for as."""


@rule(code="P405-4.budget-exceeded", after=tuple(f"P405-4.{offence}" for offence in _OTHERWISE))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if isinstance(block, DpSgd | Pate):
        yield from _planned(block)
    elif isinstance(block, DpNoise):
        yield from _counted(block)


def _planned(block: DpSgd | Pate) -> Iterator[Finding]:
    from synthspec.ir.privacy import accountant_of, is_auto, planned_event, stated_multiplier

    budget, delta, accountant, adjacency = block.eps_budget, block.delta, accountant_of(block), block.adjacency
    if not budget or not delta or accountant is None or adjacency is None:
        return  # other rules ask for what is missing
    if is_auto(block):
        yield from _unsolvable(block, delta, budget, adjacency)
        return
    multiplier = stated_multiplier(block)
    if multiplier is None:
        return
    spent = _spend(planned_event(block, multiplier), delta, budget, accountant, adjacency)
    if spent.eps > budget:
        by = f"{spent.accountant}, {adjacency}, delta {delta:g}"
        yield Finding(
            at("privacy", "eps_budget"),
            f"the plan spends eps {spent.eps:.10g} ({by}), over its eps_budget of {budget:g}",
            _advice(block, delta, budget, accountant, adjacency),
            (Note("the noise", at("privacy", "noise", "multiplier")),),
        )


def _counted(block: DpNoise) -> Iterator[Finding]:
    """The noise on statistics is solved from the budget, so there is no plan that exceeds one that any noise keeps."""
    from synthspec.accounting import solvable
    from synthspec.ir.statistics import kind_of, statistics_event

    budget, delta, adjacency, kind = block.eps_budget, block.delta, block.adjacency, kind_of(block)
    if not budget or not delta or adjacency is None or kind is None:
        return
    if solvable(partial(statistics_event, kind), delta, budget, adjacency):
        return
    message = f"no noise keeps the statistics within an eps_budget of {budget:g}"
    yield Finding(at("privacy", "eps_budget"), message, "raise the budget (a figure is rounded up to 4 decimals)")


def _spend(event: Event, delta: float, budget: float, accountant: Accountant, adjacency: Adjacency) -> Spend:
    """By the bound that needs no library, unless only the tighter figure of the stated accountant can be within budget."""
    from synthspec.accounting import available, eps_total, quick_bound

    bound = quick_bound(event, delta, adjacency)
    enough = bound.eps <= budget and accountant == "pld"
    return bound if enough or not available() else eps_total(event, delta, accountant, adjacency)


def _unsolvable(block: DpSgd | Pate, delta: float, budget: float, adjacency: Adjacency) -> Iterator[Finding]:
    from synthspec.accounting import solvable
    from synthspec.ir.privacy import planned_event

    if solvable(partial(planned_event, block), delta, budget, adjacency):
        return
    yield Finding(
        at("privacy", "eps_budget"),
        f"no noise keeps the plan within an eps_budget of {budget:g}",
        "raise the budget (a figure is rounded up to 4 decimals), or take fewer steps",
        (Note("the noise is to be solved from it", at("privacy", "noise", "multiplier")),),
    )


def _advice(block: DpSgd | Pate, delta: float, budget: float, accountant: Accountant, adjacency: Adjacency) -> str:
    from synthspec.accounting import EXTRA, available, solve
    from synthspec.ir.privacy import planned_event

    if not available():
        return f"a tighter figure than this bound needs dp-accounting: {EXTRA}; or write multiplier: auto"
    multiplier = solve(partial(planned_event, block), delta, budget, adjacency, accountant)
    if multiplier is None:
        return "no noise fits this budget: raise it, or take fewer steps"
    return f"write a multiplier of {multiplier:g} or more (auto solves it), take fewer steps, or raise the budget"
