"""Which statistics of private records may be released with noise, and what that costs: said once, like all plans of P405-4."""

from __future__ import annotations

import functools
import math
from typing import Literal

from synthspec.accounting import Composed, Event, Gaussian, solve
from synthspec.ir.privacy import accountant_of
from synthspec.spec.privacy import DpNoise

MARGINALS: Literal["marginals"] = "marginals"
EMBEDDING: Literal["mean_embedding"] = "mean_embedding"
CONDITIONS: Literal["condition_histogram"] = "condition_histogram"
IMPUTATION: Literal["imputation"] = "imputation"
Kind = Literal["marginals", "mean_embedding", "condition_histogram", "imputation"]
OFFERED: tuple[Kind, ...] = (MARGINALS, EMBEDDING)
"""Statistics that an engine can be trained from under dp-noise: it sees records that are drawn from them, and no others."""
SHARES = (("fields", 0.30), ("pairs", 0.10), ("tables", 0.60))
"""The releases of marginals in their order, with what each takes of the precision that a budget allows."""


def kind_of(block: DpNoise) -> Kind | None:
    """Which statistics an engine under `block` is trained from; None where that is not one of those offered."""
    return next((kind for kind in OFFERED if block.statistics == (kind,)), None)


def releases_of(kind: Kind) -> int:
    """How many vectors are released."""
    return len(SHARES) if kind == MARGINALS else 1


def statistics_event(kind: Kind, sigma: float) -> Event:
    """The releases that together cost what one Gaussian release of `sigma` does: of several, precisions add up."""
    if kind == MARGINALS:
        return Composed(tuple(Gaussian(each) for each in marginal_sigmas(sigma)))
    return Gaussian(sigma)


def marginal_sigmas(sigma: float) -> tuple[float, ...]:
    """The noise of each release of marginals, in units of what one record moves it by."""
    return tuple(sigma / math.sqrt(share) for _, share in SHARES)


@functools.lru_cache(maxsize=256)  # the compiler and a review ask the same
def solved_sigma(block: DpNoise) -> float | None:
    """The least noise that the budget of `block` allows; None where none does, or the block leaves it open.

    Raises AccountantMissingError without dp-accounting, but for the accountant ``analytic``.
    """
    accountant, adjacency, kind = accountant_of(block), block.adjacency, kind_of(block)
    if accountant is None or adjacency is None or kind is None or not block.delta or not block.eps_budget:
        return None
    return solve(functools.partial(statistics_event, kind), block.delta, block.eps_budget, adjacency, accountant)


def drawn_records(block: DpNoise) -> int | None:
    """How many records an engine is trained on: a public number, or one that is stated; None where there is neither."""
    if block.records is not None:
        return block.records
    return None if block.dataset_size is None else block.dataset_size.told
