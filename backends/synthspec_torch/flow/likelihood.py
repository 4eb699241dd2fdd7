"""The figures nll and bpd of a flow: S405-3 with dequantisation, and every log-determinant on the way counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from synthspec.backend.draws import Stream
from synthspec.ir.evidence import Figure, Split
from synthspec_torch.flow.engine import TrainedFlow
from synthspec_torch.flow.training import CHUNK, Records
from synthspec_torch.training.seeding import torch_generator

DRAWS = 20
"""Places in its cell at which the density of a quantised record is taken."""
Z95 = 1.6448536269514722
"""The one-sided 95 % quantile of the normal law."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The negative log-likelihood of each record in nats: float64 [draws, n], of the data in the units of the SRef."""

    nats: torch.Tensor
    standardised: float
    """What is added to `nats` to leave continuous numbers standardised."""
    width: int
    quantised: bool
    how: str = ""
    """What kind of likelihood it is, where that is neither of the plain two."""

    @classmethod
    @torch.inference_mode()
    def of(cls, flow: TrainedFlow, records: Records, seed: int) -> Likelihood:
        """The likelihood of `records`, from `DRAWS` dequantisations that depend on `seed` alone."""
        cells, rng = flow.cells, torch_generator(seed, Stream.VALIDATE)
        draws = [_nats(flow, cells.spread(records.x, rng), records.c) for _ in range(DRAWS if cells.quantised else 1)]
        nats = torch.stack(draws) + cells.nats
        return cls(nats, flow.content.nats_standardised - cells.nats, flow.network.width, cells.quantised)

    def figure(self, name: str, split: Split) -> Figure:
        """`nll` in nats a record or `bpd` in bits a dimension; where records are quantised, the bound of one draw (k = 1).

        u is the standard error over records.
        """
        factor = 1.0 if name == "nll" else 1.0 / (self.width * math.log(2.0))
        each = self.nats.mean(0) * factor
        value, n = each.mean().item(), each.shape[0]
        how = self.how or ("dequant=uniform,k=1" if self.quantised else "continuous")
        label = f"{name}[{how},units=SRef]"
        if not math.isfinite(value):
            return Figure(name=name, label=label, value=None, reason="a record has no finite likelihood", split=split)
        u = each.std().item() / math.sqrt(n) if n > 1 else None
        return Figure(
            name=name,
            label=label,
            value=value,
            # C40-512 states its limit as a plain number: bits per dimension, a ratio of two counts.
            unit="nat" if name == "nll" else "1",
            u=u,
            lower=None if u is None else value - Z95 * u,
            upper=None if u is None else value + Z95 * u,
            method="analytic",
            n_real=n,
            split=split,
            details=(
                ("standardised", value + self.standardised * factor),
                ("bound_of_all_draws", (self._tightest() * factor).mean().item()),
                ("draws", self.nats.shape[0]),
                ("dimensions", self.width),
                ("counted_in", "nat per record" if name == "nll" else "bit per dimension"),
            ),
        )

    def _tightest(self) -> torch.Tensor:
        """[n]: the importance-weighted bound of all draws together (Burda et al. 2016), never above their mean."""
        draws = math.log(self.nats.shape[0])
        return draws - torch.logsumexp(-self.nats, dim=0)


def _nats(flow: TrainedFlow, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    parts = zip(torch.split(x, CHUNK), torch.split(c, CHUNK), strict=True)
    return -torch.cat([flow.network.log_prob(*part) for part in parts]).double()
