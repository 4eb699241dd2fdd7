"""What each layer type adds to the norm of a record's gradient and to the clipped sum, from what it saw and was told back.

For a layer y = f(x; W) the gradient of one record is a product of its activations and of its output gradients. Its norm
is had without it where that is cheaper (Goodfellow 2015; Bu et al. 2023), exactly where not. All uses of a layer by one
record, and all its rows, are one gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

_KEPT = 1 << 20
"""Numbers of per-record gradients of one layer that are made at a time: what stays in a cache."""
_RUN = 256
"""Squares that are added one after another in float32: of a million, the sum comes out too small by one part in 20,000."""


@dataclass(frozen=True, slots=True)
class Use:
    """One call of a layer: its input, and the gradient of the summed losses with respect to its output."""

    seen: torch.Tensor
    told: torch.Tensor


class LayerBook(ABC):
    """The gradients of one layer, record by record, as far as they are needed."""

    @abstractmethod
    def square_norms(self) -> torch.Tensor:
        """The squared norm of each record's gradient over all parameters of the layer, [n]."""

    @abstractmethod
    def add(self, weights: torch.Tensor, totals: Sequence[torch.Tensor]) -> None:
        """Add the sum of the records' gradients, weighted by `weights` [n], to `totals`, one for each parameter."""


class LinearBook(LayerBook):
    """W [O, I] with its bias; masked by M where the layer multiplies W by it."""

    def __init__(self, layer: nn.Linear, uses: Sequence[Use], records: int) -> None:
        self._bias = layer.bias is not None
        mask = getattr(layer, "mask", None)
        self._mask: torch.Tensor | None = None if mask is None else mask.to(layer.weight.dtype)
        self._records = records
        # All rows of the first record, then all of the second.
        self._seen = _flat_rows([use.seen for use in uses], records, layer.in_features)
        self._told = _flat_rows([use.told for use in uses], records, layer.out_features)

    def square_norms(self) -> torch.Tensor:
        seen, told = self._seen, self._told
        if len(seen) > self._records:
            return self._of_many_rows()
        back = square(told)
        if self._mask is not None:
            own: torch.Tensor = ((told.square() @ self._mask) * seen.square()).sum(1)
            return own + back if self._bias else own
        return back.mul_(square(seen).add_(1.0) if self._bias else square(seen))

    def _of_many_rows(self) -> torch.Tensor:
        seen, told = (torch.unflatten(each, 0, (self._records, -1)) for each in (self._seen, self._told))
        rows = seen.shape[1]
        bias = square(told.sum(1)) if self._bias else 0.0
        if self._mask is None and 2 * rows * rows <= seen.shape[2] * told.shape[2]:
            # Products of products cancel: in float64, so that no norm comes out too small.
            wide_seen, wide_told = seen.double(), told.double()
            inner = torch.bmm(wide_seen, wide_seen.mT).mul_(torch.bmm(wide_told, wide_told.mT))
            return inner.sum((1, 2)).clamp_(min=0.0).to(seen.dtype) + bias
        parts = []
        for part in parts_of(len(seen), seen.shape[2] * told.shape[2]):
            each = torch.bmm(told[part].mT, seen[part])
            parts.append(square(each if self._mask is None else each.mul_(self._mask)))
        return torch.cat(parts) + bias

    def add(self, weights: torch.Tensor, totals: Sequence[torch.Tensor]) -> None:
        # Not in place: two layers whose outputs are added were told back one and the same tensor.
        seen, told, times = self._seen, self._told, len(self._seen) // self._records
        rows = weights.repeat_interleave(times) if times > 1 else weights
        if self._bias:
            totals[1].addmv_(told.mT, rows)
        if seen.shape[1] < told.shape[1]:
            seen = seen * rows[:, None]
        else:
            told = told * rows[:, None]
        if self._mask is None:
            totals[0].addmm_(told.mT, seen)
        else:
            totals[0].add_((told.mT @ seen).mul_(self._mask))


class SmallBook(LayerBook):
    """A layer with so few parameters that each record's gradient is simply made."""

    def __init__(self, gradients: Sequence[torch.Tensor]) -> None:
        """`gradients`: one for each parameter, [n, *shape]."""
        self._gradients = gradients

    def square_norms(self) -> torch.Tensor:
        return torch.stack([square(each) for each in self._gradients]).sum(0)

    def add(self, weights: torch.Tensor, totals: Sequence[torch.Tensor]) -> None:
        for each, total in zip(self._gradients, totals, strict=True):
            total.add_((weights @ each.flatten(1)).view(total.shape))


def norm_book(layer: nn.GroupNorm | nn.LayerNorm, uses: Sequence[Use], records: int) -> LayerBook:
    """The affine parameters of a norm: y = weight x_hat + bias, with x_hat computed again."""
    parts: list[list[torch.Tensor]] = []
    for use in uses:
        if isinstance(layer, nn.GroupNorm):
            hat = functional.group_norm(use.seen.contiguous(), layer.num_groups, eps=layer.eps)
            # Records of numbers alone have no places to add over.
            both = [each.flatten(2).sum(2) if each.dim() > 2 else each for each in (use.told * hat, use.told)]
        else:
            hat = functional.layer_norm(use.seen, layer.normalized_shape, eps=layer.eps)
            first = use.told.dim() - len(layer.normalized_shape)
            inner = tuple(range(1, first))
            both = [(use.told * hat).sum(inner), use.told.sum(inner)] if inner else [use.told * hat, use.told]
        parts.append(
            [each if len(each) == records else torch.unflatten(each, 0, (records, -1)).sum(1) for each in both]
        )
    sums = parts[0] if len(parts) == 1 else [torch.stack(each).sum(0) for each in zip(*parts, strict=True)]
    return SmallBook(sums[: len(list(layer.parameters(recurse=False)))])


class EmbeddingBook(LayerBook):
    """A table [V, D] of which a record reads a few rows."""

    def __init__(self, layer: nn.Embedding, uses: Sequence[Use], records: int) -> None:
        self._read = torch.cat([use.seen.reshape(records, -1) for use in uses], dim=1)
        self._told = _rows([use.told for use in uses], records, layer.embedding_dim)
        if layer.padding_idx is not None:
            self._told = self._told * (self._read != layer.padding_idx).unsqueeze(2)

    def square_norms(self) -> torch.Tensor:
        return _square_of_rows(self._read, self._told)

    def add(self, weights: torch.Tensor, totals: Sequence[torch.Tensor]) -> None:
        _add_rows(totals[0], self._read, self._told, weights)


class BagBook(LayerBook):
    """A table [V, D] of which a record reads a few rows and gets their sum."""

    def __init__(self, layer: nn.EmbeddingBag, uses: Sequence[Use], records: int) -> None:
        bags = [(use.seen.reshape(records, -1, use.seen.shape[1]), _rows([use.told], records, layer.embedding_dim))
                for use in uses]  # fmt: skip
        self._read = torch.cat([read.flatten(1) for read, _ in bags], dim=1)
        # Of one bag, every row that it reads is told the same: it is held once.
        self._one = len(bags) == 1 and bags[0][0].shape[1] == 1
        each = [told if self._one else told.repeat_interleave(read.shape[2], dim=1) for read, told in bags]
        self._told = each[0] if len(each) == 1 else torch.cat(each, dim=1)

    def square_norms(self) -> torch.Tensor:
        if not self._one:
            return _square_of_rows(self._read, self._told)
        same = self._read.unsqueeze(1) == self._read.unsqueeze(2)
        return square(self._told) * same.sum((1, 2))

    def add(self, weights: torch.Tensor, totals: Sequence[torch.Tensor]) -> None:
        if not self._one:
            _add_rows(totals[0], self._read, self._told, weights)
            return
        scaled = self._told[:, 0] * weights[:, None]
        for read in self._read.T:
            totals[0].index_add_(0, read, scaled)


def _square_of_rows(read: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """The squared norms of gradients that are `told` [n, T, D] at the rows `read` [n, T] of a table."""
    if read.shape[1] == 1:
        return square(told)
    wide = told.double()
    same = read.unsqueeze(1) == read.unsqueeze(2)
    return (torch.bmm(wide, wide.mT) * same).sum((1, 2)).clamp_(min=0.0).to(told.dtype)


def _add_rows(total: torch.Tensor, read: torch.Tensor, told: torch.Tensor, weights: torch.Tensor) -> None:
    scaled = told * weights.view(-1, 1, 1)
    total.index_add_(0, read.flatten(), scaled.flatten(0, 1).to(total.dtype))


def square(each: torch.Tensor) -> torch.Tensor:
    """The squared norm of each record, [n]."""
    flat = each if each.dim() == 2 else each.flatten(1)
    whole = flat.shape[1] // _RUN
    if whole <= 1:
        return _short_square(flat)
    runs = _short_square(torch.unflatten(flat[:, : whole * _RUN], 1, (whole, _RUN))).sum(1)
    return runs.add_(_short_square(flat[:, whole * _RUN :]))


def _short_square(each: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = torch.linalg.vector_norm(each, dim=-1).square_()
    return found


def _rows(parts: Sequence[torch.Tensor], records: int, width: int) -> torch.Tensor:
    """All rows of each record, over all uses, [n, T, width]."""
    rows = [part.reshape(records, -1, width) for part in parts]
    return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)


def _flat_rows(parts: Sequence[torch.Tensor], records: int, width: int) -> torch.Tensor:
    """The same as one matrix, [n T, width]: a layer that is used once, row by row, saw it so already."""
    first = parts[0]
    return first if len(parts) == 1 and first.dim() == 2 else _rows(parts, records, width).flatten(0, 1)


def parts_of(records: int, each: int) -> list[slice]:
    """Runs of records of which `each` numbers fit at a time."""
    step = max(1, _KEPT // max(1, each))
    return [slice(start, min(start + step, records)) for start in range(0, records, step)]
