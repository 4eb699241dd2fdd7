"""Solvers from noise to data as steps over a `Grid`, driven by estimates of x_0 (S405-5).

With (a, s) at the present level and (a', s') at the next, lambda = log(a / s) and h = lambda' - lambda > 0, every step
here is a linear combination of x, the newest estimate m and older ones; its coefficients are computed once in float64.
A solver carries its history, so each block gets a fresh one. None of them evaluates the network: the caller does, at
the levels that the solver's law says, once a call. The last step, where no noise is left, ends at the estimate.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch

from synthspec.ir.solvers import SolverName
from synthspec_diffusers.schedule import Grid

Noise = Callable[[int], torch.Tensor]
"""Standard normals for step i, shaped like x."""


class Solver(ABC):
    """One trajectory of a block."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.a: list[float] = grid.a.tolist()
        self.s: list[float] = grid.s.tolist()
        with np.errstate(divide="ignore"):
            self.lam: list[float] = (np.log(grid.a) - np.log(grid.s)).tolist()

    @abstractmethod
    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        """What follows x after call number `i` of the network, which said the estimate m of x_0 at x."""

    def shrink(self, i: int) -> tuple[float, float]:
        """(s' / s, a' - a s' / s): the coefficients of x and of the estimate in a first-order step."""
        ratio = self.s[i + 1] / self.s[i]
        return ratio, self.a[i + 1] - self.a[i] * ratio

    def faded(self, i: int) -> float:
        """e^-h = a s' / (a' s), the share of the noise over signal that a step from level i leaves."""
        return self.a[i] * self.s[i + 1] / (self.a[i + 1] * self.s[i])


class Ddim(Solver):
    """Deterministic DDIM, eta = 0 (Song et al. 2021): x' = a' m + s' (x - a m) / s."""

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        del noise
        keep, pull = self.shrink(i)
        return keep * x + pull * m


class DpmSolverPlusPlus(Solver):
    """DPM-Solver++(2M) (Lu et al. 2022), midpoint form; first order at the first and at the last step."""

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self.older: torch.Tensor | None = None

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        del noise
        keep, pull = self.shrink(i)
        return keep * x + pull * self.ahead(i, m)

    def ahead(self, i: int, m: torch.Tensor) -> torch.Tensor:
        """The estimate half a step ahead, from the last two."""
        estimate = m
        if self.older is not None and self.s[i + 1] > 0.0:
            half = 0.5 * (self.lam[i + 1] - self.lam[i]) / (self.lam[i] - self.lam[i - 1])
            estimate = (1.0 + half) * m - half * self.older
        self.older = m
        return estimate


class UniPc(Solver):
    """UniPC of order 2 on x_0 with B(h) = e^h - 1 (Zhao et al. 2023); its predictor is DPM-Solver++(2M).

    The corrector moves x at level i by the estimate made there, without another evaluation.
    """

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self.predictor = DpmSolverPlusPlus(grid)
        self.before: tuple[torch.Tensor, list[torch.Tensor]] | None = None

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        estimates = [m]
        if self.before is not None:
            start, older = self.before
            x = self._corrected(i, start, m, older)
            estimates = [m, older[0]]
        self.before = (x, estimates)
        return self.predictor.step(i, x, m, noise)

    def _corrected(self, i: int, start: torch.Tensor, m: torch.Tensor, older: list[torch.Tensor]) -> torch.Tensor:
        """UniC: the step from level i - 1 to i again, now that m at its end is known; `older` holds m_{i-1}, m_{i-2}."""
        keep, pull = self.shrink(i - 1)
        h = self.lam[i] - self.lam[i - 1]
        if len(older) == 1:
            return keep * start + pull * (older[0] + 0.5 * (m - older[0]))
        r = (self.lam[i - 2] - self.lam[i - 1]) / h
        # phi-functions of -h: the two order conditions sum(rho) = b1 and r rho_1 + rho_2 = b2.
        b1 = (math.expm1(-h) / -h - 1.0) / math.expm1(-h)
        b2 = 2.0 * ((math.expm1(-h) / -h - 1.0) / -h - 0.5) / math.expm1(-h)
        rho_1 = (b1 - b2) / (1.0 - r)
        rho_2 = b1 - rho_1
        return keep * start + pull * (older[0] + rho_1 * (older[1] - older[0]) / r + rho_2 * (m - older[0]))


class Ode(Solver):
    """The probability-flow ODE (Song et al. 2021) in the own time tau of its curve: dx/dtau = (da/dtau) m + (ds/dtau) eps.

    tau is sigma where a = 1 and t where a + s = 1, so that Heun's method is that of Karras et al. 2022 and of flow matching;
    where a^2 + s^2 = 1 it is the angle arctan(s / a), and dx/dtau is v.
    """

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        angle = grid.curve == "vp"
        self.tau: list[float] = (np.arctan2(grid.s, grid.a) if angle else grid.s).tolist()

    def velocity(self, level: int, x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
        """dx/dtau at `level`, where noise is left."""
        a, s = self.a[level], self.s[level]
        rates = {"vp": (-s, a), "ve": (0.0, 1.0), "linear": (-1.0, 1.0)}
        of_signal, of_noise = rates[self.grid.curve]
        return of_signal * m + of_noise / s * (x - a * m)


class Euler(Ode):
    """Explicit Euler on the probability-flow ODE; where a = 1 or a + s = 1 it is DDIM."""

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        del noise
        if self.s[i + 1] == 0.0:
            return m
        return x + (self.tau[i + 1] - self.tau[i]) * self.velocity(i, x, m)


class Heun(Ode):
    """Heun's method on the probability-flow ODE (Karras et al. 2022, algorithm 1): 2n - 1 calls for n steps.

    Calls 2i - 1 and 2i are at level i: the first on what Euler predicts, the second on what the trapezoid makes of it.
    """

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self.start: tuple[torch.Tensor, torch.Tensor] | None = None

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        del noise
        level = (i + 1) // 2
        if self.start is not None:
            origin, slope = self.start
            self.start = None
            return origin + 0.5 * (self.tau[level] - self.tau[level - 1]) * (slope + self.velocity(level, x, m))
        if self.s[level + 1] == 0.0:
            return m
        slope = self.velocity(level, x, m)
        self.start = (x, slope)
        return x + (self.tau[level + 1] - self.tau[level]) * slope


class Ddpm(Solver):
    """Ancestral sampling from q(x' | x, x_0 = m) (Ho et al. 2020): variance s'^2 (1 - e^-2h), none at the end."""

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        ratio = self.s[i + 1] / self.s[i]
        spread = self.s[i + 1] * math.sqrt(1.0 - self.faded(i) ** 2)
        keep = ratio * self.faded(i)
        mean: torch.Tensor = keep * x + (self.a[i + 1] - self.a[i] * keep) * m
        return mean if self.s[i + 1] == 0.0 else mean + spread * noise(i)


class SdeDpmSolverPlusPlus(DpmSolverPlusPlus):
    """SDE-DPM-Solver++(2M) (Lu et al. 2022, eq. 19), midpoint form: ancestral noise around a second-order mean."""

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        keep = self.s[i + 1] / self.s[i] * self.faded(i)
        mean: torch.Tensor = keep * x + (self.a[i + 1] - self.a[i] * keep) * self.ahead(i, m)
        if self.s[i + 1] == 0.0:
            return mean
        return mean + self.s[i + 1] * math.sqrt(1.0 - self.faded(i) ** 2) * noise(i)


class EulerMaruyama(Solver):
    """Euler and Maruyama on the reverse SDE dx = [f - g^2 score] dt + g dw (S405-5), f and g^2 integrated over each step.

    With f dt = x d(log a) and g^2 dt = d(s^2) - 2 s^2 d(log a): -2 d(log a) where a^2 + s^2 = 1, d(s^2) where a = 1.
    """

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        if self.s[i + 1] == 0.0:
            return m
        growth = math.log(self.a[i + 1] / self.a[i])
        spent = 2.0 * growth if self.grid.curve == "vp" else self.s[i] ** 2 - self.s[i + 1] ** 2
        score = (self.a[i] * m - x) / self.s[i] ** 2
        return (1.0 + growth) * x + spent * score + math.sqrt(spent) * noise(i)


class MultistepConsistency(Solver):
    """Song et al. 2023, algorithm 1: each estimate is a record, noised afresh to the next level."""

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        del x
        return m if self.s[i + 1] == 0.0 else self.a[i + 1] * m + self.s[i + 1] * noise(i)


_SOLVERS: dict[SolverName, type[Solver]] = {
    "ddim": Ddim,
    "ddpm": Ddpm,
    "dpmsolver++": DpmSolverPlusPlus,
    "dpmsolver++_sde": SdeDpmSolverPlusPlus,
    "unipc": UniPc,
    "euler": Euler,
    "heun": Heun,
    "euler_maruyama": EulerMaruyama,
    "consistency": MultistepConsistency,
}


def fresh_solver(name: SolverName, grid: Grid) -> Solver:
    """A solver without history. Raises KeyError for an adaptive one, which has no grid."""
    return _SOLVERS[name](grid)
