"""What a VAE brings to the training loop: ELBO_beta, its validation at beta 1, and free bits that a monitor may raise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from synthspec.backend.draws import Stream
from synthspec_torch.data.given import dropped
from synthspec_torch.privacy.gradients import Batch
from synthspec_torch.privacy.stream import RecordDraws
from synthspec_torch.privacy.training import RecordLearner
from synthspec_torch.training.learner import Learner
from synthspec_torch.training.seeding import torch_generator
from synthspec_torch.vae.bounds import CHUNK, posterior
from synthspec_torch.vae.likelihoods import Likelihood
from synthspec_torch.vae.networks import Vae
from synthspec_torch.vae.objective import BetaCourse, Records, Terms, terms

REPEATS = 4
"""How often z is drawn for each val row in a validation."""
ACTIVE = 0.01
"""delta: a latent unit is active when its posterior mean varies by more than this over the data (Burda et al. 2016)."""
FIRST_RAISE, CEILING = 0.05, 1.0
"""Free bits, in nat per latent dimension: what the first raise gives where there are none, and where doubling ends."""


class VaeLearner(Learner, RecordLearner):
    """-ELBO_beta by the reparametrisation trick, one draw of z an example."""

    criterion = "elbo_val"

    def __init__(  # noqa: PLR0913 - a training has this many parts
        self, network: Vae, likelihood: Likelihood, train: Records, val: Records, *,
        beta: BetaCourse, free_bits: float, drop_rate: float, null: torch.Tensor | None, seed: int,
    ) -> None:  # fmt: skip
        """`drop_rate`: the share of train rows that are shown under `null`, the condition of no condition."""
        self._network, self.likelihood, self.train_records, self.val_records = network, likelihood, train, val
        self.beta, self.free_bits, self.drop_rate, self.null = beta, free_bits, drop_rate, null
        self.draws = torch_generator(seed, Stream.TRAIN)
        self.steps = 0
        self._seen: Mapping[str, float] = {}
        mean, _ = network.encode(train.x[:1], None if train.given is None else train.given[:1])
        size = (REPEATS, len(val), mean.shape[1])
        self.frozen = torch.randn(size, generator=torch_generator(seed, Stream.VALIDATE))

    @property
    def network(self) -> nn.Module:
        return self._network

    @property
    def settled(self) -> bool:
        """During annealing another objective is trained on: its weights are not selected."""
        return self.beta.settled(self.steps)

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        self.steps += 1
        records = self.train_records.take(rows)
        eps = torch.randn((len(rows), self.frozen.shape[2]), generator=self.draws)
        found = terms(self._network, self.likelihood, self._dropped(records), eps)
        beta = self.beta.at(self.steps)
        self._seen = {"elbo": found.elbo.mean().item(), "beta": beta}
        return found.loss(beta, self.free_bits)

    def drawn(self, rows: torch.Tensor, draws: RecordDraws) -> Batch:
        """Contents, conditions (none: zeros), and the draws of z."""
        records, eps = self.train_records.take(rows), draws.normal(self.frozen.shape[2])
        given = torch.zeros(len(rows), dtype=torch.int64) if records.given is None else records.given
        if records.given is not None and self.null is not None and self.drop_rate > 0:
            given = dropped(given, self.null, draws.uniform(), self.drop_rate)
        return records.x, given, eps

    def record_losses(self, batch: Batch) -> torch.Tensor:
        """-ELBO_beta of each record. Free bits are of a batch, and none are taken here."""
        x, given, eps = batch
        records = Records(x, None if self.train_records.given is None else given)
        found = terms(self._network, self.likelihood, records, eps)
        return self.beta.at(self.steps + 1) * found.kl.sum(1) - found.recon

    def released(self, step: int, lr: float) -> Mapping[str, float]:  # noqa: ARG002 - of the protocol
        """`beta`, which the steps alone decide."""
        self.steps = step
        return {"beta": self.beta.at(step)}

    def position(self) -> Mapping[str, Any]:
        """The draws, the steps that beta goes by, and the free bits as raised."""
        return {"draws": self.draws.get_state(), "steps": self.steps, "free_bits": self.free_bits}

    def go_on(self, position: Mapping[str, Any]) -> None:
        self.draws.set_state(position["draws"])
        self.steps, self.free_bits = position["steps"], position["free_bits"]

    def observed(self) -> Mapping[str, float]:
        """`elbo` of the last batch at beta 1, and the `beta` that it was trained with."""
        return self._seen

    def _dropped(self, records: Records) -> Records:
        if records.given is None or self.null is None or self.drop_rate <= 0:
            return records
        u = torch.rand(len(records), generator=self.draws)
        return Records(records.x, dropped(records.given, self.null, u, self.drop_rate))

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """`elbo_val`, `kl` and `recon` on the val rows at beta 1, `loss_val` as trained on, and how many units rest."""
        if not isinstance(network, Vae):
            raise TypeError("this learner validates a Vae")
        parts = [terms(network, self.likelihood, *chunk) for chunk in self._chunks()]
        found = Terms(torch.cat([part.recon for part in parts]), torch.cat([part.kl for part in parts]))
        rest = 1.0 - active_units(posterior(network, self.val_records)[0]).double().mean().item()
        kl, recon = found.kl.sum(1).mean().item(), found.recon.mean().item()
        loss = found.loss(self.beta.at(self.steps), self.free_bits).item()
        return {"elbo_val": recon - kl, "kl": kl, "loss_val": loss, "posterior_collapse_rate": rest, "recon": recon}

    def _chunks(self) -> list[tuple[Records, torch.Tensor]]:
        starts = range(0, len(self.val_records), CHUNK)
        return [
            (self.val_records.take(slice(start, start + CHUNK)), eps[start : start + CHUNK])
            for eps in self.frozen
            for start in starts
        ]

    def raise_free_bits(self) -> str:
        """Double the free bits, up to `CEILING`: a dimension that carries less is not pressed further (section IX)."""
        before = self.free_bits
        self.free_bits = min(max(FIRST_RAISE, 2.0 * before), max(CEILING, before))
        if math.isclose(before, self.free_bits):
            return f"free_bits stay at {before:g} nat, their ceiling"
        return f"free_bits {before:g} -> {self.free_bits:g} nat"


def active_units(means: torch.Tensor) -> torch.Tensor:
    """Which units' posterior means [n, latent] have a variance over the examples above `ACTIVE`, bool [latent]."""
    return means.double().var(0) > ACTIVE
