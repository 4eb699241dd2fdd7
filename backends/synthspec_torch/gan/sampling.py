"""Drawing blocks: z by counter, one pass of the generator a block (P405-8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from synthspec.backend.blocks import Drawn
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import DataError
from synthspec_torch.gan.engine import TrainedGan
from synthspec_torch.meter import Meter
from synthspec_torch.training.seeding import settle_threads


@dataclass(frozen=True)
class GanSampler:
    """A trained generator that draws blocks. Block b depends on the seed, b and the block's size alone."""

    gan: TrainedGan
    conditions: Callable[[int, int], Mapping[str, Column]]
    """Condition columns of ``(block, size)``."""
    seed: int
    threads: int
    device: str = "cpu"
    passes: Meter = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "passes", Meter(self.gan.network))

    @torch.inference_mode()
    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`: one evaluation of the generator each."""
        settle_threads(self.threads)
        self.passes.reset()
        columns = dict(self.conditions(block, size))
        own = 1 + len(self.gan.context.fields)
        c = self.gan.conditions(columns, generator(self.seed, Stream.CONDITION, block, own).random(size))
        z = generator(self.seed, Stream.START, block).standard_normal(
            (size, self.gan.network.numbers), dtype=np.float32
        )
        x = self.gan.network(torch.from_numpy(z), c)
        if not x.isfinite().all():
            raise DataError(
                "P405-3.diverged",
                f"the generator maps z of block {block} to what is no finite number",
                "train it with a smaller optimizer.lr, or with a measure that bounds the critic",
            )
        content, clipped = self.gan.content.decode(x)
        calls, evaluations = self.passes.read(size)
        return Drawn(
            data=Dataset(dict(sorted({**columns, **content}.items()))),
            net_calls=calls,
            net_evals_per_sample=evaluations,
            counts=(("clipped_values", clipped),),
        )
