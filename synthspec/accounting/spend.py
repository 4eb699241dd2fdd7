"""eps_total of what was done, or is planned, to private data (P405-4, C40-516)."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Literal

from synthspec.accounting.bound import eps_bound
from synthspec.accounting.events import Adjacency, Event, Ledger, distance, ledger
from synthspec.accounting.gaussian import gaussian_eps

Accountant = Literal["pld", "rdp", "analytic"]
"""pld: privacy loss distributions, the tightest. rdp: Rényi divergences. analytic: closed forms, for what has one."""

DECIMALS = 4
_EXACT_DECIMALS = 9
_GAUSSIAN, _PURE = "Balle and Wang 2018", "Dwork, McSherry, Nissim and Smith 2006"
_BOUND = "Mironov, Talwar and Zhang 2019, whole orders"
_GRID_SLACK = 1e-3
"""What a grid may add; a distribution that lies further above a bound is of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What an event costs: with `delta`, under `adjacency`, at most `eps`; which accountant says so."""

    eps: float
    """Rounded up, to 4 decimals (9 for a closed form). Infinite where nothing bounds it."""
    delta: float
    accountant: Accountant
    version: str
    """Of the library, or the paper that a closed form stands in."""
    adjacency: Adjacency


def eps_total(event: Event, delta: float, accountant: Accountant = "pld", adjacency: Adjacency = "add_remove") -> Spend:
    """The eps that `event` spends at `delta`, an upper bound rounded up.

    An unknown event, one that the accountant has no bound for, and no noise at all are infinite; nothing is left out.
    `Spend.accountant` is the one whose figure this is: where pld is out of reach or looser, another one.
    Raises AccountantMissingError for pld and rdp without dp-accounting, ValueError for another accountant or a delta
    outside [0, 1).
    """
    spend = raw_spend(event, delta, accountant, adjacency)
    return replace(spend, eps=round_up(spend.eps, _EXACT_DECIMALS if spend.accountant == "analytic" else DECIMALS))


def quick_bound(event: Event, delta: float, adjacency: Adjacency = "add_remove") -> Spend:
    """An upper bound of the same eps that needs no library and a few milliseconds."""
    merged = ledger(event)
    eps = round_up(eps_bound(merged, delta, adjacency), DECIMALS)
    closed = math.isfinite(_closed(merged, delta, adjacency)) and merged.precision > 0
    by: Accountant = "analytic" if closed else "rdp"
    return Spend(eps=eps, delta=delta, accountant=by, version=_GAUSSIAN if closed else _BOUND, adjacency=adjacency)


def raw_spend(
    event: Event, delta: float, accountant: Accountant, adjacency: Adjacency, *, coarse: bool = False
) -> Spend:
    """`eps_total` before it is rounded, what a solver of equations needs; `coarse` is faster, and up to 5e-4 higher."""
    if not 0 <= delta < 1:
        raise ValueError(f"delta is {delta}")
    merged = ledger(event)
    by: Accountant = "analytic"
    match accountant:
        case "analytic":
            eps, version = _closed(merged, delta, adjacency), _paper(merged)
        case "pld" | "rdp":
            eps, by, version = _computed(merged, delta, accountant, adjacency, coarse=coarse)
        case _:
            raise ValueError(f"{accountant!r} is no accountant that bounds eps")
    # Nothing that a formula has lost its way in may pass as a figure.
    return Spend(
        eps=math.inf if math.isnan(eps) else eps, delta=delta, accountant=by, version=version, adjacency=adjacency
    )


def round_up(value: float, decimals: int) -> float:
    """The nearest number of so many decimals that is not below `value`; what has no more stays as it is."""
    if math.isinf(value):
        return value
    near = round(value, decimals)
    return near if near >= value else round(near + 10.0**-decimals, decimals)


@functools.lru_cache(maxsize=256)  # a rule, the compiler and a report ask the same
def _computed(
    merged: Ledger, delta: float, accountant: Literal["pld", "rdp"], adjacency: Adjacency, *, coarse: bool
) -> tuple[float, Accountant, str]:
    from synthspec.accounting.numeric import COARSE_GRID, GRID, pld_eps, rdp_eps, version

    tool = version()
    closed = _closed(merged, delta, adjacency)
    if delta == 0:
        return closed, "analytic", _paper(merged)
    if accountant == "rdp":
        return rdp_eps(merged, delta, adjacency), "rdp", tool
    eps = pld_eps(merged, delta, adjacency, COARSE_GRID if coarse else GRID, roughly=coarse)
    whole = eps_bound(merged, delta, adjacency)
    if eps is not None and eps <= whole * (1 + _GRID_SLACK):
        return min(eps, whole), "pld", tool
    if math.isfinite(closed):
        return closed, "analytic", _paper(merged)
    return (whole, "rdp", _BOUND) if eps is not None else (rdp_eps(merged, delta, adjacency), "rdp", tool)


def _closed(merged: Ledger, delta: float, adjacency: Adjacency) -> float:
    """Gaussian releases alone, or Laplace releases alone by adding up; infinite for anything else."""
    if not merged.bounded or merged.sampled or (merged.precision and merged.laplace):
        return math.inf
    moved = distance(adjacency)
    if merged.precision:
        return gaussian_eps(merged.sigma / moved, delta)
    return math.fsum(times * moved / scale for scale, times in merged.laplace)


def _paper(merged: Ledger) -> str:
    return _GAUSSIAN if merged.precision else _PURE
