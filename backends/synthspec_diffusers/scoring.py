"""How well a denoiser knows single records: how little it moves them at low noise levels (C40-516).

SimA (Rao, Qu and Moyer 2025, arXiv 2509.25003): at low noise the answer of a denoiser points to the records that it was
trained on, so shown a record that it learned by heart it says that there is no noise, and shown another of the same law
that there is some. No noise is drawn. On engines that were trained until they had their records by heart it told members
better than the loss under noise did, for a quarter of the evaluations.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec_diffusers.path import Network
from synthspec_diffusers.training import CHUNK, Corruption, Records

LEVELS = (0.05, 0.1, 0.2)
"""Quantiles of the law of noise levels that the engine was trained at."""
TINY = 1e-12
HOW = f"minus the mean log of |eps|^2 that the denoiser sees in a record at the quantiles {LEVELS} of the noise levels"


@torch.inference_mode()
def known(network: Network, corruption: Corruption, records: Records) -> NDArray[np.float64]:
    """Minus the mean over `LEVELS` of ln |eps(a x_0, t)|^2 of each of `records`, up to a constant, [n]: higher where it is
    better known. A function of the record alone, and the same for every head, of which it is only the constant that differs.
    """
    logs = [np.log(_moved(network, corruption, records, level) + TINY) for level in LEVELS]
    return np.asarray(-np.stack(logs).mean(axis=0))


def _moved(network: Network, corruption: Corruption, records: Records, level: float) -> NDArray[np.float64]:
    """The mean squared error of the head on records without noise, at the level of the quantile `level`, [n]."""
    errors = []
    for start in range(0, len(records), CHUNK):
        part = records.take(torch.arange(start, min(start + CHUNK, len(records))))
        noised = corruption(part, torch.full((len(part),), level), torch.zeros_like(part.x0))
        squared = corruption.squared(noised, network(noised.x, noised.times, noised.given))
        errors.append(squared.flatten(1).double().mean(1))
    return torch.cat(errors).numpy()
