"""What bounds a generator's output: an image, numbers, or the blocks of a table of mixed types.

A choice is drawn from the softmax of its scores by adding Gumbel noise and taking the greatest (Gumbel 1954); the gradient
is that of the softmax at temperature `TEMPERATURE` (straight-through, Jang et al. 2017). The critic therefore sees one-hot
vectors from both sides: shares between 0 and 1 would give the generated ones away.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from synthspec_torch.data.layout import Block

TEMPERATURE = 0.5
_OPEN = 2.0**-24
"""Uniform numbers keep this far from 0 and 1, where Gumbel's quantile is infinite."""


class Head(nn.Module):
    """Output as it is: standardised numbers."""

    noise = 0
    """Standard normal numbers a record that the head itself needs."""
    start: torch.Tensor | None = None
    """What the bias of the body's last layer begins at; None: as torch draws it."""

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
    """Block after block: of each choice one slot is 1, and what was made of the earlier blocks shifts the later ones.

    The shift is linear, so that a column which follows from another one costs the body nothing. A number whose choice did
    not say "a number" is 0, as it is in a real record: anything else would give the generated one away.
    """

    def __init__(self, blocks: Sequence[Block], start: torch.Tensor) -> None:
        """`blocks`: those of a record, in order. `start` [width]: what the body's output is offset by at first."""
        super().__init__()
        self.blocks = tuple(blocks)
        self.start = start
        self.noise = sum(block.width for block in self.blocks if block.kind == "choice")
        links = [nn.Parameter(torch.zeros(block.start, block.width)) for block in self.blocks[1:]]
        self.links = nn.ParameterList(links)

    def forward(self, out: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        made: list[torch.Tensor] = []
        chances, at = gumbel(noise), 0
        for place, block in enumerate(self.blocks):
            part = out[:, block.slots]
            if place:
                part = torch.addmm(part, torch.cat(made, 1), self.links[place - 1])
            if block.kind == "choice":
                part = choose(part + chances[:, at : at + block.width])
                at += block.width
            elif place and self.blocks[place - 1].column == block.column:
                part = part * made[-1][:, :1]
            made.append(part)
        return torch.cat(made, 1)


def choose(scores: torch.Tensor) -> torch.Tensor:
    """1 at the greatest of each row's scores and 0 elsewhere, with the gradient of a softmax."""
    chosen = torch.zeros_like(scores).scatter_(1, scores.argmax(1, keepdim=True), 1.0)
    if torch.is_grad_enabled():
        soft = (scores / TEMPERATURE).softmax(1)
        chosen = chosen - soft.detach() + soft
    return chosen


def gumbel(normal: torch.Tensor) -> torch.Tensor:
    """Standard normal numbers to Gumbel's law, by its quantile."""
    return -torch.log(-torch.log(torch.special.ndtr(normal).clamp(_OPEN, 1.0 - _OPEN)))
