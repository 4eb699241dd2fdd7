"""The Gaussian mechanism in closed form: the analytic calibration of Balle and Wang (ICML 2018, theorem 8).

``delta(eps) = Phi(a) - e^eps Phi(b)``, a = 1 / (2 sigma) - eps sigma, b = -1 / (2 sigma) - eps sigma,
with sigma in units of the sensitivity. The textbook ``sqrt(2 ln(1.25 / delta)) / eps`` is proved for eps < 1 only, and
adds too little noise at eps 10. Since b^2 - a^2 = 2 eps, the second term is ``exp(-a^2 / 2) erfcx(-b / sqrt 2) / 2``: no
overflow, and no cancellation where both terms are tiny.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_HALVINGS = 200
"""More than the 64 after which a bisection of floats stands still."""
_LENTZ_FROM, _LENTZ_TERMS = 6.0, 60


def gaussian_delta(eps: float, sigma: float) -> float:
    """The exact delta at `eps` >= 0 for noise of `sigma` > 0 sensitivities."""
    a, b = 0.5 / sigma - eps * sigma, -0.5 / sigma - eps * sigma
    weight = 0.5 * math.exp(-a * a / 2)
    second = weight * _erfcx(-b / math.sqrt(2))
    if a < 0:
        return weight * _erfcx(-a / math.sqrt(2)) - second
    return 0.5 * math.erfc(-a / math.sqrt(2)) - second


def gaussian_eps(sigma: float, delta: float) -> float:
    """The smallest eps with ``gaussian_delta(eps, sigma) <= delta``, from above; infinite at sigma 0 or delta 0."""
    if sigma <= 0 or delta <= 0:
        return math.inf
    if gaussian_delta(0.0, sigma) <= delta:
        return 0.0
    return _first(lambda eps: gaussian_delta(eps, sigma) <= delta)


def gaussian_sigma(eps: float, delta: float) -> float:
    """The smallest sigma with ``gaussian_delta(eps, sigma) <= delta``, from above; infinite at delta 0."""
    if delta <= 0:
        return math.inf
    return _first(lambda sigma: sigma > 0 and gaussian_delta(eps, sigma) <= delta)


def _first(holds: Callable[[float], bool]) -> float:
    """The smallest positive number for which `holds`, which stays true from there on; it does hold at the answer."""
    high = 1.0
    while not holds(high):
        high *= 2
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _erfcx(x: float) -> float:
    """``exp(x^2) erfc(x)`` for x >= 0: directly, and by its continued fraction where erfc loses digits."""
    if x < _LENTZ_FROM:
        return math.exp(x * x) * math.erfc(x)
    tail = x
    for k in range(_LENTZ_TERMS, 0, -1):
        tail = x + (k / 2) / tail
    return 1 / (tail * math.sqrt(math.pi))
