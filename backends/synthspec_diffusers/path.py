"""How a block goes from noise to data: estimates of x_0, guided along the way, driving a solver (S405-5, S405-6)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from synthspec.ir.families import GuidanceSchedule, NoiseSchedule
from synthspec.ir.solvers import SolverName, guidance_at, law_of
from synthspec_diffusers.choices import Choices
from synthspec_diffusers.heads import Head, shown, to_x0
from synthspec_diffusers.schedule import Grid, nearest
from synthspec_diffusers.solvers import Heun, Noise, fresh_solver

Network = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
"""``(x [n, ...], times [n], conditions [n, ...] or None) -> head output [n, ...]``."""

SAFETY, SHORTEST, LONGEST = 0.9, 0.2, 5.0
"""Of the step that the error of the last one suggests, so much is taken; and the least and most it may change by."""


@dataclass(frozen=True, slots=True)
class Path:
    """How a block goes from noise to data."""

    grid: Grid
    solver: SolverName
    head: Head
    w_cfg: float
    null: torch.Tensor | None
    """The condition of no condition, for one record."""
    bound: float | None
    """Where estimates of x_0 are clipped: images live in [-1, 1]. None for data without bounds."""
    sigma_data: float = 1.0
    """The standard deviation of the normalised training data, for the preconditioned head."""
    guidance: GuidanceSchedule | None = None
    choices: Choices | None = None
    """The one-hot blocks of a table."""


def estimate(
    network: Network, path: Path, step: int, x: torch.Tensor, given: torch.Tensor | None, ahead: float | None = None
) -> torch.Tensor:
    """The estimate of x_0 at level `step`, guided by ``eps + w (eps - eps_null)`` (S405-6).

    `ahead` is the share of the way that is still to go, which w depends on; left out, as the steps of the grid have it.
    At fixed x and t eps is affine in the estimate of x_0 with coefficients that guidance, whose weights sum to 1, leaves
    alone: guiding the estimate is the formula of the standard. w = 0 is the plain conditional model and costs one evaluation;
    otherwise both are made in one call of twice the block.
    """
    ahead = 1.0 - step / len(path.grid.times) if ahead is None else ahead
    w = path.w_cfg * guidance_at(path.guidance, ahead) if path.w_cfg else 0.0
    s, time = float(path.grid.s[step]), path.grid.times[step]
    seen = shown(path.head, x, s, path.sigma_data)
    dtype = torch.int64 if isinstance(time, int) else x.dtype
    if w and given is not None and path.null is not None:
        times = torch.full((2 * len(x),), time, dtype=dtype)
        both = network(torch.cat([seen, seen]), times, torch.cat([given, path.null.expand_as(given)]))
        x0, without = (_x0(path, step, x, out) for out in both.chunk(2))
        x0 = x0 + w * (x0 - without)
    else:
        x0 = _x0(path, step, x, network(seen, torch.full((len(x),), time, dtype=dtype), given))
    # The posterior mean of x_0 lies in the convex hull of the data, so clipping moves an estimate nearer to it; guidance,
    # and division by a small a_t, push estimates out.
    return x0 if path.bound is None else x0.clamp(-path.bound, path.bound)


def _x0(path: Path, step: int, x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """The estimate of x_0 that the output of the network at level `step` stands for."""
    a, s = float(path.grid.a[step]), float(path.grid.s[step])
    x0 = to_x0(path.head, out, x, a, s, path.sigma_data)
    return x0 if path.choices is None else path.choices.settle(x0, out, x, a / s**2)


def integrate(
    network: Network, path: Path, start: torch.Tensor, noise: Noise, given: torch.Tensor | None
) -> torch.Tensor:
    """From standard normals `start`, scaled to the first level, to x_0, by a solver with no history from another block."""
    solver, law = fresh_solver(path.solver, path.grid), law_of(path.solver)
    x = first(path.grid, start)
    for call in range(law.calls(len(path.grid.times))):
        x = solver.step(call, x, estimate(network, path, law.level(call), x, given), noise)
    return x


def first(grid: Grid, start: torch.Tensor) -> torch.Tensor:
    """Where a solver starts: noise of the first level's size where a = 1, of size 1 on the other curves."""
    return start * float(grid.s[0]) if grid.curve == "ve" else start


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Heun's method with Euler's embedded in it, whose distance sets the steps; one step size for all records of a block.

    A step is taken when no record of the block is further than `tolerance` standard deviations of the noised data off
    (root mean square over its numbers), and anyway when smaller ones would not reach the end within `calls` calls.
    """

    schedule: NoiseSchedule
    path: Path
    tolerance: float
    calls: int

    def integrate(self, network: Network, start: torch.Tensor, given: torch.Tensor | None) -> tuple[torch.Tensor, int]:
        """x_0, and how many steps had to be taken against the tolerance."""
        end, ahead, length, forced = nearest(self.schedule), 1.0, 0.1, 0
        left = self.calls - 1
        x = first(Grid.stretch(self.schedule, (1.0,)), start)
        m = self._ask(network, ahead, x, given)
        while ahead > end and left >= 2:
            least = (ahead - end) / (left // 2)
            after = max(end, ahead - max(length, least))
            heun, error = self._step(network, (ahead, after), x, m, given)
            left -= 1
            length = (ahead - after) * min(LONGEST, max(SHORTEST, SAFETY / math.sqrt(max(error, 1e-12))))
            if error > 1.0 and left >= 2 and ahead - after > (ahead - end) / (left // 2):
                continue
            forced += error > 1.0
            x, ahead = heun, after
            m = self._ask(network, ahead, x, given)
            left -= 1
        return m, forced

    def _step(
        self,
        network: Network,
        ends: tuple[float, float],
        x: torch.Tensor,
        m: torch.Tensor,
        given: torch.Tensor | None,
    ) -> tuple[torch.Tensor, float]:
        """Heun's step between two shares of the way ahead, and its error in tolerances."""
        grid = Grid.stretch(self.schedule, ends)
        solver = Heun(grid)
        euler = solver.step(0, x, m, _none)
        again = estimate(network, self._at(grid), 1, euler, given, ends[1])
        heun = solver.step(1, euler, again, _none)
        scale = math.hypot(float(grid.a[1]) * self.path.sigma_data, float(grid.s[1]))
        off = (heun - euler).flatten(1).square().mean(1).sqrt().max().item()
        return heun, off / (self.tolerance * scale)

    def _ask(self, network: Network, ahead: float, x: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        return estimate(network, self._at(Grid.stretch(self.schedule, (ahead,))), 0, x, given, ahead)

    def _at(self, grid: Grid) -> Path:
        return replace(self.path, grid=grid)


def _none(step: int) -> torch.Tensor:
    raise TypeError(f"a deterministic solver asked for noise at step {step}")
