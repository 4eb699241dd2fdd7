"""Solvers from noise to data as steps over a `Grid`, driven by estimates of x_0 (S405-5).

With (a, s) at the present level and (a', s') at the next, lambda = log(a / s) and h = lambda' - lambda > 0, every step
here is a linear combination of x, the newest estimate m and older ones; its coefficients are computed once in float64.
A solver carries its history, so each block gets a fresh one. None of them evaluates the network: the caller does, once
a step.
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
        self.a, self.s = grid.a.tolist(), grid.s.tolist()
        with np.errstate(divide="ignore"):
            self.lam: list[float] = (np.log(grid.a) - np.log(grid.s)).tolist()

    @abstractmethod
    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        """From x at level i, with the estimate m of x_0 made there, to level i + 1."""

    def shrink(self, i: int) -> tuple[float, float]:
        """(s' / s, a' - a s' / s): the coefficients of x and of the estimate in a first-order step."""
        ratio = self.s[i + 1] / self.s[i]
        return ratio, self.a[i + 1] - self.a[i] * ratio


class Ddim(Solver):
    """Deterministic DDIM, eta = 0 (Song et al. 2021): x' = a' m + s' (x - a m) / s."""

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        del noise
        keep, pull = self.shrink(i)
        return keep * x + pull * m


class Ddpm(Solver):
    """Ancestral sampling from q(x' | x, x_0 = m) (Ho et al. 2020): variance (s'^2 / s^2)(1 - a^2 / a'^2), none at the end."""

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        ratio = self.s[i + 1] / self.s[i]
        spread = ratio * math.sqrt(1.0 - (self.a[i] / self.a[i + 1]) ** 2)
        keep = math.sqrt(max(self.s[i + 1] ** 2 - spread**2, 0.0)) / self.s[i]
        mean: torch.Tensor = keep * x + (self.a[i + 1] - self.a[i] * keep) * m
        return mean if self.s[i + 1] == 0.0 else mean + spread * noise(i)


class DpmSolverPlusPlus(Solver):
    """DPM-Solver++(2M) (Lu et al. 2022), midpoint form; first order at the first and at the last step."""

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self.older: torch.Tensor | None = None

    def step(self, i: int, x: torch.Tensor, m: torch.Tensor, noise: Noise) -> torch.Tensor:
        del noise
        keep, pull = self.shrink(i)
        estimate = m
        if self.older is not None and self.s[i + 1] > 0.0:
            half = 0.5 * (self.lam[i + 1] - self.lam[i]) / (self.lam[i] - self.lam[i - 1])
            estimate = (1.0 + half) * m - half * self.older
        self.older = m
        return keep * x + pull * estimate


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


_SOLVERS: dict[SolverName, type[Solver]] = {
    "ddim": Ddim,
    "ddpm": Ddpm,
    "dpmsolver++": DpmSolverPlusPlus,
    "unipc": UniPc,
}


def fresh_solver(name: SolverName, grid: Grid) -> Solver:
    """A solver without history."""
    return _SOLVERS[name](grid)
