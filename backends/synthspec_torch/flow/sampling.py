"""Drawing blocks of records: base numbers by counter, one inverse pass a block (P405-8)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthspec.backend.blocks import Drawn
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import DataError
from synthspec_torch.flow.engine import TrainedFlow
from synthspec_torch.flow.network import FlowNetwork, StudentT
from synthspec_torch.training.seeding import settle_threads


class Passes:
    """Counts the passes through the conditioner networks of a flow, by hooks on them, apart for each thread.

    A flow of plain numbers without conditions has none: its maps are constants.
    """

    def __init__(self, network: FlowNetwork) -> None:
        self._counts = threading.local()
        for conditioner in (step.lazy.hyper for step in network.steps if hasattr(step.lazy, "hyper")):
            conditioner.register_forward_hook(self._count)

    def reset(self) -> None:
        """Start counting in this thread."""
        self._counts.passes = 0

    def read(self) -> int:
        """Passes in this thread since `reset`."""
        passes: int = self._counts.passes
        return passes

    def _count(self, module: nn.Module, arguments: object, output: object) -> None:
        del module, arguments, output
        self._counts.passes = getattr(self._counts, "passes", 0) + 1


def base_numbers(network: FlowNetwork, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """`size` records of the base, [size, d]: t = z sqrt(df / chi2_df) where it is Student's."""
    z = rng.standard_normal((size, network.width))
    if isinstance(network.base, StudentT):
        degrees = network.base.degrees.detach().double().numpy()
        z = z * np.sqrt(degrees / (2.0 * rng.standard_gamma(np.broadcast_to(degrees / 2.0, z.shape))))
    return z


@dataclass(frozen=True)
class FlowSampler:
    """A trained flow that draws blocks. Block b depends on the seed, b and the block's size alone."""

    flow: TrainedFlow
    conditions: Callable[[int, int], Mapping[str, Column]]
    """Condition columns of ``(block, size)``."""
    seed: int
    threads: int
    device: str = "cpu"
    passes: Passes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "passes", Passes(self.flow.network))

    @torch.inference_mode()
    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`, with the passes that were counted at the conditioners."""
        settle_threads(self.threads)
        self.passes.reset()
        columns = dict(self.conditions(block, size))
        c = torch.from_numpy(self.flow.context.encode(columns, size)).float()
        z = torch.from_numpy(base_numbers(self.flow.network, generator(self.seed, Stream.START, block), size)).float()
        x = self.flow.network.inverse(z, c)
        passes = self.passes.read()
        if not x.isfinite().all():
            raise DataError(
                "P405-3.diverged",
                f"the flow maps base numbers of block {block} to what is no finite number",
                "train it longer or with a smaller optimizer.lr; C40-512 bounds its inv_error",
            )
        content, clipped = self.flow.content.decode(x.double().numpy())
        return Drawn(
            data=Dataset(dict(sorted({**columns, **content}.items()))),
            net_calls=passes,
            net_evals_per_sample=passes,
            counts=(("clipped_values", clipped),),
        )
