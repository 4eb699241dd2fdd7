"""The autoregressive flow of a table of mixed types: one monotone map a column given the columns before it.

Column j is put into cells (`synthspec_torch.data.cells`); a network gives the shares of the cells from the cells of the
columns before it and the context c. The map of a value to

    u_j = P(cells before its own | x_<j, c) + P(its cell | x_<j, c) * place

is piecewise linear and monotone along the cells (Mueller et al. 2019), so u is uniform where the shares are right, and

    ln p(x | c) = sum_j ln P(cell_j | x_<j, c) - log_volume(cell_j)

is exact, of masses where a column has them and of a density per unit elsewhere. It needs one pass to be trained and D
sequential steps to be drawn from; in both, each column's network is evaluated once a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import torch
from torch import nn

from synthspec_torch.data.cells import F64
from synthspec_torch.data.mixed import Cells, Uniform
from synthspec_torch.flow.mixed import MixedRecords, TableNetwork
from synthspec_torch.layers import Offset
from synthspec_torch.privacy.gradients import Batch

DROPOUT = 0.1
"""Share of the embedded numbers that are left out in a training step."""
_OPEN = 2.0**-53


class Conditioner(nn.Module):
    """The logits of one column's cells: a sum of embedded cells and of the context, residual layers, a head."""

    def __init__(self, known: int, context: int, hidden: tuple[int, ...], levels: int, dropout: float) -> None:
        """`known`: cells of all the columns before this one; `dropout`: the share that is left out in training."""
        super().__init__()
        self.seen = nn.EmbeddingBag(known, hidden[0], mode="sum") if known else None
        self.told = nn.Linear(context, hidden[0]) if context else None
        self.bias = Offset(torch.zeros(hidden[0]))
        self.norms = nn.ModuleList([nn.LayerNorm(width) for width in hidden])
        self.layers = nn.ModuleList([nn.Linear(into, out) for into, out in pairwise(hidden)])
        self.head = nn.Linear(hidden[-1], levels)
        self.dropout = nn.Dropout(dropout)
        if self.seen is not None:
            nn.init.normal_(self.seen.weight, std=0.3)

    def forward(self, codes: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Logits [n, levels] given the numbered cells before, int64 [n, columns before], under c [n, context]."""
        h: torch.Tensor = self.bias(self.bias.weight.new_zeros(len(codes), len(self.bias.weight)))
        if self.told is not None:
            h = h + self.told(c)
        if self.seen is not None:
            h = h + self.seen(codes)
        h = self.dropout(nn.functional.silu(self.norms[0](h)))
        for layer, norm in zip(self.layers, list(self.norms)[1:], strict=True):
            out = nn.functional.silu(norm(layer(h)))
            h = h + out if out.shape == h.shape else out
        logits: torch.Tensor = self.head(h)
        return logits


class CellNetwork(TableNetwork):
    """The conditioners of all columns, in the order of the schema."""

    def __init__(
        self, levels: tuple[int, ...], context: int, hidden: tuple[int, ...], dropout: float = DROPOUT
    ) -> None:  # fmt: skip
        """Draws from the global generator."""
        super().__init__()
        starts = [0, *accumulate(levels)]
        self.starts = starts[:-1]
        parts = [
            Conditioner(start, context, hidden, count, dropout) for start, count in zip(starts, levels, strict=False)
        ]
        self.conditioners: Sequence[Conditioner] = parts
        self.columns = nn.ModuleList(parts)

    @torch.no_grad()
    def start_at(self, shares: Sequence[F64]) -> None:
        """Let the heads begin at the `shares` of their cells: of train rows, so that what none of them has seen is not as
        likely as the rest; of the uniform law where the cells come from the SRef alone.
        """
        for conditioner, own in zip(self.conditioners, shares, strict=True):
            conditioner.head.bias.copy_(torch.from_numpy(np.log(own)))

    def shown(self, records: MixedRecords, uniform: Uniform) -> Batch:
        """Cells and contexts: nothing is dequantised."""
        del uniform
        return records.codes, records.c

    def masses_of(self, shown: Batch) -> torch.Tensor:
        codes, c = shown
        numbered = self._numbered(codes)
        # ln P(cell_j | cells before, c) of each column.
        each = [
            -nn.functional.cross_entropy(conditioner(numbered[:, :j], c), codes[:, j], reduction="none")
            for j, conditioner in enumerate(self.conditioners)
        ]
        return torch.stack(each, 1).sum(1)

    def _numbered(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes with the cells of all columns in one row."""
        return codes + torch.tensor(self.starts)

    def to_base(self, records: MixedRecords) -> F64:
        numbered = self._numbered(records.codes)
        columns = []
        for j, conditioner in enumerate(self.conditioners):
            mass, upper = _masses(conditioner(numbered[:, :j], records.c))
            own = records.codes[:, j, None]
            end = upper.gather(1, own)
            start = torch.where(own > 0, upper.gather(1, (own - 1).clamp(min=0)), 0.0)
            at = end - mass.gather(1, own) * (1.0 - records.places[:, j, None])
            columns.append(_within(at / upper[:, -1:], start, end, upper[:, -1:]))
        return torch.cat(columns, 1).numpy()

    def from_base(self, u: F64, c: torch.Tensor) -> Cells:
        numbered = torch.empty(u.shape, dtype=torch.int64)
        base, places = torch.from_numpy(u), torch.empty(u.shape, dtype=torch.float64)
        for j, conditioner in enumerate(self.conditioners):
            mass, upper = _masses(conditioner(numbered[:, :j], c))
            wanted = base[:, j, None] * upper[:, -1:]
            code = (upper[:, :-1] <= wanted).sum(1, keepdim=True)
            own = mass.gather(1, code)
            places[:, j] = (1.0 - (upper.gather(1, code) - wanted) / own).clamp(0.0, 1.0 - _OPEN).squeeze(1)
            numbered[:, j] = code.squeeze(1) + self.starts[j]
        return Cells((numbered - torch.tensor(self.starts)).numpy(), places.numpy())

    @property
    def passes(self) -> int:
        """Sequential steps of a draw; the networks of all columns together are evaluated once."""
        return len(self.conditioners)


def _masses(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Masses of cells [n, levels] and their running sums, in float64: u near 1 has to find its place."""
    mass = logits.double().softmax(1)
    return mass, mass.cumsum(1)


def _within(u: torch.Tensor, start: torch.Tensor, end: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
    """`u` moved by the last digits that rounding took, so that u * total is in [start, end) where a number is.

    Codes do not ascend with values, so a value at the edge of its cell that comes back beside it may come back anywhere.
    """
    for _ in range(2):
        u = torch.where(u * total < start, torch.nextafter(u, torch.ones_like(u)), u)
        u = torch.where((u * total >= end) & (end > start), torch.nextafter(u, torch.zeros_like(u)), u)
    return u
