"""One-hot blocks of a table as posterior means: a softmax of what the noise says itself and of what the network adds.

For a block x = a x_0 + s eps whose x_0 is the k-th corner, ln p(x | k) is a scale x_k / s^2 up to what all k share. So
P(k | x) is the softmax of that plus what the rest of the record says, and E[x_0 | x] lies among the corners. A network is
asked for the rest alone; where little noise is left, the block itself decides and nothing has to be learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from synthspec_torch.data.masses import masses


@dataclass(frozen=True, slots=True)
class Choices:
    """The slots of blocks whose corners are ``scale * (one-hot - 1 / width)``."""

    blocks: tuple[slice, ...]
    scale: float

    def settle(self, x0: torch.Tensor, out: torch.Tensor, x: torch.Tensor, told: float | torch.Tensor) -> torch.Tensor:
        """The estimate `x0` [n, d] with its choices replaced by posterior means.

        `out` is what the network said of x, and `told` is a / s^2, a number or [n, 1].
        """
        settled = x0.clone()
        for block in self.blocks:
            logits = out[:, block] + (self.scale * told) * x[:, block]
            settled[:, block] = self.scale * (masses(logits) - 1.0 / logits.shape[1])
        return settled
