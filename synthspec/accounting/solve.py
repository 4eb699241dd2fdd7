"""The least noise that keeps within a budget: ``noise.multiplier: auto``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

from synthspec.accounting.events import MAX_SCALE, Adjacency, Event, PoissonGaussian, distance
from synthspec.accounting.spend import DECIMALS, Accountant, eps_total, quick_bound, raw_spend

DIGITS = 5
"""Significant digits of a solved multiplier: more would differ between machines, and change no figure."""
LEAST_BUDGET = 10.0**-DECIMALS
"""What is spent is rounded up: nothing but no release at all would fit a smaller one."""
MIN_TRIED = 1e-3
"""A multiplier below is no noise that anyone means."""
_CLOSE = 1e-6
_TRIES = 60
_GUESSED = 1.05
"""How near to what the quick bound asks for the search starts: it is some percent above the answer itself."""
_FOLLOWED, _FAR, _TURNS = 3e-3, 0.7, 4
"""A gap that a known slope closes to `_CLOSE`; one to which no slope is trusted; evaluations on the way."""


def solve_multiplier(
    rate: float,
    steps: int,
    delta: float,
    eps_budget: float,
    adjacency: Adjacency = "add_remove",
    accountant: Accountant = "pld",
) -> float | None:
    """The least sigma, to 5 digits and rounded up, with which `steps` Poisson samples of `rate` spend at most `eps_budget`.

    None where no noise is enough. Raises AccountantMissingError.
    """
    return solve(lambda sigma: PoissonGaussian(rate, sigma, steps), delta, eps_budget, adjacency, accountant)


def solve(
    event_of: Callable[[float], Event],
    delta: float,
    eps_budget: float,
    adjacency: Adjacency = "add_remove",
    accountant: Accountant = "pld",
) -> float | None:
    """The same for any event whose eps falls as its scale grows; the eps of the answer has been computed, and fits."""
    if eps_budget < LEAST_BUDGET:
        return None
    budget = math.floor(eps_budget * (1 + 1e-15) * 10**DECIMALS) / 10**DECIMALS

    @functools.cache
    def gap(scale: float, *, coarse: bool = True) -> float:
        spent = raw_spend(event_of(scale), delta, accountant, adjacency, coarse=coarse).eps
        return math.log(max(spent, 1e-300) / budget)

    guess = _guess(event_of, delta, budget / distance(adjacency))
    found = _followed(gap, guess, _quick_slope(event_of, delta, guess)) or _searched(gap, guess)
    if found is None:
        return None
    scale = _least(functools.partial(gap, coarse=False), *found)
    while eps_total(event_of(scale), delta, accountant, adjacency).eps > eps_budget:
        scale = _rounded_up(scale * (1 + 10.0 ** (1 - DIGITS)))
    return scale


def solvable(event_of: Callable[[float], Event], delta: float, eps_budget: float, adjacency: Adjacency) -> bool:
    """Whether some noise is enough, without a numerical library."""
    return eps_budget >= LEAST_BUDGET and quick_bound(event_of(MAX_SCALE), delta, adjacency).eps <= eps_budget


def _guess(event_of: Callable[[float], Event], delta: float, budget: float) -> float:
    """Near the answer: what the quick bound asks for, roughly. Half the budget pays for being replaced, about."""
    low, high = MIN_TRIED, MAX_SCALE
    while high / low > _GUESSED:
        middle = math.sqrt(low * high)
        fits = quick_bound(event_of(middle), delta).eps <= budget
        low, high = (low, middle) if fits else (middle, high)
    return high


def _quick_slope(event_of: Callable[[float], Event], delta: float, guess: float) -> float:
    """How log eps falls with log scale by the quick bound."""
    before, after = (max(quick_bound(event_of(each), delta).eps, 1e-300) for each in (guess, guess * _GUESSED**4))
    slope = math.log(after / before) / (4 * math.log(_GUESSED)) if math.isfinite(before) else -1.0
    return min(max(slope, -10.0), -0.5)


def _followed(gap: Callable[[float], float], guess: float, slope: float) -> tuple[float, float] | None:
    """Where `gap` vanishes, with its slope there on log scale, by secants; None where they lead nowhere.

    Each evaluation is dear, and so near the answer log eps is nearly a straight line.
    """
    scale, last = guess, gap(guess)
    for _ in range(_TURNS):
        if not abs(last) < _FAR:
            return None
        after = scale * math.exp(-last / slope)
        if not MIN_TRIED < after < MAX_SCALE or after == scale:
            return None
        found = gap(after)
        slope = (found - last) / math.log(after / scale)
        if not -10 < slope < -0.5:
            return None
        scale, last = after, found
        if abs(last) < _FOLLOWED:
            return scale * math.exp(-last / slope), slope
    return None


def _least(gap: Callable[[float], float], near: float, slope: float) -> float:
    """The least scale of `DIGITS` digits that fits, from one `near` it."""
    scale, last = near, gap(near)
    for _ in range(_TURNS):
        after = _rounded_up(scale * math.exp(min(max(-last / slope, -_FAR), _FAR)))
        if after == scale:
            break
        found = gap(after)
        if -1.0 < found - last < 1.0 and abs(math.log(after / scale)) > _CLOSE:
            slope = min((found - last) / math.log(after / scale), -0.5)
        scale, last = after, found
        if found <= 0 < found - slope * _unit(after) / after:
            break
    return scale


def _searched(gap: Callable[[float], float], guess: float) -> tuple[float, float] | None:
    """The same by bracketing, for what is no straight line; None where no noise is enough."""
    bracket = _bracketed(gap, guess)
    return None if bracket is None else (_met(gap, *bracket), _slope(gap, *bracket))


def _bracketed(gap: Callable[[float], float], guess: float) -> tuple[float, float] | None:
    """A scale that is too small and one that fits, or None where none fits; the same one twice where all fit."""
    low = high = guess
    ratio = 1.25
    while gap(high) > 0:
        if high >= MAX_SCALE:
            return None
        low, high, ratio = high, min(high * ratio, MAX_SCALE), ratio**2
    while gap(low) <= 0 and low > MIN_TRIED:
        low, high, ratio = max(low / ratio, MIN_TRIED), low, ratio**2
    return (low, low) if gap(low) <= 0 else (low, high)


def _met(gap: Callable[[float], float], low: float, high: float) -> float:
    """Where `gap` falls through zero: by the Illinois method on log scale, in which eps is nearly a straight line."""
    above, below = gap(low), gap(high)
    side = 0
    for _ in range(_TRIES):
        if above <= 0 or below == 0 or high / low < 1 + _CLOSE:
            break
        weight = above / (above - below) if math.isfinite(above - below) else 0.5
        middle = low * math.pow(high / low, min(max(weight, 0.01), 0.99))
        found = gap(middle)
        if abs(found) < _CLOSE:
            return middle
        if found < 0:
            high, below, above, side = middle, found, above / 2 if side < 0 else above, -1
        else:
            low, above, below, side = middle, found, below / 2 if side > 0 else below, 1
    return high


def _slope(gap: Callable[[float], float], low: float, high: float) -> float:
    """How log eps falls with log scale; never so flat that a small gap would lead far away."""
    return min((gap(high) - gap(low)) / math.log(high / low), -0.5) if low < high else -1.0


def _rounded_up(scale: float) -> float:
    """To `DIGITS` significant digits, never down."""
    unit = _unit(scale)
    places = max(0, -round(math.log10(unit)))
    near = round(round(scale / unit) * unit, places)
    return near if near >= scale else round(near + unit, places)


def _unit(scale: float) -> float:
    """One of the last digit."""
    return float(10.0 ** (math.floor(math.log10(scale)) + 1 - DIGITS))
