"""Arrival times along a path gamma(ell): both forms on the same nodes, and how well they are known (P405-6, S405-7).

Numbers in, numbers out: lengths in m, speeds in m/s, times in s. Importing this package imports numpy.
"""

from __future__ import annotations

from synthspec.arrival.forms import Arrival, along, arrive
from synthspec.arrival.path import Medium, Path, bad_steps, chord_length
from synthspec.arrival.quadrature import GAUSS_KRONROD, SIMPSON, Integrand, NotConvergedError, Rule
from synthspec.arrival.uncertainty import Budget, Resolution, budget

__all__ = [
    "GAUSS_KRONROD",
    "SIMPSON",
    "Arrival",
    "Budget",
    "Integrand",
    "Medium",
    "NotConvergedError",
    "Path",
    "Resolution",
    "Rule",
    "along",
    "arrive",
    "bad_steps",
    "budget",
    "chord_length",
]
