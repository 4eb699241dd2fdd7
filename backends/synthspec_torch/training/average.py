"""The exponential moving average of a network's weights, with a warm-up ramp."""

from __future__ import annotations

import copy

import torch
from torch import nn

DECAY_COURSE = "min(ema, (1 + k) / (10 + k)) at update k"
"""The decay in words, for the report."""


class Average:
    """A copy of `network` that trails it: ``average <- d average + (1 - d) network`` at each update.

    The decay ramps up as ``min(decay, (1 + k) / (10 + k))`` over the updates k = 1, 2, ... so that a short run is not
    dominated by its first weights. Buffers are averaged too; whole-number ones are copied. Without a decay (None) the
    average is the network itself.
    """

    def __init__(self, network: nn.Module, decay: float | None) -> None:
        self.decay = decay
        self.updates = 0
        self.network = network if decay is None else copy.deepcopy(network).requires_grad_(requires_grad=False)
        pairs = list(zip(_tensors(self.network), _tensors(network), strict=True))
        self._mine = [mine for mine, _ in pairs if mine.is_floating_point()]
        self._theirs = [theirs for mine, theirs in pairs if mine.is_floating_point()]
        self._counted = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Follow the network by one step."""
        if self.decay is None:
            return
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._mine, self._theirs, 1.0 - decay)
        for mine, theirs in self._counted:
            mine.copy_(theirs)


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    return [*(p.data for p in network.parameters()), *network.buffers()]
