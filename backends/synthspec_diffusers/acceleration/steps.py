"""A student's step against its teacher's: the estimate of x_0 with which one DDIM step does what several did."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from synthspec_diffusers.heads import shown, to_x0
from synthspec_diffusers.path import Path, estimate
from synthspec_diffusers.schedule import Grid

HUBER = 0.00054
"""c over sqrt(d) in the pseudo-Huber distance (Song and Dhariwal 2024)."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The levels of a grid as tensors, so that records of one batch may be at different ones."""

    a: torch.Tensor
    s: torch.Tensor
    """Both [n + 1], the clean level last."""
    times: torch.Tensor

    @classmethod
    def of(cls, grid: Grid) -> Coefficients:
        whole = all(isinstance(time, int) for time in grid.times)
        times = torch.tensor(grid.times, dtype=torch.int64 if whole else torch.float32)
        return cls(torch.from_numpy(grid.a).float(), torch.from_numpy(grid.s).float(), times)

    def at(self, levels: torch.Tensor, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Signal and noise at `levels` [n], shaped to multiply `like` [n, ...]."""
        shape = (-1, *(1,) * (like.dim() - 1))
        return self.a[levels].view(shape), self.s[levels].view(shape)


def student_estimate(
    network: nn.Module,
    path: Path,
    marks: Coefficients,
    x: torch.Tensor,
    levels: torch.Tensor,
    given: torch.Tensor | None,
) -> torch.Tensor:
    """The estimate of x_0 at x [n, ...], each record at its own level; neither guided nor clipped.

    At the clean level it is x itself, under every head but x0: the boundary condition of a consistency model.
    """
    a, s = marks.at(levels, x)
    seen = shown(path.head, x, s, path.sigma_data)
    out = network(seen, marks.times[levels.clamp(max=len(marks.times) - 1)], given)
    x0 = to_x0(path.head, out, x, a, s, path.sigma_data)
    if path.choices is None:
        return x0
    return path.choices.settle(x0, out, x, a / s**2)


def ddim(
    marks: Coefficients, x: torch.Tensor, m: torch.Tensor, here: torch.Tensor, there: torch.Tensor
) -> torch.Tensor:
    """X' = a' m + s' (x - a m) / s, each record from level `here` to level `there`."""
    (a, s), (a1, s1) = marks.at(here, x), marks.at(there, x)
    landed: torch.Tensor = a1 * m + s1 / s * (x - a * m)
    return landed


def wanted(
    marks: Coefficients, x: torch.Tensor, landed: torch.Tensor, here: torch.Tensor, there: torch.Tensor
) -> torch.Tensor:
    """The estimate with which one DDIM step from x lands at `landed` (Salimans and Ho 2022, appendix G)."""
    (a, s), (a1, s1) = marks.at(here, x), marks.at(there, x)
    m: torch.Tensor = (landed - s1 / s * x) / (a1 - s1 / s * a)
    return m


def truncated(marks: Coefficients, levels: torch.Tensor) -> torch.Tensor:
    """max(SNR, 1), the weight of Salimans and Ho on the error of x_0, [n]; at most 100, where next to no noise is left."""
    return ((marks.a[levels] / marks.s[levels]) ** 2).clamp(1.0, 100.0)


def pseudo_huber(error: torch.Tensor) -> torch.Tensor:
    """sqrt(|e|^2 + c^2) - c for each record of `error` [n, ...], with c = 0.00054 sqrt(d)."""
    flat = error.flatten(1)
    c = HUBER * flat.shape[1] ** 0.5
    distance: torch.Tensor = (flat.square().sum(1) + c * c).sqrt() - c
    return distance


@torch.no_grad()
def teacher_steps(
    network: nn.Module, path: Path, x: torch.Tensor, levels: torch.Tensor, given: torch.Tensor | None, count: int
) -> torch.Tensor:
    """`count` DDIM steps of a teacher along the grid of `path`, each record from its own level `levels` [n] on.

    Records are sorted by level, because guidance and clipping are of a level.
    """
    marks, landed = Coefficients.of(path.grid), x.clone()
    for level in sorted(set(levels.tolist())):
        rows = (levels == level).nonzero().flatten()
        state, known = x[rows], None if given is None else given[rows]
        for step in range(level, level + count):
            here = torch.full((len(rows),), step)
            state = ddim(marks, state, estimate(network, path, step, state, known), here, here + 1)
        landed[rows] = state
    return landed
