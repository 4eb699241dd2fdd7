"""Laws of few parameters for columns whose cells come from the SRef alone (``bounds: sref``).

A number v of range [lo, hi] stands at t = (v - lo) / (hi - lo), and ln(t / (1 - t)) has a logistic law. Location 0 and scale
1 are the uniform law of the range, and on the log-odds values that fill a hundredth of their range are no further away
than those that fill it. Under a mechanism every parameter gets the same noise, so two that say much of a column are reached
in a few hundred steps where the masses of its cells are not. Members of enums and truth values have a mass each; what is
missing has one beside the law of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy, logsigmoid

from synthspec_torch.data.cells import CellColumn
from synthspec_torch.vae.likelihoods import Likelihood

BINS = 1024
"""Runs of a number: so many that its law is told from one without steps by nothing but their count."""
GAIN = 4.0
"""What an output stands for, on the log-odds and of a log-scale: the way to a narrow law is short for an optimiser."""
LOG_SCALE = 5.0
"""Bound of the log-scale, on either side of the uniform law's."""
_FAR = 1e5
"""The log-odds of the ends of a range: any law has its mass within."""
_SEEN = 12.0
"""The log-odds at which an encoder sees what lies at the ends of a range."""
_OPEN = 2.0**-24


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """What the outputs of a decoder are for one column: masses of its cells, or (location, log-scale, odds of a gap)."""

    levels: int
    nullable: bool
    ends: torch.Tensor | None
    """Log-odds of the ends of the cells, float64 [cells + 1]; None where cells have masses."""

    @classmethod
    def of(cls, column: CellColumn) -> Span:
        """The span of a `column` that `partition.declared` made."""
        if column.unordered or column.field.enum:
            return cls(column.levels, column.field.nullable, None)
        edges = column.edges.astype(np.float64) if column.runs else np.arange(len(column.atoms) + 1.0)
        inner = (edges[1:-1] - edges[0]) / (edges[-1] - edges[0])
        ends = np.concatenate([[-_FAR], np.log(inner) - np.log1p(-inner), [_FAR]])
        return cls(column.levels, column.field.nullable, torch.from_numpy(ends))

    @property
    def parameters(self) -> int:
        return self.levels if self.ends is None else 2 + self.nullable

    def log_mass(self, out: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Log-probability of the cells `codes` [n] under the outputs [n, parameters], nat."""
        if self.ends is None:
            return -cross_entropy(out, codes, reduction="none")
        low, high = self._standard(out, codes)
        # F(high) - F(low) of a logistic law, without a difference of numbers that are almost the same.
        mass = (logsigmoid(high) + logsigmoid(-low) + torch.log(-torch.expm1(low - high))).to(out.dtype)
        if not self.nullable:
            return mass
        gap = out[:, 2]
        return torch.where(self._absent(codes), logsigmoid(gap), mass + logsigmoid(-gap))

    def draw(self, out: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Code plus place at the quantiles `u` [n] in (0, 1); float64 [n]."""
        u = u.double()
        if self.ends is None:
            return draw_masses(out.double(), u)
        gap = torch.sigmoid(out[:, 2].double()) if self.nullable else torch.zeros_like(u)
        inside = ((u - gap) / (1.0 - gap)).clamp(_OPEN, 1.0 - _OPEN)
        loc, scale = _law(out)
        codes = torch.searchsorted(self.ends, (loc + scale * torch.logit(inside)).contiguous()) - 1
        codes = codes.clamp(0, len(self.ends) - 2)
        low, high = (torch.sigmoid((self.ends[codes + side] - loc) / scale) for side in (0, 1))
        drawn = codes + ((inside - low) / (high - low)).clamp(0.0, 1.0 - _OPEN)
        return torch.where(u < gap, self.levels - 0.5, drawn)

    def residuals(self, out: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """How far the cells `codes` [n] lie from the law of the outputs, [n, parameters]: of order 1, bounded."""
        if self.ends is None:
            return torch.eye(self.levels, dtype=out.dtype)[codes] - out.softmax(1)
        low, high = self._standard(out, codes, _SEEN)
        off = (0.5 * (low + high)).to(out.dtype)
        seen = torch.stack([off.clamp(-4.0, 4.0) / 1.8, torch.tanh(0.5 * off)], 1)
        if not self.nullable:
            return seen
        gap = self._absent(codes)[:, None]
        return torch.cat([torch.where(gap, 0.0, seen), gap.to(out.dtype) - torch.sigmoid(out[:, 2:])], 1)

    def _standard(self, out: torch.Tensor, codes: torch.Tensor, far: float = _FAR) -> tuple[torch.Tensor, torch.Tensor]:
        """The ends of the cells `codes`, less the location, over the scale; both float64 [n]."""
        if self.ends is None:
            raise TypeError("members have no place on a line")
        ends = self.ends.clamp(-far, far)
        codes = codes.clamp(max=len(ends) - 2)
        loc, scale = _law(out)
        low, high = ((ends[codes + side] - loc) / scale for side in (0, 1))
        return low, high

    def _absent(self, codes: torch.Tensor) -> torch.Tensor:
        return codes == self.levels - 1


def _law(out: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Location and scale on the log-odds, float64 [n]."""
    wide = out.double()
    return GAIN * wide[:, 0], torch.exp(LOG_SCALE * torch.tanh(wide[:, 1] * (GAIN / LOG_SCALE)))


def draw_masses(logits: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """Code plus place at the quantiles `u` [n] in (0, 1) along cells of these masses [n, levels]; float64 [n]."""
    mass = logits.softmax(1)
    upper = mass.cumsum(1)
    wanted = u[:, None] * upper[:, -1:]
    code = (upper[:, :-1] <= wanted).sum(1, keepdim=True)
    over = (upper.gather(1, code) - wanted) / mass.gather(1, code)
    return (code + (1.0 - over).double().clamp_(0.0, 1.0 - _OPEN)).squeeze(1)


class Spanned(Likelihood):
    """The columns of a table, each with the law of its span; parameters column after column."""

    def __init__(self, columns: Sequence[CellColumn]) -> None:
        self.spans = tuple(Span.of(column) for column in columns)
        self.parameters = sum(span.parameters for span in self.spans)

    def parts(self, out: torch.Tensor) -> Iterator[tuple[Span, torch.Tensor]]:
        """Each span with its outputs, of all of them [n, parameters]."""
        return zip(self.spans, torch.split(out, [span.parameters for span in self.spans], dim=1), strict=True)

    def log_prob(self, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Log-probability of each column and, last, less the log-volume: out [n, parameters], x [n, D + 1], both in nat."""
        codes = x[:, :-1].long()
        each = [span.log_mass(part, codes[:, j]) for j, (span, part) in enumerate(self.parts(out))]
        return torch.stack([*each, -x[:, -1]], 1)

    def mean(self, out: torch.Tensor) -> torch.Tensor:
        del out
        raise TypeError("columns of mixed types have no mean")

    def draw(self, out: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Code plus place of each column at the quantiles u [n, D] along its cells; [n, D], float64."""
        return torch.stack([span.draw(part, u[:, j]) for j, (span, part) in enumerate(self.parts(out))], 1)
