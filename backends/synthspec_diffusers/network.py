"""The denoiser of images: diffusers' `UNet2DModel` for an architecture of the language."""

from __future__ import annotations

import math

import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import nn

from synthspec.ir.families import UNet2d

GROUPS = 8
"""Groups of a group norm, where the widths allow it."""
HEAD_WIDTH = 8
"""Channels of an attention head, where the widths allow it."""


class Unet(UNet2DModel):
    """diffusers' network, which asks itself for its dtype twice a call."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights. The base class walks through all modules for it: a sixth of the time of a small call."""
        dtype: torch.dtype = self.conv_in.weight.dtype
        return dtype


class Denoiser(nn.Module):
    """``(x [n, C, H, W], times [n], labels [n] or None) -> head output [n, C, H, W]``.

    Images whose sides the levels of the network do not halve evenly are padded with the middle value 0, and the output
    is cut back to size.
    """

    def __init__(self, architecture: UNet2d, shape: tuple[int, int, int], labels: int | None) -> None:
        """`labels`: how many class labels there are, the null class included; None without conditions."""
        super().__init__()
        self.unet = _unet(architecture, shape[0], labels)
        multiple = 2 ** (len(architecture.channels) - 1)
        self.size = shape[1:]
        self.padding = (0, -shape[2] % multiple, 0, -shape[1] % multiple)

    def forward(self, x: torch.Tensor, times: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        if any(self.padding):
            x = nn.functional.pad(x, self.padding)
        out: torch.Tensor = self.unet(x, times, labels, return_dict=False)[0]
        return out[..., : self.size[0], : self.size[1]]


def attention_levels(architecture: UNet2d) -> tuple[bool, ...]:
    """At which levels the network attends: as written, else at the coarsest one."""
    if architecture.attention is not None:
        return architecture.attention
    last = len(architecture.channels) - 1
    return tuple(level == last for level in range(last + 1))


def _unet(architecture: UNet2d, channels: int, labels: int | None) -> Unet:
    attends = attention_levels(architecture)
    shared = math.gcd(*architecture.channels)
    unet: Unet = Unet(
        in_channels=channels,
        out_channels=channels,
        block_out_channels=architecture.channels,
        layers_per_block=architecture.layers_per_block,
        down_block_types=tuple("AttnDownBlock2D" if here else "DownBlock2D" for here in attends),
        up_block_types=tuple("AttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attends)),
        add_attention=any(attends),
        norm_num_groups=math.gcd(shared, GROUPS),
        attention_head_dim=math.gcd(shared, HEAD_WIDTH),
        num_class_embeds=labels,
    )
    return unet
