"""What a family brings to the training loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import nn

from synthspec_torch.training.seeding import Batch


class Stateful(Protocol):
    """A module, an optimiser, or whatever else gives and takes back its state."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object: ...


class Learner(Protocol):
    """What a family brings: a network, its loss on some train rows, and its validation.

    Derive from it: what has a body here is what most families do.
    """

    @property
    def network(self) -> nn.Module: ...

    @property
    def criterion(self) -> str:
        """The signal of `validate` that picks the best weights; less is better unless the table of signals says more is."""

    @property
    def settled(self) -> bool:
        """False while the objective still changes: then no weights are picked, and nothing counts as converged."""
        return True

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss on the train rows `rows`, a scalar."""

    def prepare(self, batch: Batch, lr: float) -> None:
        """Update what has an objective of its own, at the rate `lr`, before the step's `loss` is asked for: a critic."""
        del batch, lr

    @property
    def beside(self) -> Mapping[str, Stateful]:
        """What a rollback restores beside the network, its average and its optimiser; each by a name of its own."""
        return {}

    def position(self) -> Mapping[str, Any] | None:
        """Where its draws and counts stand, in tensors, numbers and text: a rollback leaves them, a crash must not.

        None: it cannot say, so a killed training begins anew.
        """
        return None

    def go_on(self, position: Mapping[str, Any]) -> None:
        """Stand where `position` says."""
        raise TypeError(f"this learner gave no position, and knows nothing of {sorted(position)}")

    def observed(self) -> Mapping[str, float]:
        """Further signals of the step that `loss` was last asked for."""
        return {}

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Signals of `network` (of the averaged weights) on the val rows, from the same draws each time."""

    def raise_free_bits(self) -> str:
        """Answer a monitor's `raise_free_bits`; what was done, in words for the event."""
        raise TypeError("this family has no free bits")
