"""What a sampler spends, counted where it is spent: by a hook on a network (P405-8)."""

from __future__ import annotations

import threading

import torch
from torch import nn


class Meter:
    """Counts the passes through a network and the records in them, apart for each thread."""

    def __init__(self, network: nn.Module) -> None:
        self._counts = threading.local()
        network.register_forward_hook(self._count)

    def reset(self) -> None:
        """Start counting in this thread."""
        self._counts.calls = self._counts.rows = 0

    def read(self, size: int) -> tuple[int, int]:
        """Calls, and evaluations per record, in this thread since `reset`."""
        return self._counts.calls, self._counts.rows // size

    def _count(self, network: nn.Module, arguments: object, output: torch.Tensor) -> None:
        del network, arguments
        self._counts.calls += 1
        self._counts.rows += len(output)
