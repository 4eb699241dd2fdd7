"""Couplings on tables of mixed types: a flow over the scores of columns, each value spread over its interval of them.

Scores are normal quantiles of where a value stands among the train shares (`synthspec_torch.data.mixed`), so missing
values, categories and spikes are intervals of the line; uniform dequantisation within them gives a bound of ln P, and
every slope on the way is counted: ln P(cells) >= E ln p_z(z) + sum_j ln share_j - ln phi(z_j).
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import ndtr, ndtri

from synthspec_torch.data.cells import F64
from synthspec_torch.data.mixed import Cells, MixedCodec
from synthspec_torch.flow.mixed import MixedRecords, TableNetwork
from synthspec_torch.flow.network import FlowNetwork

_OPEN = 1e-15


class ScoredNetwork(TableNetwork):
    """`flow` over the scores of `codec`."""

    def __init__(self, flow: FlowNetwork, codec: MixedCodec) -> None:
        super().__init__()
        self.flow = flow
        self.codec = codec

    def log_masses(self, records: MixedRecords, rng: np.random.Generator) -> torch.Tensor:
        cells = self.codec.spread(records.cells, rng)
        z = self.codec.scores(cells)
        # The slope of the data less the volume of the cell, which is taken off outside.
        slope = self.codec.log_slope(cells, z) + self.codec.log_volume(cells)
        dtype = records.c.dtype
        nats = self.flow.log_prob(torch.from_numpy(z).to(dtype), records.c)
        return nats + torch.from_numpy(slope).to(dtype)

    def to_base(self, records: MixedRecords) -> F64:
        z = torch.from_numpy(self.codec.scores(records.cells)).to(records.c.dtype)
        return np.asarray(ndtr(self.flow(z, records.c)[0].double().numpy()))

    def from_base(self, u: F64, c: torch.Tensor) -> Cells:
        z = torch.from_numpy(ndtri(np.clip(u, _OPEN, 1.0 - _OPEN))).to(c.dtype)
        return self.codec.from_scores(self.flow.inverse(z, c).double().numpy())

    @property
    def passes(self) -> int:
        return len(self.flow.steps)
