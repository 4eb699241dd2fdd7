"""What normalises activations, by its name in the language. Nothing here mixes records."""

from __future__ import annotations

import math

from torch import nn

_GROUPS = 8
"""Groups of a group norm, where the width allows it."""


def norm_1d(name: str | None, width: int) -> nn.Module:
    """For activations [n, width]; none unless one is named."""
    match name:
        case "layer":
            return nn.LayerNorm(width)
        case "group":
            return nn.GroupNorm(math.gcd(width, _GROUPS), width)
        case _:
            return nn.Identity()


def norm_2d(name: str | None, width: int) -> nn.Module:
    """For activations [n, width, h, w]; group norm unless another is named."""
    match name:
        case None | "group":
            return nn.GroupNorm(math.gcd(width, _GROUPS), width)
        case "layer":
            return nn.GroupNorm(1, width)
        case _:
            return nn.Identity()
