"""The optimiser of a spec, and the learning rate's course that is the engines' default."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from synthspec.ir.families import Optimizer

WARM_UP = 0.05
"""Share of the steps over which the rate rises from zero."""
FLOOR = 0.01
"""Share of the rate that is left at the last step."""
RATE_COURSE = f"linear warm-up over {WARM_UP:.0%} of the steps, then cosine to {FLOOR:.0%}"
"""`rate` in words, for the report."""


def build_optimizer(spec: Optimizer, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """Adam, AdamW or SGD with torch's defaults where the spec is silent; fused, as one pass over the weights."""
    weights = list(parameters)
    betas, decay = spec.betas or (0.9, 0.999), spec.weight_decay
    match spec.name:
        case "sgd":
            return torch.optim.SGD(
                weights, lr=spec.lr, momentum=spec.momentum or 0.0, weight_decay=decay or 0.0, fused=True
            )
        case "adam":
            return torch.optim.Adam(weights, lr=spec.lr, betas=betas, weight_decay=decay or 0.0, fused=True)
        case "adamw":
            decay = 0.01 if decay is None else decay
            return torch.optim.AdamW(weights, lr=spec.lr, betas=betas, weight_decay=decay, fused=True)


def rate(step: int, steps: int) -> float:
    """The factor on the learning rate at `step` of `steps`: a linear rise, then half a cosine down to `FLOOR`.

    >>> [round(rate(step, 100), 3) for step in (1, 5, 100)]
    [0.2, 1.0, 0.01]
    """
    rise = max(1, round(WARM_UP * steps))
    if step <= rise:
        return step / rise
    progress = (step - rise) / max(1, steps - rise)
    return FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * progress))


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Use `lr` from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def total_norm(gradients: list[torch.Tensor]) -> torch.Tensor:
    """The L2 norm of all numbers of `gradients` together, a scalar: torch's own, without its sorting by device and dtype."""
    if not gradients:
        return torch.zeros(())
    norms: tuple[torch.Tensor, ...] = torch._foreach_norm(gradients)  # noqa: SLF001 - torch has no other name for it
    total: torch.Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total
