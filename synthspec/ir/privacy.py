"""What a privacy block plans to release, as an event that can be accounted for (P405-4, S405-8).

The validator asks before anything is read, the compiler when it solves the noise, a backend for what it really did: they
must mean the same event, so it is said once.
"""

from __future__ import annotations

import functools
import math

from synthspec.accounting import Accountant, Composed, Event, Gaussian, PoissonGaussian, Unknown, solve, votes
from synthspec.spec.privacy import Accountant as StatedAccountant
from synthspec.spec.privacy import DpNoise, DpSgd, Noise, Pate

_COMPUTED_BY: dict[str, Accountant] = {"pld": "pld", "rdp": "rdp", "prv": "pld", "analytic": "analytic"}
"""prv approximates what pld bounds: the same distribution, on a grid with a guarantee."""


def planned_event(block: DpSgd | Pate, multiplier: float) -> Event:
    """All releases of a training under `block` with noise of `multiplier`; `Unknown` where the block leaves it open."""
    match block:
        case DpSgd():
            # One row of parts, in the order of their releases: a ledger charges those that had happened.
            events = (*_beside(block), _gradients(block, multiplier))
            return Composed(events) if len(events) > 1 else events[0]
        case Pate():
            return _votes(block, multiplier)


def stated_multiplier(block: DpSgd | Pate) -> float | None:
    """The noise that is written down; None where it is left open, solved from the budget, or no noise at all."""
    multiplier = None if block.noise is None else block.noise.multiplier
    return multiplier if isinstance(multiplier, float) and 0 < multiplier < math.inf else None


def is_auto(block: DpSgd | Pate) -> bool:
    """Whether the noise is to be solved from the budget."""
    return block.noise is not None and block.noise.multiplier == "auto"


def accountant_of(block: DpSgd | Pate | DpNoise) -> Accountant | None:
    """Which accountant computes the eps of `block`; None where none, or none that bounds eps, is named."""
    stated = block.accountant
    return _COMPUTED_BY.get(stated.kind if isinstance(stated, StatedAccountant) else stated or "")


def with_multiplier(block: DpSgd | Pate, multiplier: float) -> DpSgd | Pate:
    """`block` with its noise written out."""
    noise = (block.noise or Noise(multiplier=multiplier)).model_copy(update={"multiplier": multiplier})
    return block.model_copy(update={"noise": noise})


@functools.lru_cache(maxsize=256)  # half a second; the compiler and a review ask the same
def solved_multiplier(block: DpSgd | Pate) -> float | None:
    """The least noise that the budget of `block` allows; None where none does, or the block leaves it open.

    Raises AccountantMissingError without dp-accounting.
    """
    accountant, adjacency = accountant_of(block), block.adjacency
    if accountant is None or adjacency is None or not block.delta or not block.eps_budget:
        return None
    return solve(functools.partial(planned_event, block), block.delta, block.eps_budget, adjacency, accountant)


def _beside(block: DpSgd) -> tuple[Gaussian, ...]:
    """What is released of the records before the gradients; all records of a unit move the counts together."""
    stated = (block.imputation, block.condition_histogram)
    return tuple(Gaussian(each.multiplier / _contributions(block)) for each in stated if each is not None)


def _contributions(block: DpSgd) -> int:
    """Records that one unit has, at most."""
    return 1 if block.unit == "record" else block.max_contributions or 1


def training_event(block: DpSgd | Pate, multiplier: float) -> Event:
    """All releases of the training itself: `planned_event` without the statistics beside it."""
    return planned_event(_alone(block), multiplier)


def _alone(block: DpSgd | Pate) -> DpSgd | Pate:
    return (
        block.model_copy(update={"condition_histogram": None, "imputation": None})
        if isinstance(block, DpSgd)
        else block
    )


def _gradients(block: DpSgd, multiplier: float) -> Event:
    """S405-8: each step releases the noisy sum of the clipped gradients of a Poisson sample.

    A unit of up to k records has every one of them drawn by its own coin. Clipped one by one, each of them moves the
    sum by C; clipped together, the unit does, whenever any of its records is drawn.
    """
    sampling, records = block.sampling, _contributions(block)
    if block.steps is None or sampling is None or sampling.rate is None:
        return Unknown("the steps and their rate are not stated")
    if block.clip is not None and block.clip.per == "entity" and sampling.rate < 1:
        any_of_them = -math.expm1(records * math.log1p(-sampling.rate)) if records > 1 else sampling.rate
        return PoissonGaussian(any_of_them, multiplier, block.steps)
    return PoissonGaussian(sampling.rate, multiplier, block.steps, records)


def _votes(block: Pate, multiplier: float) -> Event:
    """Each query releases the winner of noisy votes; sigma, or the Laplace scale, in votes."""
    if not block.queries or block.aggregation is None or block.adjacency is None:
        return Unknown("the queries, how they are aggregated and the adjacency are not all stated")
    return votes(block.aggregation, multiplier, block.queries, block.adjacency)
