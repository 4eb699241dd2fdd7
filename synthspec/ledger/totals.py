"""What entries come to together, whether a budget covers them, and what is left of one that ended early."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from synthspec.accounting import (
    Composed,
    Event,
    Gaussian,
    Laplace,
    PoissonGaussian,
    Repeated,
    available,
    eps_total,
    quick_bound,
)
from synthspec.ledger.account import Account, Entry, OverBudgetError, Total
from synthspec.text import counted


def afforded(held: Account, asked: Account, before: Sequence[Entry], rest: Sequence[Entry], entry: Entry) -> Total:
    """The total of `rest` with `entry`. Raises OverBudgetError, which tells of `before`, when it is over a budget."""
    whole = total(held, [*rest, entry])
    budget = min(held.eps_budget, asked.eps_budget)
    if whole.eps > budget:
        raise _over(held, budget, total(held, before), total(held, [entry]), whole)
    return whole


def total(account: Account, spent: Sequence[Entry]) -> Total:
    """Everything in `spent`, composed: one figure at the account's delta, whatever the entries' own deltas were.

    Where a closed form ends, as with releases of several kinds, pld goes on: what fits into a ledger does not depend on
    which release opened it.
    """
    whole = Composed(tuple(each.event for each in spent))
    spend, closed = None, account.accountant == "analytic"
    if closed:
        spend = eps_total(whole, account.delta_budget, "analytic", account.adjacency)
    if spend is None or math.isinf(spend.eps):
        if available():
            by = "pld" if closed else account.accountant
            spend = eps_total(whole, account.delta_budget, by, account.adjacency)
        else:
            spend = quick_bound(whole, account.delta_budget, account.adjacency)
    return Total(spend=spend, entries=len(spent))


def _over(account: Account, budget: float, before: Total, own: Total, whole: Total) -> OverBudgetError:
    left = max(0.0, budget - before.eps) if math.isfinite(before.eps) else 0.0
    message = (
        f"the ledger {account.name} has spent eps {before.eps:.15g} of {budget:.15g} in {counted(before.entries, 'release')}; "
        f"this one plans {own.eps:.15g}, and together they come to {whole.eps:.15g} at delta {whole.delta:.15g}"
    )
    help_text = f"about {left:.4g} is left: plan fewer steps or more noise, or release nothing more of these data"
    if math.isinf(own.eps):
        help_text = "no accountant bounds it: it has no noise, or is of a kind that nobody has a bound for"
        if not whole.delta:
            help_text = (
                "no accountant bounds it: at delta 0 only Laplace noise has a finite eps, so state a delta above 0"
            )
    return OverBudgetError(message, help_text)


def shortened(planned: Event, releases: int) -> Event:
    """What of `planned` had happened after `releases`; all of it where its parts are not alike."""
    if not releases:
        return Composed()
    if isinstance(planned, PoissonGaussian):
        return replace(planned, steps=min(releases, planned.steps))
    if isinstance(planned, Repeated) and isinstance(planned.event, Gaussian | Laplace):
        return replace(planned, times=min(releases, planned.times))
    if isinstance(planned, Composed):
        # In the order in which they are released, each of at least one: so many parts hold all that had happened.
        return Composed(planned.events[:releases])
    return planned
