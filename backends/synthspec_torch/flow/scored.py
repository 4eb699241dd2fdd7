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
from synthspec_torch.data.mixed import Cells, MixedCodec, Uniform
from synthspec_torch.flow.mixed import MixedRecords, TableNetwork
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.privacy.gradients import Batch

_OPEN = 1e-15


class ScoredNetwork(TableNetwork):
    """`flow` over the scores of `codec`."""

    def __init__(self, flow: FlowNetwork, codec: MixedCodec) -> None:
        super().__init__()
        self.flow = flow
        self.codec = codec

    def shown(self, records: MixedRecords, uniform: Uniform) -> Batch:
        """Scores, the slope of the data less the volume of the cell, which is taken off outside, and contexts."""
        cells = self.codec.spread_at(records.cells, uniform(records.places.shape))
        z = self.codec.scores(cells)
        slope = self.codec.log_slope(cells, z) + self.codec.log_volume(cells)
        dtype = records.c.dtype
        return torch.from_numpy(z).to(dtype), torch.from_numpy(slope).to(dtype), records.c

    def masses_of(self, shown: Batch) -> torch.Tensor:
        z, slope, c = shown
        return self.flow.log_prob(z, c) + slope

    def to_base(self, records: MixedRecords) -> F64:
        z = torch.from_numpy(self.codec.scores(records.cells)).to(records.c.dtype)
        return np.asarray(ndtr(self.flow(z, records.c)[0].double().numpy()))

    def from_base(self, u: F64, c: torch.Tensor) -> Cells:
        z = torch.from_numpy(ndtri(np.clip(u, _OPEN, 1.0 - _OPEN))).to(c.dtype)
        return self.codec.from_scores(self.flow.inverse(z, c).double().numpy())

    @property
    def passes(self) -> int:
        return len(self.flow.steps)
