"""The adversarial losses of S405-2, one number a record, and the penalties on the critic's gradient.

Every loss stands alone for its record (for a pack of them where the critic judges packs), so that a mechanism can clip it
before records are summed. Scores are logits: no loss here wants a critic that ends in a sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import torch
from torch.nn.functional import relu, softplus

from synthspec.ir.families import Adversarial, Hinge, Relativistic, WganGp

Objective = Adversarial | WganGp | Hinge | Relativistic
Score = Callable[[torch.Tensor], torch.Tensor]
"""What the critic says of contents [n, ...]: [packs]."""


def critic_losses(objective: Objective, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """What the critic minimises, without penalties; scores [packs] to losses [packs]."""
    match objective:
        case Adversarial():
            return softplus(-real) + softplus(fake)
        case Hinge():
            return relu(1.0 - real) + relu(1.0 + fake)
        case WganGp():
            return fake - real
        case Relativistic():
            return softplus(fake - real)
    assert_never(objective)


def generator_losses(objective: Objective, fake: torch.Tensor, real: torch.Tensor | None) -> torch.Tensor:
    """What the generator minimises; scores [packs] to losses [packs].

    The first is the non-saturating form -log D(G(z)), whose gradient does not vanish while the critic is sure (Goodfellow et
    al. 2014). Only the relativistic pairing looks at real scores; it raises ValueError without them.
    """
    match objective:
        case Adversarial():
            return softplus(-fake)
        case Hinge() | WganGp():
            return -fake
        case Relativistic():
            if real is None:
                raise ValueError("a relativistic loss pairs every generated record with a real one")
            return softplus(real - fake)
    assert_never(objective)


def input_gradient(score: Score, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores [packs] at x, and their gradient as [packs, numbers of a pack]; both can be differentiated again."""
    at = x.detach().requires_grad_()
    scores = score(at)
    (gradient,) = torch.autograd.grad(scores.sum(), at, create_graph=True)
    return scores, gradient.reshape(len(scores), -1)


def interpolates(real: torch.Tensor, fake: torch.Tensor, draws: torch.Generator, pack: int = 1) -> torch.Tensor:
    """x_hat between each real record and its generated one, at a place of its own: one uniform number a pack."""
    share = torch.rand(len(real) // pack, generator=draws).repeat_interleave(pack)
    return torch.lerp(fake, real, share.view(-1, *(1,) * (real.dim() - 1)))


def gradient_penalty(gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(|grad| - 1)^2 of each pack (Gulrajani et al. 2017), and |grad|; [packs] both."""
    norm = gradient.norm(dim=1)
    return (norm - 1.0).square(), norm


def zero_centred_penalty(gradient: torch.Tensor) -> torch.Tensor:
    """|grad|^2 / 2 of each pack: R1 at real records, R2 at generated ones (Mescheder et al. 2018)."""
    return 0.5 * gradient.square().sum(1)
