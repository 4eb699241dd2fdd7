"""The denoiser of images: diffusers' `UNet2DModel` for an architecture of the language."""

from __future__ import annotations

import math

import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import nn

from synthspec.ir.families import UNet2d

GROUPS = 8
"""Groups of a group norm, where the widths allow it, and allow each of them two channels."""
HEAD_WIDTH = 8
"""Channels of an attention head, where the widths allow it."""


class Unet(UNet2DModel):
    """diffusers' network, which asks itself for its dtype twice a call."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights. The base class walks through all modules for it: a sixth of the time of a small call."""
        dtype: torch.dtype = self.conv_in.weight.dtype
        return dtype

    def tell(self, numbers: int) -> None:
        """Take conditions of so many numbers where class labels go: an MLP of the form that the time has reads them."""
        width = self.time_embedding.linear_2.out_features
        read = nn.Sequential(nn.Linear(numbers, width), nn.SiLU(), nn.Linear(width, width))
        # diffusers' types know of tables alone; what it does with one is to call it.
        self.class_embedding = read  # type: ignore[assignment]


class Denoiser(nn.Module):
    """``(x [n, C, H, W], times [n], conditions or None) -> head output [n, C, H, W]``.

    Conditions are class labels [n], which have a row each of a table, or vectors [n, k], which go through an MLP; what they
    become is added to what the time becomes. Images whose sides the levels of the network do not halve evenly are padded
    with the middle value 0, and the output is cut back to size.
    """

    def __init__(
        self, architecture: UNet2d, shape: tuple[int, int, int], given: int | None, *, labelled: bool = True
    ) -> None:
        """`given`: how many class labels there are, the null class included, or where the network is not `labelled` how many
        numbers a condition has; None without conditions.
        """
        super().__init__()
        self.unet = _unet(architecture, shape[0], given if labelled else None)
        if given is not None and not labelled:
            self.unet.tell(given)
        multiple = 2 ** (len(architecture.channels) - 1)
        self.size = shape[1:]
        self.padding = (0, -shape[2] % multiple, 0, -shape[1] % multiple)

    def forward(self, x: torch.Tensor, times: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        if any(self.padding):
            x = nn.functional.pad(x, self.padding)
        out: torch.Tensor = self.unet(x, times, given, return_dict=False)[0]
        return out[..., : self.size[0], : self.size[1]]


def attention_levels(architecture: UNet2d) -> tuple[bool, ...]:
    """At which levels the network attends: as written, else at the coarsest one."""
    if architecture.attention is not None:
        return architecture.attention
    last = len(architecture.channels) - 1
    return tuple(level == last for level in range(last + 1))


def norm_groups(channels: tuple[int, ...]) -> int:
    """Groups of the norms of a network with levels of these widths.

    A level is told the time and the condition by a constant for each of its channels. A norm takes any constant from a
    channel that is alone in its group: the level would not know what it was told.
    """
    groups = math.gcd(*channels, GROUPS)
    return groups // 2 if 1 < groups == min(channels) else groups


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
        norm_num_groups=norm_groups(architecture.channels),
        attention_head_dim=math.gcd(shared, HEAD_WIDTH),
        num_class_embeds=labels,
    )
    return unet
