"""Drawing blocks of records: counter-based noise, one solver a block, evaluations counted at the network (P405-8)."""

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
from synthspec.backend.protocol import DataError
from synthspec_diffusers.content import Content
from synthspec_diffusers.path import Adaptive, Path, integrate
from synthspec_torch.data.given import Given
from synthspec_torch.training.seeding import settle_threads


class Meter:
    """Counts what goes through a network, by a hook on it, apart for each thread."""

    def __init__(self, network: nn.Module, null: torch.Tensor | None) -> None:
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
        given = inputs[2]
        if given is not None and self._null is not None:
            counts.null_rows += int((given == self._null).view(len(given), -1).all(1).sum())


@dataclass(frozen=True, slots=True)
class DiffusionSampler:
    """A trained engine that draws blocks. Block b depends on the seed, b and the block's size alone."""

    network: nn.Module
    meter: Meter
    path: Path
    adaptive: Adaptive | None
    """How steps are chosen; None where the path's grid says them."""
    content: Content
    given: Given | None
    conditions: Callable[[int, int], Mapping[str, Column]]
    """Condition columns of ``(block, size)``."""
    seed: int
    threads: int
    device: str = "cpu"

    @torch.inference_mode()
    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`, with the evaluations that were counted at the network.

        Raises DataError for an engine that makes what is no finite number.
        """
        settle_threads(self.threads)
        self.meter.reset()
        columns = dict(self.conditions(block, size))
        given = None if self.given is None else self.given.encode(columns, size)
        start = self._normals(Stream.START, block, size)
        counts: tuple[tuple[str, int], ...] = ()
        if self.adaptive is None:
            noise = lambda step: self._normals(Stream.STEP, block, size, step)  # noqa: E731
            x = integrate(self.network, self.path, start, noise, given)
        else:
            x, forced = self.adaptive.integrate(self.network, start, given)
            counts = (("steps_over_tolerance", forced),)
        calls, evaluations, unconditional = self.meter.read(size)
        if not x.isfinite().all():
            raise DataError(
                "P405-3.diverged",
                f"the engine makes what is no finite number of the noise of block {block}",
                "train it longer or with a smaller optimizer.lr; a monitor on loss_val stops a training that diverges",
            )
        columns |= self.content.decode(x)
        return Drawn(
            data=Dataset(dict(sorted(columns.items()))),
            net_calls=calls,
            net_evals_per_sample=evaluations,
            cfg_evals=unconditional,
            counts=counts,
        )

    def _normals(self, stream: Stream, block: int, size: int, step: int = 0) -> torch.Tensor:
        normals = generator(self.seed, stream, block, step).standard_normal((size, *self.content.shape))
        return torch.from_numpy(normals).float()
