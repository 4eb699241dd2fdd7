"""Drawing blocks of images: counter-based noise, guidance on the S405-6 scale, one solver a block (P405-8)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from synthspec.backend.blocks import Drawn
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, generator
from synthspec.ir.solvers import SolverName
from synthspec_diffusers.heads import Head, to_x0
from synthspec_diffusers.schedule import Grid
from synthspec_diffusers.solvers import fresh_solver
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.data.labels import Labels
from synthspec_torch.training.seeding import settle_threads

Network = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
"""``(x [n, C, H, W], training steps [n], labels [n] or None) -> head output [n, C, H, W]``."""
Start = Callable[[Stream, int], torch.Tensor]
"""Standard normals of the block for a stream and a step."""


class Meter:
    """Counts what goes through a network, by a hook on it, apart for each thread."""

    def __init__(self, network: nn.Module, null: int | None) -> None:
        self._null = null
        self._counts = threading.local()
        network.register_forward_hook(self._hook)

    def reset(self) -> None:
        """Start counting in this thread."""
        self._counts.calls = self._counts.rows = self._counts.null_rows = 0

    def read(self, size: int) -> tuple[int, int, int]:
        """Calls, evaluations per record and those of them without a condition, in this thread since `reset`."""
        counts = self._counts
        return counts.calls, counts.rows // size, counts.null_rows // size

    def _hook(self, network: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        del network
        counts = self._counts
        counts.calls += 1
        counts.rows += len(output)
        labels = inputs[2]
        if labels is not None:
            counts.null_rows += int((labels == self._null).sum())


@dataclass(frozen=True, slots=True)
class Path:
    """How a block goes from noise to data."""

    grid: Grid
    solver: SolverName
    head: Head
    w_cfg: float
    null: int | None
    """The label of no condition."""
    bound: float | None
    """Where estimates of x_0 are clipped: images live in [-1, 1]. None for data without bounds."""


def estimate(network: Network, path: Path, step: int, x: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
    """The estimate of x_0 at level `step`, guided by ``eps + w (eps - eps_null)`` (S405-6).

    At fixed x and t all heads are affine in one another with coefficients that guidance, whose weights sum to 1, leaves
    alone: guiding the head's own output is the formula of the standard. w = 0 is the plain conditional model and costs
    one evaluation; otherwise both are made in one call of twice the block.
    """
    guided = path.w_cfg != 0.0 and labels is not None
    rows = len(x) * (2 if guided else 1)
    times = torch.full((rows,), path.grid.times[step], dtype=torch.int64)
    if guided and labels is not None:
        both = network(torch.cat([x, x]), times, torch.cat([labels, torch.full_like(labels, path.null or 0)]))
        out, without = both.chunk(2)
        out = out + path.w_cfg * (out - without)
    else:
        out = network(x, times, labels)
    x0 = to_x0(path.head, out, x, float(path.grid.a[step]), float(path.grid.s[step]))
    # The posterior mean of x_0 lies in the convex hull of the data, so clipping moves an estimate nearer to it; guidance,
    # and division by a small a_t, push estimates out.
    return x0 if path.bound is None else x0.clamp(-path.bound, path.bound)


def integrate(
    network: Network, path: Path, start: torch.Tensor, noise: Callable[[int], torch.Tensor], labels: torch.Tensor | None
) -> torch.Tensor:
    """From x_T = `start` to x_0, by a solver with no history from another block."""
    solver = fresh_solver(path.solver, path.grid)
    x = start
    for step in range(len(path.grid.times)):
        x = solver.step(step, x, estimate(network, path, step, x, labels), noise)
    return x


@dataclass(frozen=True, slots=True)
class DiffusionSampler:
    """A trained engine that draws blocks. Block b depends on the seed, b and the block's size alone."""

    network: nn.Module
    meter: Meter
    path: Path
    codec: ImageCodec
    labels: Labels | None
    conditions: Callable[[int, int], Mapping[str, Column]]
    """Condition columns of ``(block, size)``."""
    seed: int
    threads: int
    device: str = "cpu"

    @torch.inference_mode()
    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`, with the evaluations that were counted at the network."""
        settle_threads(self.threads)
        self.meter.reset()
        columns = dict(self.conditions(block, size))
        labels = None if self.labels is None else torch.from_numpy(self.labels.encode(columns))
        x = integrate(
            self.network, self.path, self._normals(Stream.START, block, size),
            lambda step: self._normals(Stream.STEP, block, size, step), labels,
        )  # fmt: skip
        calls, evaluations, unconditional = self.meter.read(size)
        columns[self.codec.name] = self.codec.decode(x)
        data = Dataset(dict(sorted(columns.items())))
        return Drawn(data=data, net_calls=calls, net_evals_per_sample=evaluations, cfg_evals=unconditional)

    def _normals(self, stream: Stream, block: int, size: int, step: int = 0) -> torch.Tensor:
        normals = generator(self.seed, stream, block, step).standard_normal((size, *self.codec.shape))
        return torch.from_numpy(normals).float()
