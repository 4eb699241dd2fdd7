"""p(x | z), normalised on what the data are: a grid of levels, or the real line (S405-1).

Everything here sees contents scaled to [-1, 1]. A grid of L levels has the points -1, -1 + width, ..., 1 with
width = 2 / (L - 1), and the masses of a value sum to 1 over it. A density is of the scaled value; what that differs by
from one in the unit of the data is counted where it is reported.

Parameters come from a decoder as [n, P, *shape] for contents [n, *shape].
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch.nn.functional import logsigmoid, softplus

Name = Literal["discretized_logistic", "bernoulli", "binomial", "categorical", "gaussian"]

_LOG_SCALE = (-7.0, 3.0)
"""Bounds of a learned logarithm of a scale: a law may be sharp, but not so that its gradient overflows."""
_START = -1.0
"""Logarithm of the scale that an output of 0 stands for: the data span [-1, 1]."""


class Likelihood(ABC):
    """One law of a content value given the decoder's output."""

    parameters: int
    """P: numbers that the decoder gives for each value."""

    @abstractmethod
    def log_prob(self, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Log-probability ln p(x | z) of each value: `out` [n, P, *shape], `x` [n, *shape] to [n, *shape], in nat."""

    @abstractmethod
    def mean(self, out: torch.Tensor) -> torch.Tensor:
        """E[x | z], [n, *shape]: what a reconstruction shows."""

    @abstractmethod
    def draw(self, out: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """The value of each law at the quantiles `u` in (0, 1): with uniform `u`, draws from it."""


def _bounded(raw: torch.Tensor) -> torch.Tensor:
    return (raw + _START).clamp(*_LOG_SCALE)


class Grid(Likelihood):
    """A law on `levels` evenly spaced levels."""

    def __init__(self, levels: int) -> None:
        """Raises ValueError for fewer than two levels."""
        if levels < 2:
            raise ValueError(f"a grid has at least two levels, not {levels}")
        self.levels = levels
        self.width = 2.0 / (levels - 1)

    def codes(self, x: torch.Tensor) -> torch.Tensor:
        """The nearest level of each value, as int64 from 0."""
        return ((x + 1.0) / self.width).round().long().clamp_(0, self.levels - 1)

    def values(self, codes: torch.Tensor) -> torch.Tensor:
        """The scaled values of levels."""
        return codes * self.width - 1.0


class DiscretizedLogistic(Grid):
    """A logistic law rounded to the nearest level, what lies outside given to the ends (Salimans et al. 2017).

    Parameters: location, and the logarithm of the scale less `_START`.
    """

    parameters = 2

    def log_prob(self, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        location, log_scale = out[:, 0], _bounded(out[:, 1])
        codes, inverse = self.codes(x), torch.exp(-log_scale)
        centre = (self.values(codes) - location) * inverse
        half = 0.5 * self.width * inverse
        # s(b) - s(a) = s(b) s(-a) (1 - e^(a - b)) for a < b: no difference of nearly equal numbers is taken.
        below, above = codes == 0, codes == self.levels - 1
        upper = torch.where(above, 0.0, logsigmoid(centre + half))
        lower = torch.where(below, 0.0, logsigmoid(half - centre))
        inner = torch.where(below | above, 0.0, torch.log(-torch.expm1(-2.0 * half)))
        return upper + lower + inner

    def mean(self, out: torch.Tensor) -> torch.Tensor:
        """-1 + width * sum over the thresholds t of P(x > t), the sum by its integral, which has a closed form."""
        location, scale = out[:, 0], torch.exp(_bounded(out[:, 1]))
        mean: torch.Tensor = -1.0 + scale * (softplus((location + 1.0) / scale) - softplus((location - 1.0) / scale))
        return mean

    def draw(self, out: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        value = out[:, 0] + torch.exp(_bounded(out[:, 1])) * torch.logit(u)
        return self.values(self.codes(value.clamp(-1.0, 1.0)))


class Tabled(Grid):
    """A law on few levels, given by its whole table of masses."""

    @abstractmethod
    def log_masses(self, out: torch.Tensor) -> torch.Tensor:
        """Log-mass of every level, [n, levels, *shape]."""

    def log_prob(self, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return self.log_masses(out).gather(1, self.codes(x).unsqueeze(1)).squeeze(1)

    def mean(self, out: torch.Tensor) -> torch.Tensor:
        masses = self.log_masses(out).exp()
        mean: torch.Tensor = torch.tensordot(masses.movedim(1, -1), self._all(out), dims=1)
        return mean

    def draw(self, out: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        passed = self.log_masses(out).exp().cumsum(1)[:, :-1] < u.unsqueeze(1)
        return self.values(passed.sum(1))

    def _all(self, like: torch.Tensor) -> torch.Tensor:
        return torch.arange(self.levels, dtype=like.dtype) * self.width - 1.0


class Categorical(Tabled):
    """Any masses at all. Parameters: one logit a level."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.parameters = levels

    def log_masses(self, out: torch.Tensor) -> torch.Tensor:
        return out.log_softmax(1)


class Binomial(Tabled):
    """The number of successes among levels - 1 trials, with its binomial coefficient. Parameter: the logit."""

    parameters = 1

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        trials = levels - 1
        self._log_ways = [
            math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in range(levels)
        ]

    def log_masses(self, out: torch.Tensor) -> torch.Tensor:
        column = (1, -1, *(1,) * (out.dim() - 2))
        k = torch.arange(self.levels, dtype=out.dtype).view(column)
        ways = torch.tensor(self._log_ways, dtype=out.dtype).view(column)
        return ways + k * logsigmoid(out) + (self.levels - 1 - k) * logsigmoid(-out)


class Bernoulli(Binomial):
    """Two levels."""

    def __init__(self, levels: int = 2) -> None:
        """Raises ValueError for another number of levels: a Bernoulli law on grey values is no law of them."""
        if levels != 2:
            raise ValueError(f"bernoulli has two levels, not {levels}")
        super().__init__(levels)


class Gaussian(Likelihood):
    """A normal density with its own variance for each value (sigma-VAE, Rybkin et al. 2021).

    Parameters: mean, and the logarithm of the standard deviation less `_START`.
    """

    parameters = 2

    def log_prob(self, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        log_scale = _bounded(out[:, 1])
        z = (x - out[:, 0]) * torch.exp(-log_scale)
        return -0.5 * (z.square() + math.log(2.0 * math.pi)) - log_scale

    def mean(self, out: torch.Tensor) -> torch.Tensor:
        return out[:, 0]

    def draw(self, out: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        drawn: torch.Tensor = out[:, 0] + torch.exp(_bounded(out[:, 1])) * torch.special.ndtri(u)
        return drawn


def build_likelihood(name: Name, levels: int | None) -> Likelihood:
    """The likelihood `name` on a grid of `levels`, or on the real line (None).

    Raises ValueError for a law of levels without a grid.
    """
    if name == "gaussian":
        return Gaussian()
    if levels is None:
        raise ValueError(f"{name} is a law of levels")
    laws: dict[Name, type[DiscretizedLogistic | Categorical | Binomial]] = {
        "discretized_logistic": DiscretizedLogistic,
        "bernoulli": Bernoulli,
        "binomial": Binomial,
        "categorical": Categorical,
    }
    return laws[name](levels)
