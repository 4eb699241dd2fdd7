"""What a flow brings to the training loop: the negative log-likelihood of dequantised records (S405-3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

from synthspec.backend.draws import Stream
from synthspec_torch.data.table import F64
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.privacy.gradients import Batch
from synthspec_torch.privacy.stream import RecordDraws
from synthspec_torch.privacy.training import RecordLearner
from synthspec_torch.training.learner import Learner
from synthspec_torch.training.seeding import torch_generator

REPEATS = 4
"""How often each val row is dequantised in a validation."""
CHUNK = 1024
"""Records of one forward pass outside training."""
TREND = 10
"""Evaluations that `bpd_trend` looks back on."""


@dataclass(frozen=True, slots=True)
class Records:
    """Standardised contents at the centres of their cells [n, d], and contexts [n, width]; of one dtype."""

    x: torch.Tensor
    c: torch.Tensor

    @classmethod
    def of(cls, x: F64, c: F64, dtype: torch.dtype = torch.float32) -> Records:
        return cls(torch.from_numpy(np.ascontiguousarray(x)).to(dtype), torch.from_numpy(c).to(dtype))

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: torch.Tensor) -> Records:
        return Records(self.x[rows], self.c[rows])


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of the standardised numbers, and what turns nats of theirs into bits of the data."""

    size: torch.Tensor
    """[d]; 0 for a continuous number."""
    nats: float
    """What is added to the NLL of a record (`TableCodec.nats_in_units`)."""

    @property
    def quantised(self) -> bool:
        """Whether any number is spread over a cell."""
        return bool((self.size > 0).any())

    def spread(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Uniform dequantisation: x [n, d] moved to a place in its cells."""
        if not self.quantised:
            return x
        return x + self.size.to(x.dtype) * (torch.rand(x.shape, generator=generator, dtype=x.dtype) - 0.5)

    def bits(self, nats: float) -> float:
        """The mean NLL of standardised records, in nats, as bits per dimension of the data."""
        return (nats + self.nats) / (len(self.size) * math.log(2.0))


class FlowLearner(Learner, RecordLearner):
    """Minimises -log p(x | c) / d, in nats per dimension of the standardised records."""

    criterion = "bpd_val"

    def __init__(self, flow: FlowNetwork, cells: Cells, train: Records, val: Records, seed: int) -> None:
        self.flow, self.cells, self.train = flow, cells, train
        self._draws = torch_generator(seed, Stream.TRAIN)
        repeated = val.take(torch.arange(len(val)).repeat(REPEATS if cells.quantised else 1))
        spread = cells.spread(repeated.x, torch_generator(seed, Stream.VALIDATE))
        self._frozen = Records(spread, repeated.c)
        self._last = math.nan
        self._course: list[float] = []

    @property
    def network(self) -> nn.Module:
        return self.flow

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss on the train rows `rows`, dequantised anew."""
        records = self.train.take(rows)
        loss = -self.flow.log_prob(self.cells.spread(records.x, self._draws), records.c).mean() / self.flow.width
        self._last = loss.item()
        return loss

    def drawn(self, rows: torch.Tensor, draws: RecordDraws) -> Batch:
        """Contents, dequantised, and contexts."""
        records = self.train.take(rows)
        if not self.cells.quantised:
            return records.x, records.c
        return records.x + self.cells.size.to(records.x.dtype) * (draws.uniform(records.x.shape[1]) - 0.5), records.c

    def record_losses(self, batch: Batch) -> torch.Tensor:
        """-log p(x | c) / d of each record."""
        x, c = batch
        return -self.flow.log_prob(x, c) / self.flow.width

    def position(self) -> Mapping[str, Any]:
        """The draws, and the evaluations that the trend looks back on."""
        return {"draws": self._draws.get_state(), "course": self._course}

    def go_on(self, position: Mapping[str, Any]) -> None:
        self._draws.set_state(position["draws"])
        self._course = position["course"]

    def observed(self) -> Mapping[str, float]:
        """`bpd` of the batch."""
        return {"bpd": self.cells.bits(self._last * self.flow.width)}

    def start_at(self, rows: torch.Tensor) -> None:
        """Set the act-norms by the train rows `rows`."""
        records = self.train.take(rows)
        self.flow.start_at(self.cells.spread(records.x, self._draws), records.c)

    @torch.inference_mode()
    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """`loss_val` and `bpd_val` from frozen draws, `bpd_trend`, the slope of the latter per evaluation, `logdet_extreme`."""
        if not isinstance(network, FlowNetwork):
            raise TypeError("this learner validates flows")
        parts = zip(torch.split(self._frozen.x, CHUNK), torch.split(self._frozen.c, CHUNK), strict=True)
        mapped = [network(x, c) for x, c in parts]
        nats = -torch.cat([network.base.log_prob(z) + logdet for z, logdet in mapped]).double().mean().item()
        bits = self.cells.bits(nats)
        self._course = [*self._course, bits][-TREND:]
        return {
            "loss_val": nats / network.width,
            "bpd_val": bits,
            "bpd_trend": slope(self._course),
            "logdet_extreme": torch.cat([logdet for _, logdet in mapped]).abs().max().item(),
        }


def slope(values: Sequence[float]) -> float:
    """The median slope over all pairs of evenly spaced `values` (Theil 1950, Sen 1968); 0 for fewer than two.

    >>> slope([3.0, 2.0, 1.0, 9.0])
    0.5
    """
    pairs = [(values[j] - values[i]) / (j - i) for i in range(len(values)) for j in range(i + 1, len(values))]
    return median(pairs) if pairs else 0.0
