"""What a teacher shows its students: records that it makes, and the states on the way to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import nn

from synthspec.backend.dataset import Column
from synthspec.backend.draws import Stream, generator
from synthspec.ir.families import NoiseSchedule
from synthspec.ir.solvers import SolverName, law_of
from synthspec_diffusers.content import Content
from synthspec_diffusers.path import Path, estimate, first
from synthspec_diffusers.schedule import even_grid
from synthspec_diffusers.solvers import fresh_solver
from synthspec_torch.data.given import Given

BLOCK = 256
"""Records that a teacher makes at a time."""
ONE_CALL_A_STEP = frozenset({"ddim", "dpmsolver++", "euler"})
"""Deterministic solvers whose state before call i is the state at level i: what a student can be shown along the way."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Records of a teacher: x_0 [n, ...], their conditions, and the states [k, n, ...] at the levels of a student."""

    x0: torch.Tensor
    given: torch.Tensor | None
    states: torch.Tensor

    def __len__(self) -> int:
        return len(self.x0)

    def take(self, rows: torch.Tensor | slice) -> Lesson:
        return Lesson(self.x0[rows], None if self.given is None else self.given[rows], self.states[:, rows])


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained engine with everything it is asked with: its guidance, its solver, the laws of its conditions."""

    network: nn.Module
    schedule: NoiseSchedule
    path: Path
    """Its grid is replaced by the one that is asked for."""
    steps: int
    """Solver steps that it is sampled with: what a student has to do in fewer."""
    content: Content
    given: Given | None
    conditions: Callable[[int, int], Mapping[str, Column]]
    seed: int

    def on(self, steps: int, solver: SolverName | None = None) -> Path:
        """Its path over the even grid of `steps` levels."""
        chosen = self.path.solver if solver is None else solver
        return replace(self.path, grid=even_grid(self.schedule, steps), solver=chosen)

    def lessons(self, records: int, levels: int, first_block: int = 0) -> Lesson:
        """`records` records made from fresh noise, with their states at the `levels` levels of a student.

        It goes ``levels * (steps // levels)`` steps: the most of its own number that pass through all of them. A solver
        that draws noise, or that calls the network twice a step, gives way to DDIM.
        """
        each = max(1, self.steps // levels)
        solver: SolverName = self.path.solver if self.path.solver in ONE_CALL_A_STEP else "ddim"
        path = self.on(levels * each, solver)
        parts = [self._block(path, each, first_block + number) for number in range(-(-records // BLOCK))]
        given = [part.given for part in parts if part.given is not None]
        return Lesson(
            torch.cat([part.x0 for part in parts])[:records],
            torch.cat(given)[:records] if given else None,
            torch.cat([part.states for part in parts], 1)[:, :records],
        )

    @torch.inference_mode()
    def _block(self, path: Path, each: int, block: int) -> Lesson:
        normals = generator(self.seed, Stream.DISTILL, block).standard_normal((BLOCK, *self.content.shape))
        given = None if self.given is None else self.given.encode(self.conditions(block, BLOCK), BLOCK)
        states = trajectory(self.network, path, torch.from_numpy(normals).float(), given)
        return Lesson(states[-1], given, torch.stack(states[:-1:each]))


def trajectory(network: nn.Module, path: Path, start: torch.Tensor, given: torch.Tensor | None) -> list[torch.Tensor]:
    """The states at each level of the grid of `path`, from standard normals `start` to x_0: one more than it has steps."""
    solver = fresh_solver(path.solver, path.grid)
    states = [first(path.grid, start)]
    for call in range(law_of(path.solver).calls(len(path.grid.times))):
        x = states[-1]
        states.append(solver.step(call, x, estimate(network, path, call, x, given), _no_noise))
    return states


def _no_noise(step: int) -> torch.Tensor:
    raise TypeError(f"a teacher asked for noise at step {step}")
