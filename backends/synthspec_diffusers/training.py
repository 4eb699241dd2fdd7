"""What diffusion brings to the training loop: L_simple (S405-4) on a head, and its validation from frozen draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from synthspec.backend.draws import Stream
from synthspec_diffusers.choices import Choices
from synthspec_diffusers.heads import Head, Weighting, larger, shown, target, weight
from synthspec_diffusers.schedule import Process
from synthspec_torch.data.given import dropped
from synthspec_torch.data.mixed import Uniform
from synthspec_torch.privacy.gradients import Batch
from synthspec_torch.privacy.stream import RecordDraws
from synthspec_torch.privacy.training import RecordLearner
from synthspec_torch.training.learner import Learner
from synthspec_torch.training.seeding import torch_generator

REPEATS = 2
"""How often each val row is noised in a validation."""
CHUNK = 256
"""Images of one forward pass in a validation."""
CHUNK_NUMBERS = 2**18
"""Numbers of one forward pass in a validation, where records are small."""


Placed = Callable[[torch.Tensor, Uniform], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Records:
    """Contents as networks see them, float32 [n, ...], or as they are held until they are placed; their conditions [n, ...].

    Without conditions `given` is None.
    """

    x0: torch.Tensor
    given: torch.Tensor | None

    def __len__(self) -> int:
        return len(self.x0)

    def take(self, rows: torch.Tensor) -> Records:
        return Records(self.x0[rows], None if self.given is None else self.given[rows])


@dataclass(frozen=True, slots=True)
class Noised:
    """Noised contents as the network is shown them, and what a head should say about them."""

    x: torch.Tensor
    times: torch.Tensor
    given: torch.Tensor | None
    target: torch.Tensor
    weight: torch.Tensor | None
    """[n], the factor on the squared error; None is 1."""
    choices: NoisedChoices | None = None

    def rows(self, rows: slice) -> Noised:
        """Some of the records."""
        return Noised(
            self.x[rows],
            self.times[rows],
            None if self.given is None else self.given[rows],
            self.target[rows],
            None if self.weight is None else self.weight[rows],
            None if self.choices is None else self.choices.rows(rows),
        )


@dataclass(frozen=True, slots=True)
class NoisedChoices:
    """What choices are estimated from: the noised vectors, the vectors themselves, a / s^2, and the scale of errors."""

    x: torch.Tensor
    x0: torch.Tensor
    told: torch.Tensor
    scale: torch.Tensor
    """[n, 1]: an error of the head for one of x_0."""

    def rows(self, rows: slice) -> NoisedChoices:
        return NoisedChoices(self.x[rows], self.x0[rows], self.told[rows], self.scale[rows])


@dataclass(frozen=True, slots=True)
class Corruption:
    """x_t = a x_0 + s eps as tensors, at quantiles of the noise level given per record."""

    process: Process
    head: Head
    weighting: Weighting | None = None
    sigma_data: float = 1.0
    choices: Choices | None = None
    """The one-hot blocks of a table."""

    def __call__(self, records: Records, u: torch.Tensor, eps: torch.Tensor) -> Noised:
        marks = self.process.at(u)
        shape = (-1, *(1,) * (records.x0.dim() - 1))
        a, s = marks.a.view(shape), marks.s.view(shape)
        x = a * records.x0 + s * eps
        beside = None
        if self.choices is not None:
            scale = larger(self.head, a, s, self.sigma_data).sqrt()
            beside = NoisedChoices(x, records.x0, a / s**2, scale)
        x = shown(self.head, x, s, self.sigma_data)
        wanted = target(self.head, records.x0, eps, a, s, self.sigma_data)
        factor = weight(self.weighting, self.head, marks.a, marks.s, self.sigma_data)
        return Noised(x, marks.times, records.given, wanted, factor, beside)

    def squared(self, noised: Noised, out: torch.Tensor) -> torch.Tensor:
        """The squared error of the head, [n, ...]; that of a choice is of its posterior mean."""
        error = out - noised.target
        beside = noised.choices
        if self.choices is not None and beside is not None:
            settled = self.choices.settle(beside.x0 + error / beside.scale, out, beside.x, beside.told)
            error = (settled - beside.x0) * beside.scale
        return error.square()


def _as_they_are(held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
    """Contents that are held as networks see them."""
    del uniform
    return held


def stratified(count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` numbers, each uniform on (0, 1), spread evenly over the batch: the same mean with less variance."""
    u = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
    return u.clamp(1e-6, 1.0 - 1e-6)


class DiffusionLearner(Learner, RecordLearner):
    """L_simple = E over t, x_0, eps of the weighted mean squared error of the head (S405-4)."""

    criterion = "loss_val"

    def __init__(
        self,
        network: nn.Module,
        corruption: Corruption,
        train: Records,
        val: Records,
        *,
        drop_rate: float,
        null: torch.Tensor | None,
        seed: int,
    ) -> None:
        self.multiplicity = 1
        """Under a mechanism, draws of each record that are averaged before its clip."""
        self.placed: Placed = _as_they_are
        """Under a mechanism, what makes contents of what the records hold, by draws of each record's own."""
        self._network, self.corruption, self.train_records = network, corruption, train
        self.drop_rate, self.null = drop_rate, null
        self.draws = torch_generator(seed, Stream.TRAIN)
        self.levels, self.frozen = self._frozen(val, torch_generator(seed, Stream.VALIDATE))

    @property
    def network(self) -> nn.Module:
        return self._network

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss on the train rows `rows`; a share `drop_rate` of them is shown without its condition."""
        records = self.train_records.take(rows)
        u = stratified(len(rows), self.draws)
        noised = self.corruption(records, u, torch.randn(records.x0.shape, generator=self.draws))
        given = noised.given
        if given is not None and self.null is not None and self.drop_rate > 0:
            given = self._dropped(given, torch.rand(len(rows), generator=self.draws))
        out = self._network(noised.x, noised.times, given)
        squared = self.corruption.squared(noised, out)
        if noised.weight is None:
            return squared.mean()
        return (noised.weight * squared.flatten(1).mean(1)).mean()

    def position(self) -> Mapping[str, Any]:
        """The draws."""
        return {"draws": self.draws.get_state()}

    def go_on(self, position: Mapping[str, Any]) -> None:
        self.draws.set_state(position["draws"])

    def drawn(self, rows: torch.Tensor, draws: RecordDraws) -> Batch:
        """Each record `multiplicity` times over, [n, K, ...]: as shown to the network, its target, factor, choices and
        condition.
        """
        records, many = self.train_records.take(rows), self.multiplicity
        x0 = self.placed(records.x0, draws.places)
        u = draws.uniform(many).flatten().clamp(1e-6, 1.0 - 1e-6)
        eps = draws.normal(many, *x0.shape[1:]).flatten(0, 1)
        repeated = Records(x0, records.given).take(torch.arange(len(rows)).repeat_interleave(many))
        noised = self.corruption(repeated, u, eps)
        factor = torch.ones(len(u)) if noised.weight is None else noised.weight
        parts = [noised.x, noised.times, noised.target, factor]
        if (beside := noised.choices) is not None:
            parts += [beside.x, beside.x0, beside.told, beside.scale]
        if noised.given is not None:
            parts.append(self._dropped(noised.given, draws.uniform(many).flatten()))
        return tuple(torch.unflatten(part, 0, (len(rows), many)) for part in parts)

    def record_losses(self, batch: Batch) -> torch.Tensor:
        """The weighted squared error of each record, the mean over its draws: one gradient, and one clip (DPDM)."""
        x, times, wanted, factor, *more = (part.flatten(0, 1) for part in batch)
        beside = None
        if self.corruption.choices is not None:
            beside, more = NoisedChoices(*more[:4]), more[4:]
        noised = Noised(x, times, more[0] if more else None, wanted, factor, beside)
        squared = self.corruption.squared(noised, self._network(x, times, noised.given))
        return (factor * squared.flatten(1).mean(1)).view(-1, self.multiplicity).mean(1)

    def _dropped(self, given: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Conditions `given` without those whose number in `u` [n] lies below the drop rate."""
        if self.null is None or self.drop_rate <= 0:
            return given
        return dropped(given, self.null, u, self.drop_rate)

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """`loss_val`, and `head_r2` = 1 - MSE / Var(target) over the middle third of t, from draws that the run shares.

        A head that has learned nothing stays at an R^2 of 0 or below, however good its loss looks.
        """
        errors = torch.cat([self._errors(network, rows) for rows in self._chunks()])
        middle = (self.levels >= 1 / 3) & (self.levels < 2 / 3)
        spread = self.frozen.target[middle].var(unbiased=False).item() if middle.any() else 0.0
        r2 = 1.0 - errors[middle].mean().item() / spread if spread > 0 else 0.0
        weighted = errors if self.frozen.weight is None else errors * self.frozen.weight
        return {"loss_val": weighted.mean().item(), "head_r2": r2}

    def _errors(self, network: nn.Module, rows: slice) -> torch.Tensor:
        noised = self.frozen.rows(rows)
        out = network(noised.x, noised.times, noised.given)
        return self.corruption.squared(noised, out).flatten(1).mean(1)

    def _chunks(self) -> list[slice]:
        count = len(self.frozen.x)
        each = max(CHUNK, CHUNK_NUMBERS // self.frozen.x[0].numel()) if self.frozen.x.dim() < 4 else CHUNK
        return [slice(start, start + each) for start in range(0, count, each)]

    def _frozen(self, val: Records, generator: torch.Generator) -> tuple[torch.Tensor, Noised]:
        repeated = val.take(torch.arange(len(val)).repeat(REPEATS))
        u = stratified(len(repeated), generator)
        return u, self.corruption(repeated, u, torch.randn(repeated.x0.shape, generator=generator))
