"""What a GAN brings to the training loop: rounds of critic updates, the generator's loss, and a probe of both (S405-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from synthspec.backend.draws import Stream
from synthspec.ir.families import Optimizer, Relativistic, WganGp
from synthspec_torch.gan.augment import augment
from synthspec_torch.gan.losses import (
    Objective,
    critic_losses,
    generator_losses,
    gradient_penalty,
    input_gradient,
    interpolates,
    zero_centred_penalty,
)
from synthspec_torch.gan.networks import Critic, Generator
from synthspec_torch.gan.probe import Probe, Records
from synthspec_torch.training.learner import Learner, Stateful
from synthspec_torch.training.optimizer import build_optimizer, set_rate
from synthspec_torch.training.seeding import Batch, torch_generator

BETAS = (0.0, 0.9)
"""Of Adam where the spec is silent: momentum keeps either player running after where the other was (Gulrajani et al. 2017)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the two play."""

    objective: Objective
    latent: int
    """Standard normal numbers that the generator makes a record of."""
    optimizer: Optimizer
    grad_clip: float | None
    """Bounds the gradient of either player."""


def game_optimizer(stated: Optimizer) -> Optimizer:
    """What `stated` means for two players."""
    if stated.name == "sgd" or stated.betas is not None:
        return stated
    return stated.model_copy(update={"betas": BETAS})


class GanLearner(Learner):
    """A round: `critic_steps` updates of the critic, each on a batch of its own, then the loss of the generator."""

    criterion = "KID_val"

    def __init__(
        self, generator: Generator, critic: Critic, rules: Rules, train: Records, probe: Probe, seed: int
    ) -> None:  # fmt: skip
        self._generator, self.critic, self.rules, self.train, self.probe = generator, critic, rules, train, probe
        self.draws = torch_generator(seed, Stream.TRAIN)
        self.weights = list(critic.parameters())
        self.optimizer = build_optimizer(rules.optimizer, self.weights)
        self._seen: dict[str, list[torch.Tensor]] = {}

    @property
    def network(self) -> nn.Module:
        return self._generator

    @property
    def beside(self) -> Mapping[str, Stateful]:
        return {"critic": self.critic, "critic_optimizer": self.optimizer, "probe": self.probe}

    def position(self) -> Mapping[str, Any]:
        """The draws."""
        return {"draws": self.draws.get_state()}

    def go_on(self, position: Mapping[str, Any]) -> None:
        self.draws.set_state(position["draws"])

    def prepare(self, batch: Batch, lr: float) -> None:
        """The updates of the critic. One whose gradient is not finite is left out: the loop answers to its loss."""
        self._seen = {}
        set_rate(self.optimizer, lr)
        self.critic.train()
        for rows in batch.draws:
            losses = self.critic_records(rows)
            self._note("loss_critic", losses.detach().mean())
            losses.mean().backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.get_total_norm([weight.grad for weight in self.weights if weight.grad is not None])
            if norm.isfinite():
                if self.rules.grad_clip is not None:
                    nn.utils.clip_grads_with_norm_(self.weights, self.rules.grad_clip, norm)
                self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)

    def critic_records(self, rows: torch.Tensor) -> torch.Tensor:
        """What each of the train rows `rows` adds to the critic's loss, its penalty included; [packs]."""
        real = self.real(rows).packs(self.critic.pack)
        with torch.no_grad():
            fake = self._shown(self._generator(self._z(len(real)), real.c))
        x, objective = self._shown(real.x), self.rules.objective
        if isinstance(objective, Relativistic):
            return self._paired(objective, x, fake, real.c)
        scores = self.critic(torch.cat([x, fake]), torch.cat([real.c, real.c]))
        losses = critic_losses(objective, *scores.chunk(2))
        if isinstance(objective, WganGp):
            at = interpolates(x, fake, self.draws, self.critic.pack)
            penalty, norm = gradient_penalty(input_gradient(lambda y: self.critic(y, real.c), at)[1])
            self._note("gp_norm", norm.detach().mean())
            losses = losses + objective.lambda_gp * penalty
        return losses

    def real(self, rows: torch.Tensor) -> Records:
        """The records that a batch of the train rows `rows` shows."""
        return self.train.take(rows)

    def _paired(self, objective: Relativistic, x: torch.Tensor, fake: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        both = torch.cat([c, c])
        scores, gradient = input_gradient(lambda y: self.critic(y, both), torch.cat([x, fake]))
        at_real, at_fake = zero_centred_penalty(gradient).chunk(2)
        self._note("gp_norm", gradient.detach()[: len(at_real)].norm(dim=1).mean())
        return critic_losses(objective, *scores.chunk(2)) + objective.r1 * at_real + objective.r2 * at_fake

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The generator's loss under the conditions of the train rows `rows`; the critic is only asked."""
        real = self.real(rows).packs(self.critic.pack)
        self.critic.requires_grad_(requires_grad=False)
        features = self.critic.features(self._shown(self._generator(self._z(len(real)), real.c)))
        matched, scores = self._real_features(real)
        losses = generator_losses(self.rules.objective, self.critic.judge(features, real.c), scores)
        self.critic.requires_grad_(requires_grad=True)
        loss = losses.mean()
        self._note("loss_generator", loss.detach())
        if matched is not None:
            loss = loss + (features.mean(0) - matched).square().mean()
        return loss

    @torch.no_grad()
    def _real_features(self, real: Records) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """The critic's mean features of real records and its scores of them, as far as the generator is shown them."""
        objective = self.rules.objective
        matching, pairing = "feature_matching" in objective.generator_terms, isinstance(objective, Relativistic)
        if not matching and not pairing:
            return None, None
        features = self.critic.features(self._shown(real.x))
        return features.mean(0) if matching else None, self.critic.judge(features, real.c) if pairing else None

    def observed(self) -> Mapping[str, float]:
        """`loss_critic` and `gp_norm`, means over the round, and `loss_generator`."""
        return {name: torch.stack(values).mean().item() for name, values in self._seen.items()}

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """The signals of the probe (`synthspec_torch.gan.probe`)."""
        if not isinstance(network, Generator):
            raise TypeError("this learner validates generators")
        return self.probe.signals(network, self.critic)

    def _shown(self, x: torch.Tensor) -> torch.Tensor:
        """What the critic is shown of contents x, real or generated."""
        return augment(x, self.rules.objective.augmentation, self.draws)

    def _z(self, count: int) -> torch.Tensor:
        return torch.randn((count, self.rules.latent), generator=self.draws)

    def _note(self, name: str, value: torch.Tensor) -> None:
        self._seen.setdefault(name, []).append(value)
