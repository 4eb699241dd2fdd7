"""A GAN under DP-SGD: the critic alone looks at private records, and each of its updates is one release (P405-4, S405-8).

The generator learns from the critic's weights, which are released, and from conditions that a public law draws: it costs
nothing. What a real record adds to the critic's loss, the generated one at its side and the penalty between them
included, is one gradient with one clip.

A relativistic critic is fixed but for a constant, which its own loss leaves free. Here the offset of its scores moves, by
the same releases, to where the scores of real records have the middle 0: so the generator, which may see none of them, is
paired with 0 in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrize import is_parametrized

from synthspec.backend.draws import Stream, generator, uniform
from synthspec.ir.families import Relativistic, WganGp
from synthspec_torch.data.context import ContextCodec
from synthspec_torch.data.mixed import Uniform
from synthspec_torch.gan.learner import Rules
from synthspec_torch.gan.losses import critic_losses, generator_losses, gradient_penalty, zero_centred_penalty
from synthspec_torch.gan.networks import Critic, Generator
from synthspec_torch.gan.probe import Records
from synthspec_torch.privacy.gradients import Batch
from synthspec_torch.privacy.stream import RecordDraws
from synthspec_torch.privacy.training import RecordLearner
from synthspec_torch.training.optimizer import build_optimizer, set_rate
from synthspec_torch.training.seeding import torch_generator

Conditions = Callable[[int, int], torch.Tensor]
"""``(step, n)`` to n conditions of a public law, [n, context]."""


Placed = Callable[[torch.Tensor, Uniform], torch.Tensor]
"""Contents [n, *shape] of what is held of n records, by uniform numbers of each record's own."""


def public_conditions(codec: ContextCodec, seed: int) -> Conditions:
    """Conditions uniform on the enums and ranges of the SRef: no histogram of private records is looked at."""

    def draw(step: int, count: int) -> torch.Tensor:
        columns = {
            field.name: uniform(field, generator(seed, Stream.CONDITION, step, index), count)
            for index, field in enumerate(codec.fields)
        }
        return torch.from_numpy(codec.encode(columns, count)).float()

    return draw


class PrivateGan(RecordLearner):
    """Rounds of `critic_steps` releases of the critic and one update of the generator."""

    def __init__(  # noqa: PLR0913 - a game under a mechanism has this many parts
        self, generator: Generator, critic: Critic, rules: Rules, train: Records, conditions: Conditions,
        *, batch: int, seed: int, placed: Placed,
    ) -> None:  # fmt: skip
        """`batch`: records that the generator makes for an update, a public constant. `placed`: contents of what is held."""
        self.generator, self.critic, self.rules, self.train = generator, critic, rules, train
        self.conditions, self.batch, self.placed = conditions, batch, placed
        self.draws = torch_generator(seed, Stream.TRAIN)
        self.optimizer = build_optimizer(rules.optimizer, generator.parameters())

    @property
    def network(self) -> nn.Module:
        return self.critic

    @property
    def kept(self) -> nn.Module:
        return self.generator

    @property
    def turn(self) -> int:
        return self.rules.objective.critic_steps

    @property
    def penalised(self) -> bool:
        return isinstance(self.rules.objective, WganGp | Relativistic)

    def drawn(self, rows: torch.Tensor, draws: RecordDraws) -> Batch:
        """Real contents, their conditions, a generated record for each, and the place of x_hat between the two."""
        real = self.train.take(rows)
        x = self.placed(real.x, draws.places)
        with torch.no_grad():
            fake = self.generator(draws.normal(self.generator.numbers), real.c)
        return x, real.c, fake, draws.uniform()

    def record_losses(self, batch: Batch) -> torch.Tensor:
        """The critic's loss of each real record with the generated one at its side, its penalty included."""
        x, c, fake, share = batch
        objective = self.rules.objective
        real, made = self.critic(x, c), self.critic(fake, c)
        losses = critic_losses(objective, real, made)
        if isinstance(objective, WganGp):
            at = torch.lerp(fake, x, share.view(-1, *(1,) * (x.dim() - 1)))
            losses = losses + objective.lambda_gp * gradient_penalty(self._slopes(at, c))[0]
        elif isinstance(objective, Relativistic):
            losses = losses + objective.r1 * zero_centred_penalty(self._slopes(x, c))
            losses = losses + objective.r2 * zero_centred_penalty(self._slopes(fake, c)) + self._off_centre(real)
        return losses

    def _slopes(self, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """The critic's gradient at each of contents x, [n, numbers]."""
        slopes: torch.Tensor = torch.func.grad(lambda y: self.critic(y, c).sum())(x)
        return slopes.flatten(1)

    def _off_centre(self, real: torch.Tensor) -> torch.Tensor:
        """How far real scores [n] lie from 0, which the offset of the scores alone answers to: by 1 each, at most."""
        offset = self.critic.score.bias
        return functional.huber_loss(real.detach() + offset - offset.detach(), torch.zeros_like(real), reduction="none")

    def released(self, step: int, lr: float) -> Mapping[str, float]:
        """After the last release of a round, one update of the generator, and its loss: by released weights alone."""
        self._renew_norms()
        if step % self.turn:
            return {}
        self.critic.requires_grad_(requires_grad=False)
        c = self.conditions(step, self.batch)
        fake = self.generator(torch.randn((self.batch, self.generator.numbers), generator=self.draws), c)
        centre = torch.zeros(self.batch) if isinstance(self.rules.objective, Relativistic) else None
        loss = generator_losses(self.rules.objective, self.critic(fake, c), centre).mean()
        self.critic.requires_grad_(requires_grad=True)
        loss.backward()  # type: ignore[no-untyped-call]
        set_rate(self.optimizer, lr)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {"loss_generator": loss.item()}

    def _renew_norms(self) -> None:
        """One power iteration of each spectral norm. Not while gradients are made: how often depends on the batch there."""
        self.critic.train()
        for layer in self.critic.modules():
            if is_parametrized(layer):
                layer.weight  # noqa: B018 - reading it iterates
        self.critic.eval()
