"""Drawing blocks: z from the prior, then x from p(x | z, c) itself, not its mean (P405-8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from synthspec.backend.blocks import Drawn
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, generator
from synthspec_torch.data.given import Given
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.meter import Meter
from synthspec_torch.training.seeding import settle_threads
from synthspec_torch.vae.likelihoods import Likelihood
from synthspec_torch.vae.networks import Vae

_OPEN = 2.0**-24
"""Uniform numbers keep this far from 0 and 1, where a law on the real line has no value."""


@dataclass(frozen=True, slots=True)
class VaeSampler:
    """A trained engine that draws blocks. Block b depends on the seed, b and the block's size alone."""

    network: Vae
    meter: Meter
    likelihood: Likelihood
    latent: int
    codec: ImageCodec
    given: Given | None
    conditions: Callable[[int, int], Mapping[str, Column]]
    """Condition columns of ``(block, size)``."""
    seed: int
    threads: int
    device: str = "cpu"

    @torch.inference_mode()
    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`: one evaluation of the decoder each."""
        settle_threads(self.threads)
        self.meter.reset()
        columns = dict(self.conditions(block, size))
        given = None if self.given is None else self.given.encode(columns, size)
        z = generator(self.seed, Stream.START, block).standard_normal((size, self.latent))
        u = generator(self.seed, Stream.STEP, block).random((size, *self.codec.shape))
        out = self.network.decode(torch.from_numpy(z.astype(np.float32)), given)
        uniform = torch.from_numpy(u.astype(np.float32)).clamp_(_OPEN, 1.0 - _OPEN)
        columns[self.codec.name] = self.codec.decode(self.likelihood.draw(out, uniform))
        calls, evaluations = self.meter.read(size)
        return Drawn(data=Dataset(dict(sorted(columns.items()))), net_calls=calls, net_evals_per_sample=evaluations)
