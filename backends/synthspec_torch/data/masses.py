"""The masses of few cells for many records: a softmax that runs along the records where the cells would not fill a register."""

from __future__ import annotations

import torch

FEW = 16
"""torch's softmax goes through fewer numbers than this one by one: 512 bits of float32."""


def masses(logits: torch.Tensor) -> torch.Tensor:
    """The softmax of each row of `logits` [n, cells]; [n, cells], columns next to each other in memory where they are few."""
    return logits.t().softmax(0).t() if logits.shape[1] < FEW else logits.softmax(1)
