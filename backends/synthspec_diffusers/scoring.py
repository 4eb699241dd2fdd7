"""How well a denoiser knows single records: its loss at stated noise levels under stated noise (C40-516).

A denoiser that learned a record by heart finds it again in noise where others of the same law stay blurred (Matsumoto et
al. 2023; Carlini et al. 2023). Every record meets the same noise at the same levels, so what differs is the record; and
the logarithm is taken at each level, where the error of one head is a constant times that of another.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.backend.draws import Stream, generator
from synthspec_diffusers.path import Network
from synthspec_diffusers.training import CHUNK, Corruption, Records

LEVELS = (0.1, 0.25, 0.5)
"""Quantiles of the law of noise levels that the engine was trained at."""
DRAWS = 4
"""Noises at each level."""
TINY = 1e-12
HOW = f"minus the mean log loss at the quantiles {', '.join(map(str, LEVELS))} of the noise levels, {DRAWS} noises each"


@torch.inference_mode()
def known(network: Network, corruption: Corruption, records: Records, seed: int) -> NDArray[np.float64]:
    """Minus the mean log loss of each of `records`, [n]: higher where it is better known. A function of the record alone."""
    levels = [_losses(network, corruption, records, (seed, number)) for number in range(len(LEVELS))]
    return np.asarray(-np.log(np.stack(levels) + TINY).mean(axis=0))


def _losses(
    network: Network, corruption: Corruption, records: Records, at: tuple[int, int]
) -> NDArray[np.float64]:  # fmt: skip
    """The squared error of the head, the mean over numbers and draws, at the level `at` [1] with noise of the seed `at` [0]."""
    seed, level = at
    shape = (DRAWS, *records.x0.shape[1:])
    noise = torch.from_numpy(generator(seed, Stream.VALIDATE, level, 2).standard_normal(shape)).float()
    errors = torch.zeros(len(records), dtype=torch.float64)
    for start in range(0, len(records), CHUNK):
        part = records.take(torch.arange(start, min(start + CHUNK, len(records))))
        u = torch.full((len(part),), LEVELS[level])
        for eps in noise:
            noised = corruption(part, u, eps.expand_as(part.x0))
            squared = corruption.squared(noised, network(noised.x, noised.times, noised.given))
            errors[start : start + len(part)] += squared.flatten(1).double().mean(1)
    return (errors / DRAWS).numpy()
