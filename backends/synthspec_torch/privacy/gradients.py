"""The clipped sum of per-record gradients, by one of two engines that agree: book-keeping, or one record at a time."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

Batch = tuple[torch.Tensor, ...]
"""Everything that a step looks at of its records: the first axis of each tensor counts records."""
Losses = Callable[[Batch], torch.Tensor]
"""The loss of each record of a batch, [n]: a function of that record and the weights alone."""

AT_ONCE = 512
"""Records at a time where nothing says how much of them is held meanwhile."""
SLACK = 1e-6
"""By so much a norm is taken to be greater than it was found, for the rounding of its sum."""


class PerRecord(ABC):
    """Adds up gradients of single records, each clipped as a whole (flat over all parameters)."""

    def __init__(self, network: nn.Module, losses: Losses) -> None:
        self.network, self.losses = network, losses
        self.parameters = {name: each for name, each in network.named_parameters() if each.requires_grad}
        self.width = sum(each.numel() for each in self.parameters.values())
        self.dtype = next(iter(self.parameters.values())).dtype

    def views(self, total: torch.Tensor) -> list[torch.Tensor]:
        """`total` [P] seen parameter by parameter, in their order."""
        parts = torch.split(total, [each.numel() for each in self.parameters.values()])
        return [part.view(each.shape) for part, each in zip(parts, self.parameters.values(), strict=True)]

    @property
    def at_once(self) -> int:
        """Records whose gradients are computed at a time; those of more are added up. No number of records moves it."""
        return AT_ONCE

    def parts(self, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """`rows` in as many parts as it takes, which are about as long as each other; none of nothing."""
        return torch.tensor_split(rows, -(-len(rows) // self.at_once)) if len(rows) else ()

    @abstractmethod
    def add(self, total: torch.Tensor, batch: Batch, clip: float) -> torch.Tensor:
        """Add the gradients of `batch` [n, ...] to `total`, float64 [P], each scaled to a norm of at most `clip`.

        A record whose gradient is not finite adds nothing. Returns the norms before clipping, [n]: they are private.
        """

    def summed(self, batches: Iterable[Batch], clip: float) -> torch.Tensor:
        """The sum over `batches` of what `add` adds, [P], in float64 where there are several; read it before the next one."""
        total = torch.zeros(self.width, dtype=torch.float64)
        for batch in batches:
            self.add(total, batch, clip)
        return total


def scales(norms: torch.Tensor, clip: float) -> torch.Tensor:
    """What each gradient of norm `norms` [n] is multiplied by: at most 1, and 0 where the norm is not finite."""
    return torch.where(norms.isfinite(), finite_scales(norms, clip), 0.0)


def finite_scales(norms: torch.Tensor, clip: float) -> torch.Tensor:
    """The same of `norms` [n] that are all finite."""
    return (norms * (1.0 + SLACK)).div_(clip).clamp_(min=1.0).reciprocal_()


class OneByOne(PerRecord):
    """Each record's whole gradient, by torch.func: for layers and losses that book-keeping does not know.

    A record is computed alone, so nothing can mix records; it takes memory for every gradient of a chunk.
    """

    CHUNK = 1 << 24
    """Numbers of gradients that are made at a time."""

    def add(self, total: torch.Tensor, batch: Batch, clip: float) -> torch.Tensor:
        step = max(1, self.CHUNK // max(1, self.width))
        views = self.views(total)
        parts = [self._add(views, tuple(each[start : start + step] for each in batch), clip)
                 for start in range(0, len(batch[0]), step)]  # fmt: skip
        return torch.cat(parts)

    def _add(self, views: Sequence[torch.Tensor], batch: Batch, clip: float) -> torch.Tensor:
        made = self.gradients(batch)
        squares = [torch.linalg.vector_norm(each.flatten(1), dim=1, dtype=torch.float64).square_() for each in made]
        norms = torch.stack(squares).sum(0).sqrt()
        weights = scales(norms, clip).to(self.dtype)
        bad = weights == 0
        for each, view in zip(made, views, strict=True):
            if bad.any():
                each[bad] = 0.0  # nothing times a number that is none is none
            view.add_((weights @ each.flatten(1)).view(view.shape))
        return norms

    def gradients(self, batch: Batch) -> list[torch.Tensor]:
        """The gradient of each record, one tensor [n, *shape] a parameter."""
        module = _LossOf(self.network, self.losses)
        weights = {f"network.{name}": each.detach() for name, each in self.parameters.items()}

        def loss(parameters: dict[str, torch.Tensor], record: Batch) -> torch.Tensor:
            alone = tuple(each.unsqueeze(0) for each in record)
            out: torch.Tensor = torch.func.functional_call(module, parameters, (alone,))
            return out

        with warnings.catch_warnings():
            # What torch cannot batch it computes in a loop, which is right, and slow as this engine is.
            warnings.filterwarnings("ignore", message=".*batching rule.*")
            each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, batch)
        return list(each.values())


class _LossOf(nn.Module):
    """The loss of the one record of a batch, so that the weights of a network can be put in its place."""

    def __init__(self, network: nn.Module, losses: Losses) -> None:
        super().__init__()
        self.network, self._losses = network, losses

    def forward(self, batch: Batch) -> torch.Tensor:
        return self._losses(batch).sum()
