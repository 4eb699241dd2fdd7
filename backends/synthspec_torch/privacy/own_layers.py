"""The books of this package's own layers (`synthspec_torch.layers`)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from synthspec_torch.layers import Apart, Offset
from synthspec_torch.privacy.layers import LayerBook, SmallBook, Use, parts_of, square


def offset_book(layer: Offset, uses: Sequence[Use], records: int) -> LayerBook:
    """What is told back is the gradient, summed over all rows of a record."""
    shape = layer.weight.shape
    each = [use.told if use.told.shape == (records, *shape) else use.told.reshape(records, -1, *shape).sum(1)
            for use in uses]  # fmt: skip
    return SmallBook([each[0] if len(each) == 1 else torch.stack(each).sum(0)])


class ApartBook(LayerBook):
    """Weights [J, I, O] of which block j of a record uses the j-th alone: the blocks' gradients have norms of their own."""

    def __init__(self, layer: Apart, uses: Sequence[Use], records: int) -> None:
        blocks, into, out = layer.weight.shape
        self._seen = _stacked([use.seen for use in uses], records, blocks, into)
        self._told = _stacked([use.told for use in uses], records, blocks, out)

    def square_norms(self) -> torch.Tensor:
        seen, told = self._seen, self._told
        if seen.shape[1] == 1:
            return (seen.square().sum(3) * told.square().sum(3)).sum((1, 2))
        size = seen.shape[2] * seen.shape[3] * told.shape[3]
        each = [torch.einsum("ntji,ntjo->njio", seen[part], told[part]) for part in parts_of(len(seen), size)]
        return torch.cat([square(gradients) for gradients in each])

    def add(self, weights: torch.Tensor, totals: Sequence[torch.Tensor]) -> None:
        totals[0].add_(torch.einsum("ntji,ntjo->jio", self._seen * weights.view(-1, 1, 1, 1), self._told))


def _stacked(parts: Sequence[torch.Tensor], records: int, blocks: int, width: int) -> torch.Tensor:
    """All rows of each record over all uses, [n, T, J, width]."""
    rows = [part.reshape(records, -1, blocks, width) for part in parts]
    return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)
