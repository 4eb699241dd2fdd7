"""What is seen of a game once an epoch, on frozen records and frozen draws, so that a change is the networks' own.

Nothing here reads the adversarial loss: neither player's loss says whether the samples are good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from synthspec.backend.draws import Stream, generator
from synthspec.metrics.kernels import cubic, mmd2
from synthspec_torch.gan.content import F64, Content
from synthspec_torch.gan.networks import Critic, Generator
from synthspec_torch.training.seeding import torch_generator

LARGEST = 512
"""Records of a probe, at most: it costs one pass of each network and one of the features, every epoch."""
LEAST = 64
"""Generated records of a probe, at least."""
MODES = 10
FLOOR = 0.1
"""A mode is shown when its share of the probe is above this fraction of its real share."""
_ROUNDS = 25


@dataclass(frozen=True, slots=True)
class Records:
    """Contents [n, *shape] as the networks see them, and conditions [n, context]."""

    x: torch.Tensor
    c: torch.Tensor

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: torch.Tensor) -> Records:
        return Records(self.x[rows], self.c[rows])

    def packs(self, pack: int) -> Records:
        """As many records as fill whole packs of `pack`: the first ones come again where the last pack is not full."""
        whole = -(-len(self) // pack) * pack
        return self if whole == len(self) else self.take(torch.arange(whole) % len(self))


class Probe:
    """Judges a generator and its critic on frozen records; remembers the critic's last mean, and nothing else."""

    def __init__(self, content: Content, train: Records, val: Records, latent: int, pack: int, seed: int) -> None:
        self.content = content
        self.seen, self.held = (_some(records, seed, place).packs(pack) for place, records in enumerate((train, val)))
        shown = torch.arange(max(len(self.held), -(-LEAST // pack) * pack)) % len(self.held)
        self.conditions = self.held.c[shown]
        self.z = torch.randn((len(shown), latent), generator=torch_generator(seed, Stream.VALIDATE))
        self.real = content.embed(self.held.x)
        self.centres = _centres(self.real[:, 0], seed)
        self.shares = _shares(self.real[:, 0], self.centres)
        self._mean: float | None = None

    def state_dict(self) -> dict[str, Any]:
        """The critic's last mean."""
        return {"mean": self._mean}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Take back what `state_dict` gave."""
        self._mean = state["mean"]

    @torch.inference_mode()
    def signals(self, network: Generator, critic: Critic) -> Mapping[str, float]:
        """The signals of an epoch; `network` makes the probe sample, from the same draws each time."""
        fake = network(self.z, self.conditions)
        if not fake.isfinite().all():
            return {"KID_val": float("nan")}
        features = self.content.embed(fake)
        distances = [mmd2(cubic, self.real[:, i], features[:, i]) for i in range(features.shape[1])]
        missing = _shares(features[:, 0], self.centres) <= FLOOR * self.shares
        was = critic.training
        critic.eval()
        told = {
            "KID_val": float(np.mean(distances)),
            "mode_drop_val": float(missing[self.shares > 0].mean()),
            **self._critic(critic, fake),
        }
        critic.train(was)
        return told

    def _critic(self, critic: Critic, fake: torch.Tensor) -> Mapping[str, float]:
        real = critic(self.held.x, self.held.c).double()
        made = critic(fake, self.conditions).double()
        seen = critic(self.seen.x, self.seen.c).double()
        mean, error = real.mean().item(), (real.std().item() / len(real) ** 0.5 if len(real) > 1 else 0.0)
        before, self._mean = self._mean, mean
        reach = (seen.mean() - made.mean()).item()
        return {
            "critic_accuracy": (real[:, None] > made[None, :]).double().mean().item(),
            "critic_drift": 0.0 if before is None or error == 0.0 else (mean - before) / error,
            "critic_overfit": 0.0 if reach == 0.0 else (seen.mean() - real.mean()).item() / reach,
            "real_fake_gap": mean - made.mean().item(),
        }


def _some(records: Records, seed: int, place: int) -> Records:
    """At most `LARGEST` of `records`, in their order."""
    if len(records) <= LARGEST:
        return records
    chosen = generator(seed, Stream.VALIDATE, 1, place).choice(len(records), LARGEST, replace=False)
    return records.take(torch.from_numpy(np.sort(chosen)))


def _centres(features: F64, seed: int) -> F64:
    """The centres of up to `MODES` clusters of `features`: k-means, started as Arthur and Vassilvitskii (2007) do."""
    rng = generator(seed, Stream.VALIDATE, 2)
    centres = features[[int(rng.integers(len(features)))]]
    while len(centres) < MODES:
        far = _squares(features, centres).min(1)
        if not far.sum() > 0:
            break
        centres = np.concatenate([centres, features[[int(rng.choice(len(features), p=far / far.sum()))]]])
    for _ in range(_ROUNDS):
        nearest = _squares(features, centres).argmin(1)
        centres = np.stack(
            [features[nearest == k].mean(0) if (nearest == k).any() else c for k, c in enumerate(centres)]
        )
    return centres


def _shares(features: F64, centres: F64) -> F64:
    counts = np.bincount(_squares(features, centres).argmin(1), minlength=len(centres))
    return np.asarray(counts / len(features))


def _squares(features: F64, centres: F64) -> F64:
    return np.asarray(np.square(features[:, None] - centres[None]).sum(2))
