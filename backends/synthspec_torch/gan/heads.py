"""What bounds a generator's output: an image, numbers, or the blocks of a table of mixed types.

A choice is drawn from the softmax of its scores by adding Gumbel noise and taking the greatest (Gumbel 1954); the gradient
is that of the softmax at temperature `TEMPERATURE` (straight-through, Jang et al. 2017). The critic therefore sees one-hot
vectors from both sides: shares between 0 and 1 would give the generated ones away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

TEMPERATURE = 0.5
_OPEN = 2.0**-24
"""Uniform numbers keep this far from 0 and 1, where Gumbel's quantile is infinite."""


class Head(nn.Module):
    """Output as it is: standardised numbers."""

    noise = 0
    """Standard normal numbers a record that the head itself needs."""

    def forward(self, out: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """[n, *shape] and [n, noise] to contents [n, *shape]."""
        del noise
        return out


class ImageHead(Head):
    """Between -1 and 1."""

    def forward(self, out: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        del noise
        return torch.tanh(out)


class TableHead(Head):
    """Numbers as they are, and of each choice one slot 1 and the others 0."""

    places: torch.Tensor
    """[choices, most slots]: the slots of each choice, filled up with those of the last column of `padded`."""
    slots: torch.Tensor
    """The slots of choices, in order."""
    back: torch.Tensor
    """Where each of `slots` stands in `places`, flattened."""

    def __init__(self, width: int, choices: Sequence[slice]) -> None:
        """`choices`: the slots of each choice among the `width` slots of a record."""
        super().__init__()
        most = max(choice.stop - choice.start for choice in choices)
        places = torch.full((len(choices), most), width)
        for row, choice in enumerate(choices):
            places[row, : choice.stop - choice.start] = torch.arange(choice.start, choice.stop)
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("slots", places[places < width], persistent=False)
        self.register_buffer("back", (places < width).flatten().nonzero()[:, 0], persistent=False)
        self.noise = len(self.slots)

    def forward(self, out: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        scores = out[:, self.slots] + gumbel(noise)
        padded = scores.new_full((len(out), self.places.numel()), -math.inf)
        padded = padded.index_copy(1, self.back, scores).view(len(out), *self.places.shape)
        chosen = torch.zeros_like(padded).scatter_(2, padded.argmax(2, keepdim=True), 1.0)
        if torch.is_grad_enabled():
            soft = (padded / TEMPERATURE).softmax(2)
            chosen = chosen - soft.detach() + soft
        return out.index_copy(1, self.slots, chosen.flatten(1)[:, self.back])


def gumbel(normal: torch.Tensor) -> torch.Tensor:
    """Standard normal numbers to Gumbel's law, by its quantile."""
    return -torch.log(-torch.log(torch.special.ndtr(normal).clamp(_OPEN, 1.0 - _OPEN)))
