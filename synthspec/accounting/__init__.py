"""accounting: numbers in, numbers out. What (eps, delta) a ledger of releases spends, and the least noise for a budget."""

from synthspec.accounting.attack import TradeOff, advantage_bound, hit_bound, trade_off
from synthspec.accounting.events import (
    Adjacency,
    Composed,
    Event,
    Gaussian,
    Laplace,
    PoissonGaussian,
    Repeated,
    Unknown,
)
from synthspec.accounting.gaussian import gaussian_eps, gaussian_sigma
from synthspec.accounting.numeric import EXTRA, AccountantMissingError, available
from synthspec.accounting.solve import solvable, solve, solve_multiplier
from synthspec.accounting.spend import Accountant, Spend, eps_total, quick_bound
from synthspec.accounting.votes import Aggregation, votes

__all__ = [
    "EXTRA",
    "Accountant",
    "AccountantMissingError",
    "Adjacency",
    "Aggregation",
    "Composed",
    "Event",
    "Gaussian",
    "Laplace",
    "PoissonGaussian",
    "Repeated",
    "Spend",
    "TradeOff",
    "Unknown",
    "advantage_bound",
    "available",
    "eps_total",
    "gaussian_eps",
    "gaussian_sigma",
    "hit_bound",
    "quick_bound",
    "solvable",
    "solve",
    "solve_multiplier",
    "trade_off",
    "votes",
]
