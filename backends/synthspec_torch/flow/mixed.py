"""Tables of mixed types in flows: records as cells, what a network says of them, and what training needs (S405-3)."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from synthspec.backend.draws import Stream, generator
from synthspec_torch.data.cells import F64
from synthspec_torch.data.mixed import Cells, Uniform
from synthspec_torch.flow.training import TREND, slope
from synthspec_torch.privacy.gradients import Batch
from synthspec_torch.privacy.stream import RecordDraws
from synthspec_torch.privacy.training import RecordLearner
from synthspec_torch.training.learner import Learner

CHUNK = 4096
"""Records of one forward pass outside training."""


@dataclass(frozen=True, slots=True)
class MixedRecords:
    """Cells of records: codes int64 [n, D], places float64 [n, D], their log-volumes float64 [n], contexts [n, c]."""

    codes: torch.Tensor
    places: torch.Tensor
    volume: torch.Tensor
    c: torch.Tensor

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: torch.Tensor | slice) -> MixedRecords:
        return MixedRecords(self.codes[rows], self.places[rows], self.volume[rows], self.c[rows])

    def chunks(self) -> Iterator[MixedRecords]:
        for start in range(0, len(self), CHUNK):
            yield self.take(slice(start, start + CHUNK))

    @property
    def cells(self) -> Cells:
        return Cells(self.codes.numpy(), self.places.numpy())


class TableNetwork(nn.Module, ABC):
    """An invertible map between the cells of records and base numbers u in (0, 1), with its density."""

    @abstractmethod
    def shown(self, records: MixedRecords, uniform: Uniform) -> Batch:
        """What `masses_of` takes of each record; `uniform` dequantises, where that is needed."""

    @abstractmethod
    def masses_of(self, shown: Batch) -> torch.Tensor:
        """Ln P of the cells of each record, where places are uniform; [n]."""

    def log_masses(self, records: MixedRecords, rng: np.random.Generator) -> torch.Tensor:
        """`masses_of` what is `shown` of `records`, dequantised by `rng`."""
        return self.masses_of(self.shown(records, rng.random))

    @abstractmethod
    def to_base(self, records: MixedRecords) -> F64:
        """The base numbers of records; [n, D]."""

    @abstractmethod
    def from_base(self, u: F64, c: torch.Tensor) -> Cells:
        """The cells of base numbers [n, D] under contexts [n, c]: the inverse of `to_base`."""

    @property
    @abstractmethod
    def passes(self) -> int:
        """Sequential passes through conditioner networks of one draw."""


class MixedLearner(Learner, RecordLearner):
    """Minimises -ln p(x | c) / D, in nats per dimension."""

    criterion = "bpd_val"

    def __init__(self, network: TableNetwork, train: MixedRecords, val: MixedRecords, seed: int) -> None:
        self._network, self.train, self.val, self.seed = network, train, val, seed
        self._draws = generator(seed, Stream.TRAIN, 0)
        self._last = math.nan
        self._course: list[float] = []

    @property
    def network(self) -> nn.Module:
        return self._network

    @property
    def width(self) -> int:
        return self.train.codes.shape[1]

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss on the train rows `rows`."""
        records = self.train.take(rows)
        loss = (records.volume.float() - self._network.log_masses(records, self._draws)).mean() / self.width
        self._last = loss.item()
        return loss

    def drawn(self, rows: torch.Tensor, draws: RecordDraws) -> Batch:
        """Log-volumes, and what the network is shown, dequantised by draws of each record's own."""
        records = self.train.take(rows)
        shown = self._network.shown(records, draws.places)
        return (records.volume.float(), *shown)

    def record_losses(self, batch: Batch) -> torch.Tensor:
        """-ln p(x | c) / D of each record."""
        volume, *shown = batch
        return (volume - self._network.masses_of(tuple(shown))) / self.width

    def position(self) -> Mapping[str, Any]:
        """The draws, those of dropped layers among them, and the evaluations that the trend looks back on."""
        return {"draws": plain(self._draws), "dropped": torch.get_rng_state(), "course": self._course}

    def go_on(self, position: Mapping[str, Any]) -> None:
        self._draws.bit_generator.state = position["draws"]
        torch.set_rng_state(position["dropped"])
        self._course = position["course"]

    def observed(self) -> Mapping[str, float]:
        """`bpd` of the batch."""
        return {"bpd": self._last / math.log(2.0)}

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """`loss_val` and `bpd_val` from frozen draws, and `bpd_trend`, the slope of the latter per evaluation."""
        if not isinstance(network, TableNetwork):
            raise TypeError("this learner validates flows of tables")
        nats = -log_density(network, self.val, generator(self.seed, Stream.VALIDATE, 0)).mean().item() / self.width
        bits = nats / math.log(2.0)
        self._course = [*self._course, bits][-TREND:]
        return {"loss_val": nats, "bpd_val": bits, "bpd_trend": slope(self._course)}


def plain(rng: np.random.Generator) -> Mapping[str, Any]:
    """Where `rng` stands, in numbers and text; its bit generator takes it back."""
    state: Mapping[str, Any] = json.loads(json.dumps(rng.bit_generator.state, default=np.ndarray.tolist))
    return state


def log_density(network: TableNetwork, records: MixedRecords, rng: np.random.Generator) -> torch.Tensor:
    """Ln p(record | c) in the units of the SRef: masses of discrete columns, densities of continuous ones; [n]."""
    parts = [network.log_masses(part, rng).double() for part in records.chunks()]
    return torch.cat(parts) - records.volume
