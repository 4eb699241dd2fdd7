"""The three heads of a denoiser as views of one estimate: at given x and t each is an affine function of the others."""

from __future__ import annotations

from typing import Literal, TypeVar

import torch

Head = Literal["eps", "x0", "v"]
Level = TypeVar("Level", float, torch.Tensor)


def target(head: Head, x0: torch.Tensor, eps: torch.Tensor, a: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """What the head is trained to say about x_t = a x0 + s eps. v = a eps - s x0 (Salimans and Ho 2022)."""
    match head:
        case "eps":
            return eps
        case "x0":
            return x0
        case "v":
            return a * eps - s * x0


def to_x0(head: Head, out: torch.Tensor, x: torch.Tensor, a: Level, s: Level) -> torch.Tensor:
    """The estimate of x_0 that the output `out` of a head at x_t = `x` stands for."""
    match head:
        case "eps":
            return (x - s * out) / a
        case "x0":
            return out
        case "v":
            return a * x - s * out
