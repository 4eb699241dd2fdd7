"""Which states of a training are kept: the best so far, and those that a rollback may go back to (P405-3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training as it stood after a step: what a rollback puts back."""

    step: int
    value: float
    """Of the criterion, signed so that less is better; infinite while the objective still changes."""
    network: Mapping[str, torch.Tensor]
    average: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, Any]
    beside: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Keeping:
    """The checkpoints of one training.

    A checkpoint waits in quarantine until the next validation was fine, too: what spoils a training is in its weights before
    it is in its signals. A rollback goes to what is out of quarantine, and at first to the start.
    """

    good: Checkpoint
    """The last one out of quarantine."""
    best_good: Checkpoint | None = None
    """The one of the least value out of quarantine."""
    waiting: Checkpoint | None = None
    """The one in quarantine."""
    best: Checkpoint | None = None
    """The one of the least value, whose averaged weights are the result: its own validation is what they are judged by."""
    first: Checkpoint | None = None

    def take(self, checkpoint: Checkpoint) -> None:
        """Keep `checkpoint`, which was validated and found fine; so is the one that waited."""
        if self.waiting is not None:
            self.good = self.waiting
            self.best_good = _lesser(self.best_good, self.waiting)
        self.waiting, self.first = checkpoint, self.first or checkpoint
        self.best = _lesser(self.best, checkpoint)

    def back(self, to: Literal["best", "last"]) -> Checkpoint:
        """Where a rollback goes; what waited is gone with what came after it."""
        self.waiting = None
        return self.best_good if to == "best" and self.best_good is not None else self.good


def _lesser(kept: Checkpoint | None, other: Checkpoint) -> Checkpoint | None:
    if not math.isfinite(other.value) or (kept is not None and kept.value <= other.value):
        return kept
    return other
