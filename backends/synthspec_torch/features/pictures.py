"""Pictures as published networks see them: resized with antialiasing, in RGB, normalised (generators, section 3.5).

Without antialiasing a picture that is made smaller keeps frequencies that alias: two extractors of one name then give
different distances. The filters are those of Pillow (a = -0.5 where it is cubic), computed in float32 and not rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn.functional import interpolate


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """What is done to a picture in [-1, 1] before the network."""

    side: int
    resize: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of pictures in [0, 1] where `normalised`."""
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    normalised: bool = False

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Grey or RGB pictures [n, 1 or 3, H, W] in [-1, 1] to [n, 3, side, side]."""
        x = interpolate(x, (self.side, self.side), mode=self.resize, align_corners=False, antialias=True)
        x = x.clamp(-1.0, 1.0).expand(-1, 3, -1, -1)
        if not self.normalised:
            return x
        mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (self.mean, self.std))
        return ((x + 1.0) / 2.0 - mean) / std

    @property
    def words(self) -> str:
        """In words, for the figures."""
        scaled = f"mean {list(self.mean)}, std {list(self.std)}" if self.normalised else "[-1, 1]"
        return f"{self.side} x {self.side} {self.resize}, antialiased, whole picture; grey as RGB; {scaled}"


IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of the channels that networks of ImageNet are normalised by."""


class Looking(nn.Module):
    """A network with the preprocessing before it: pictures in [-1, 1] to features [n, dim]."""

    def __init__(self, seen: Callable[[torch.Tensor], torch.Tensor], network: nn.Module) -> None:
        super().__init__()
        self.seen, self.network = seen, network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.network(self.seen(x))
        return features
