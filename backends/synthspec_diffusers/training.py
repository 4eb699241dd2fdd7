"""What diffusion brings to the training loop: L_simple (S405-4) on a head, and its validation from frozen draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from synthspec.backend.draws import Stream
from synthspec_diffusers.heads import Head, target
from synthspec_diffusers.network import Denoiser
from synthspec_diffusers.schedule import Levels
from synthspec_torch.training.loop import Learner
from synthspec_torch.training.seeding import torch_generator

REPEATS = 2
"""How often each val row is noised in a validation."""
CHUNK = 256
"""Records of one forward pass in a validation."""


@dataclass(frozen=True, slots=True)
class Images:
    """Contents in [-1, 1], float32 [n, C, H, W], with their labels, int64 [n], or None without conditions."""

    x0: torch.Tensor
    labels: torch.Tensor | None

    def __len__(self) -> int:
        return len(self.x0)

    def take(self, rows: torch.Tensor) -> Images:
        return Images(self.x0[rows], None if self.labels is None else self.labels[rows])


@dataclass(frozen=True, slots=True)
class Noised:
    """Noised contents and what a head should say about them."""

    x: torch.Tensor
    times: torch.Tensor
    labels: torch.Tensor | None
    target: torch.Tensor


class Corruption:
    """x_t = a_t x_0 + s_t eps as tensors, at times given per record."""

    def __init__(self, levels: Levels, head: Head) -> None:
        self.a = torch.from_numpy(levels.a).float()
        self.s = torch.from_numpy(levels.s).float()
        self.head: Head = head

    @property
    def times(self) -> int:
        return len(self.a)

    def __call__(self, images: Images, times: torch.Tensor, eps: torch.Tensor) -> Noised:
        shape = (-1, *(1,) * (images.x0.dim() - 1))
        a, s = self.a[times].view(shape), self.s[times].view(shape)
        return Noised(a * images.x0 + s * eps, times, images.labels, target(self.head, images.x0, eps, a, s))


def stratified(count: int, times: int, generator: torch.Generator) -> torch.Tensor:
    """`count` times, each uniform on 0..times - 1, spread evenly over the batch: the same mean with less variance."""
    u = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return (u * times).long().clamp_(max=times - 1)


class DiffusionLearner(Learner):
    """L_simple = E over t, x_0, eps of the mean squared error of the head, uniform in t (S405-4)."""

    criterion = "loss_val"

    def __init__(
        self,
        network: Denoiser,
        corruption: Corruption,
        train: Images,
        val: Images,
        *,
        drop_rate: float,
        null: int,
        seed: int,
    ) -> None:
        self._network, self.corruption, self.train_images = network, corruption, train
        self.drop_rate, self.null = drop_rate, null
        self.draws = torch_generator(seed, Stream.TRAIN)
        self.frozen = self._frozen(val, torch_generator(seed, Stream.VALIDATE))

    @property
    def network(self) -> nn.Module:
        return self._network

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss on the train rows `rows`; a share `drop_rate` of them is shown without its label."""
        images = self.train_images.take(rows)
        times = stratified(len(rows), self.corruption.times, self.draws)
        noised = self.corruption(images, times, torch.randn(images.x0.shape, generator=self.draws))
        labels = noised.labels
        if labels is not None and self.drop_rate > 0:
            dropped = torch.rand(len(rows), generator=self.draws) < self.drop_rate
            labels = torch.where(dropped, self.null, labels)
        return nn.functional.mse_loss(self._network(noised.x, noised.times, labels), noised.target)

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """`loss_val`, and `head_r2` = 1 - MSE / Var(target) over the middle third of t, from draws that the run shares.

        A head that has learned nothing stays at an R^2 of 0 or below, however good its loss looks.
        """
        errors = torch.cat([self._errors(network, rows) for rows in self._chunks()])
        middle = (self.frozen.times >= self.corruption.times / 3) & (self.frozen.times < self.corruption.times * 2 / 3)
        spread = self.frozen.target[middle].var(unbiased=False).item() if middle.any() else 0.0
        r2 = 1.0 - errors[middle].mean().item() / spread if spread > 0 else 0.0
        return {"loss_val": errors.mean().item(), "head_r2": r2}

    def _errors(self, network: nn.Module, rows: slice) -> torch.Tensor:
        labels = None if self.frozen.labels is None else self.frozen.labels[rows]
        out = network(self.frozen.x[rows], self.frozen.times[rows], labels)
        squared: torch.Tensor = (out - self.frozen.target[rows]).square()
        return squared.flatten(1).mean(1)

    def _chunks(self) -> list[slice]:
        count = len(self.frozen.x)
        return [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]

    def _frozen(self, val: Images, generator: torch.Generator) -> Noised:
        repeated = val.take(torch.arange(len(val)).repeat(REPEATS))
        times = stratified(len(repeated), self.corruption.times, generator)
        return self.corruption(repeated, times, torch.randn(repeated.x0.shape, generator=generator))
