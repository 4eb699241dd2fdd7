"""Layers of weights that torch has no name for, so that each has a book of its own under a mechanism."""

from __future__ import annotations

import torch
from torch import nn


class Offset(nn.Module):
    """``x + weight``: one number for each place of a record."""

    def __init__(self, start: torch.Tensor) -> None:
        """`start`: the first weights, of the shape of one record or of its last axes."""
        super().__init__()
        self.weight = nn.Parameter(start)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of x [n, ..., *weight.shape]: the same shape."""
        return x + self.weight


class Apart(nn.Module):
    """One linear map for each block of a record: x [n, J, I] to [n, J, O], the j-th by ``weight[j]`` [I, O]."""

    def __init__(self, start: torch.Tensor) -> None:
        """`start`: the first weights, [J, I, O]."""
        super().__init__()
        self.weight = nn.Parameter(start)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nji,jio->njo", x, self.weight)
