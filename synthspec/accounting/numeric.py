"""The only door to dp-accounting: privacy loss distributions (connect the dots) and Rényi divergences at fine orders.

It is imported where a figure is asked for, since it loads scipy. Every figure is an upper bound.
"""

from __future__ import annotations

import importlib.util
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from synthspec.accounting.bound import log_comb, renyi_bound
from synthspec.accounting.events import Adjacency, Ledger, PoissonGaussian, distance

EXTRA = "pip install 'synthspec[privacy]'"

MIN_DELTA = 1e-10
"""Below, the rounding of the transforms is no longer small beside delta, and a distribution shows nothing."""
MAX_POINTS = 1 << 21
"""Of the grid that a composed distribution spans: some 2 s and 200 MB."""
_MAX_POINTS_MIXED = 1 << 14
"""Where units have several records, each point of a step is found by a search."""
GRID, COARSE_GRID = 1e-4, 8e-4
"""The interval of losses: dp-accounting's own, so that anyone who asks it gets the same figure; one for searching."""
_TOO_COARSE = 2.0**-6
_LEAST_POINTS = 1 << 12
"""Also where all losses are small: eps of 0.001 is to be known to two digits, too."""
_GRID_ERROR = 4e-4
"""The grid adds about 1.3 steps h^2 to eps (measured for 1 to 10^6 steps): at most 5e-4 with this."""
_NEGLIGIBLE = 1e-15
_MANY_STEPS, _CHUNK = 100_000, 16
"""dp-accounting raises the number of points of a small distribution to the power of the steps, and with 10^9 steps never
returns. A few compositions first, and the distribution is no longer small."""
_MANY_RECORDS, _ROUNDING = 64, 1e-16


class AccountantMissingError(ImportError):
    """dp-accounting is not installed; says how to install it."""

    def __init__(self) -> None:
        super().__init__(f"tight accounting needs dp-accounting: {EXTRA}")


def available() -> bool:
    """Whether dp-accounting is installed; loads nothing."""
    return importlib.util.find_spec("dp_accounting") is not None


def version() -> str:
    """Name and version of the library. Raises AccountantMissingError."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"dp-accounting {version('dp-accounting')}"
    except PackageNotFoundError as error:
        raise AccountantMissingError from error


def pld_eps(
    ledger: Ledger, delta: float, adjacency: Adjacency, usual: float = GRID, *, roughly: bool = False
) -> float | None:
    """The eps at `delta` by composing privacy loss distributions (Doroshenko et al. 2022).

    `roughly` chooses the grid by the quick bound, which may take a coarser one.
    None where that is out of reach: a delta under 1e-10, or losses so large that no grid of `MAX_POINTS` resolves them.
    Raises AccountantMissingError.
    """
    if not ledger.bounded or delta <= 0:
        return math.inf
    if ledger.releases == 0:
        return 0.0
    grid = _grid(ledger, adjacency, usual, roughly=roughly)
    if delta < MIN_DELTA or grid is None:
        return None
    if _unresolved(ledger, adjacency):
        return math.inf
    with _library() as (losses, relation):
        return float(_composed(losses, ledger, adjacency, relation[adjacency], grid).get_epsilon_for_delta(delta))


def pld_deltas(ledger: Ledger, adjacency: Adjacency, epsilons: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The pairs (eps, delta) at `epsilons`, all of which hold at once; none where no distribution is within reach.

    Raises AccountantMissingError.
    """
    if not ledger.bounded or _unresolved(ledger, adjacency):
        return ()
    if ledger.releases == 0:
        return ((0.0, 0.0),)
    grid = _grid(ledger, adjacency, COARSE_GRID)
    if grid is None:
        return ()
    with _library() as (losses, relation):
        total = _composed(losses, ledger, adjacency, relation[adjacency], grid)
        return tuple((eps, min(1.0, max(0.0, float(total.get_delta_for_epsilon(eps))))) for eps in epsilons)


def _unresolved(ledger: Ledger, adjacency: Adjacency) -> bool:
    """Nobody has shown which neighbours are the worst where a unit of several records is replaced."""
    return adjacency == "replace_one" and any(event.contributions > 1 for event in ledger.sampled)


def _composed(losses: Any, ledger: Ledger, adjacency: Adjacency, relation: object, grid: float) -> Any:  # noqa: ANN401
    """The distribution of the losses of all of `ledger`."""
    total = losses.identity(value_discretization_interval=grid)
    for part in _distributions(losses, ledger, adjacency, relation, grid):
        total = total.compose(part)
    return total


def rdp_eps(ledger: Ledger, delta: float, adjacency: Adjacency) -> float:
    """The eps at `delta` from Rényi divergences at 156 orders, fractions among them (Mironov, Talwar and Zhang 2019).

    Under replace_one sampling is not credited, as in `renyi_bound`. Raises AccountantMissingError.
    """
    if not ledger.bounded or delta <= 0:
        return math.inf
    whole = renyi_bound(ledger, delta, adjacency)
    if ledger.releases == 0 or (adjacency == "replace_one" and ledger.sampled):
        return whole
    found = _fine_rdp(ledger, delta, adjacency)
    # The library's sums lose small divergences to rounding and then call them zero; there, whole orders are tight.
    return whole if whole < 1 and found < whole / 2 else min(whole, found)


def _fine_rdp(ledger: Ledger, delta: float, adjacency: Adjacency) -> float:
    with _library():
        from dp_accounting import dp_event
        from dp_accounting.rdp import RdpAccountant

        accountant, moved = RdpAccountant(), distance(adjacency)
        if ledger.precision:
            accountant.compose(dp_event.GaussianDpEvent(ledger.sigma / moved))
        for event in ledger.sampled:
            one = _as_one_record(event)
            noise = dp_event.GaussianDpEvent(one.sigma)
            accountant.compose(dp_event.PoissonSampledDpEvent(one.rate, noise), one.steps)
        for scale, times in ledger.laplace:
            accountant.compose(dp_event.LaplaceDpEvent(scale / moved), times)
        return float(accountant.get_epsilon(delta))


def _distributions(
    losses: Any,  # noqa: ANN401 - a module without types
    ledger: Ledger,
    adjacency: Adjacency,
    relation: object,
    grid: float,
) -> Iterator[Any]:
    """One composed distribution for each kind of release. The library itself doubles a Gaussian under replace_one."""
    if ledger.precision:
        yield losses.from_gaussian_mechanism(
            ledger.sigma, value_discretization_interval=grid, neighboring_relation=relation
        )
    for event in ledger.sampled:
        yield _repeated(_one_step(losses, event, relation, grid), event.steps)
    for scale, times in ledger.laplace:
        moved = distance(adjacency)
        yield _repeated(losses.from_laplace_mechanism(scale / moved, value_discretization_interval=grid), times)


def _one_step(losses: Any, event: PoissonGaussian, relation: object, grid: float) -> Any:  # noqa: ANN401
    if event.contributions == 1:
        return losses.from_gaussian_mechanism(
            event.sigma, sampling_prob=event.rate, value_discretization_interval=grid, neighboring_relation=relation
        )
    moves, shares = _moves(event)
    return losses.from_mixture_gaussian_mechanism(event.sigma, moves, shares, value_discretization_interval=grid)


def _moves(event: PoissonGaussian) -> tuple[list[int], list[float]]:
    """How many records of a unit a step draws, with the probability of each number.

    Many of them, which is rare, count as all of them, which is worse.
    """
    k, log_q, log_rest = event.contributions, math.log(event.rate), math.log1p(-event.rate)
    numbers = [*range(min(k, _MANY_RECORDS)), k]
    shares = [math.exp(log_comb(k, i) + i * log_q + (k - i) * log_rest) for i in numbers]
    if k > _MANY_RECORDS:
        shares[-1] = max(1 - math.fsum(shares[:-1]), _ROUNDING)
    drawn = [(number, share) for number, share in zip(numbers, shares, strict=True) if share > 0]
    whole = math.fsum(share for _, share in drawn)
    return [number for number, _ in drawn], [share / whole for _, share in drawn]


def _repeated(part: Any, times: int) -> Any:  # noqa: ANN401
    if times <= _MANY_STEPS:
        return part.self_compose(times)
    many, rest = part.self_compose(_CHUNK).self_compose(times // _CHUNK), times % _CHUNK
    return many.compose(part.self_compose(rest)) if rest else many


def _as_one_record(event: PoissonGaussian) -> PoissonGaussian:
    """Several records of a unit as one that is drawn when any of them is, and moves the sum by all of them: more."""
    k = event.contributions
    rate = -math.expm1(k * math.log1p(-event.rate))
    return PoissonGaussian(rate, event.sigma / k, event.steps)


def _grid(ledger: Ledger, adjacency: Adjacency, usual: float, *, roughly: bool = False) -> float | None:
    """`usual`, halved for many releases and small losses, doubled where losses are too wide to afford it."""
    span = _span(ledger, adjacency, roughly=roughly)
    if math.isinf(span):
        return None
    mixed = any(event.contributions > 1 for event in ledger.sampled)
    wanted = min(usual, math.sqrt(_GRID_ERROR / ledger.releases), span / _LEAST_POINTS)
    affordable = span / (_MAX_POINTS_MIXED if mixed else MAX_POINTS)
    halvings = max(0, math.ceil(math.log2(usual / wanted)))
    grid: float = usual * 2.0 ** min(-halvings, 0)
    while grid < affordable:
        grid *= 2
    # Each step spreads the losses by a point of the grid, and shifts them by half its square. Chernoff's bounds, by which
    # the library cuts the tails, are far out for many steps: 2e7 points were seen at 1e9.
    points = 300 * math.sqrt(ledger.releases) + ledger.releases * grid
    lost = grid >= _TOO_COARSE or points > MAX_POINTS or ledger.releases * grid**2 > 1
    return None if lost else grid


def _span(ledger: Ledger, adjacency: Adjacency, *, roughly: bool) -> float:
    """About how wide the losses are spread, to tell the cost: k records lose k times as much as one, at most."""
    moved = distance(adjacency)
    records = max((event.contributions for event in ledger.sampled), default=1)
    alone = replace(ledger, sampled=tuple(replace(event, contributions=1) for event in ledger.sampled))
    lost = (renyi_bound if roughly else _fine_rdp)(alone, _NEGLIGIBLE, "add_remove")
    composed = lost * records * (3 if moved > 1 else 1)
    sigmas = [event.sigma / event.contributions for event in ledger.sampled]
    sigmas += [ledger.sigma] if ledger.precision else []
    single = max((10 * moved / sigma + moved**2 / (2 * sigma**2) for sigma in sigmas), default=0.0)
    return 2 * max(composed, single) + 1e-3


@contextmanager
def _library() -> Iterator[tuple[Any, dict[Adjacency, Any]]]:
    """dp-accounting's loss distributions and neighbouring relations, without its remarks on orders that it leaves out."""
    try:
        import numpy as np
        from dp_accounting import NeighboringRelation
        from dp_accounting.pld import privacy_loss_distribution
    except ImportError as error:
        raise AccountantMissingError from error
    relation: dict[Adjacency, Any] = {
        "zero_out": NeighboringRelation.REPLACE_SPECIAL,
        "add_remove": NeighboringRelation.ADD_OR_REMOVE_ONE,
        "replace_one": NeighboringRelation.REPLACE_ONE,
    }
    remarks = logging.getLogger("absl")
    before, remarks.disabled = remarks.disabled, True
    try:
        with np.errstate(all="ignore"):
            yield privacy_loss_distribution, relation
    finally:
        remarks.disabled = before
