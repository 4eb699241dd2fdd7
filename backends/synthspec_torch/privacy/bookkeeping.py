"""Book-keeping (Bu et al., ICML 2023): one forward and one backward pass give all norms and then the clipped sum.

The backward pass goes to the outputs of the layers and not to the weights, whose gradients of the unclipped sum nobody
wants. What each layer saw and was told back is all that its per-record gradients are made of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from synthspec_torch.layers import Apart, Offset
from synthspec_torch.privacy.convolutions import ConvBook
from synthspec_torch.privacy.gradients import Batch, Losses, PerRecord, finite_scales
from synthspec_torch.privacy.layers import BagBook, EmbeddingBook, LayerBook, LinearBook, Use, norm_book
from synthspec_torch.privacy.own_layers import ApartBook, offset_book

HELD = 1 << 21
"""Numbers that layers saw and were told back which are held at a time: more would leave the caches before they are read."""
LEAST = 128
"""Records at a time, at least: of fewer, a layer costs more than what it does for a record."""


class BookKeeping(PerRecord):
    """For networks all of whose parameters belong to layers of `bookable`."""

    def __init__(self, network: nn.Module, losses: Losses) -> None:
        """Raises TypeError, naming the layer, for a network with another layer in it."""
        super().__init__(network, losses)
        self._layers = dict(trained_layers(network))
        for name, layer in self._layers.items():
            if not bookable(layer):
                raise TypeError(f"{name or 'the network'} is a {type(layer).__name__}, which has no book")
        owners = [id(each) for layer in self._layers.values() for each in layer.parameters(recurse=False)]
        if len(set(owners)) < len(owners):
            raise TypeError("two layers share a parameter, which books of single layers do not see")
        self._each = 0  # numbers that layers see and are told of one record: known once one was looked at
        self._narrow = torch.empty(self.width, dtype=self.dtype)
        sums = dict(zip(map(id, self.parameters.values()), self.views(self._narrow), strict=True))
        self._sums = {
            name: [sums[id(each)] for each in layer.parameters(recurse=False)] for name, layer in self._layers.items()
        }

    @property
    def at_once(self) -> int:
        return max(LEAST, HELD // self._each) if self._each else LEAST

    def add(self, total: torch.Tensor, batch: Batch, clip: float) -> torch.Tensor:
        norms = self._clipped(batch, clip)
        total.add_(self._narrow)
        return norms

    def summed(self, batches: Iterable[Batch], clip: float) -> torch.Tensor:
        total: torch.Tensor | None = None
        self._narrow.zero_()
        for place, batch in enumerate(batches):
            if place == 1:
                total = self._narrow.double()
            self._clipped(batch, clip)
            if total is not None:
                total.add_(self._narrow)
        return self._narrow if total is None else total

    def _clipped(self, batch: Batch, clip: float) -> torch.Tensor:
        """Sum the clipped gradients of `batch` in the precision of their products; the norms before clipping, [n]."""
        records = len(batch[0])
        books = self._books(batch, records)
        norms = torch.stack([book.square_norms() for _, book in books]).sum(0, dtype=torch.float64).sqrt_()
        self._narrow.zero_()
        if math.isfinite(norms.sum().item()):
            weights = finite_scales(norms, clip).to(self.dtype)
            for name, book in books:
                book.add(weights, self._sums[name])
            return norms
        # Again without the records that have no finite gradient: zeros times infinities are no zeros.
        good = norms.isfinite()
        if good.any():
            self._clipped(tuple(each[good] for each in batch), clip)
        return norms

    def _books(self, batch: Batch, records: int) -> list[tuple[str, LayerBook]]:
        calls: dict[str, list[tuple[torch.Tensor, torch.Tensor, int]]] = {}
        hooks = [layer.register_forward_hook(partial(_note, calls, name)) for name, layer in self._layers.items()]
        try:
            loss = self.losses(batch).sum()
        finally:
            _remove(hooks)
        flat = [(name, seen, out) for name, used in calls.items() for seen, out, version in used if _same(out, version)]
        told = torch.autograd.grad(loss, [out for _, _, out in flat], allow_unused=True)
        self._each = sum(seen.numel() + out.numel() for _, seen, out in flat) // records
        uses: dict[str, list[Use]] = {}
        for (name, seen, _), each in zip(flat, told, strict=True):
            if each is not None:
                _check(name, seen, each, records)
                uses.setdefault(name, []).append(Use(seen, each))
        return [(name, book_of(self._layers[name], used, records)) for name, used in uses.items()]


def trained_layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that have parameters of their own to train, by name."""
    return [
        (name, layer)
        for name, layer in network.named_modules()
        if any(each.requires_grad for each in layer.parameters(recurse=False))
    ]


def bookable(layer: nn.Module) -> bool:
    """Whether a book of `layer` can be kept. A subclass may do something else with its weights, so types are exact."""
    if not all(each.requires_grad for each in layer.parameters(recurse=False)):
        return False
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        exact = type(layer) in (nn.Conv1d, nn.Conv2d)
        return exact and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    if isinstance(layer, nn.Embedding):
        return (
            type(layer) is nn.Embedding and layer.max_norm is None and not layer.scale_grad_by_freq and not layer.sparse
        )
    if isinstance(layer, nn.EmbeddingBag):
        plain = layer.max_norm is None and not layer.scale_grad_by_freq and not layer.sparse
        return type(layer) is nn.EmbeddingBag and layer.mode == "sum" and plain and layer.padding_idx is None
    # zuko's masked layer multiplies its weight by a constant mask.
    masked = type(layer).__module__ == "zuko.nn" and type(layer).__name__ == "MaskedLinear"
    return masked or type(layer) in (nn.Linear, nn.GroupNorm, nn.LayerNorm, Offset, Apart)


def book_of(layer: nn.Module, uses: Sequence[Use], records: int) -> LayerBook:
    """The book of `layer` over its `uses` by `records` records. Raises TypeError for a layer that is not `bookable`."""
    match layer:
        case nn.Linear():
            return LinearBook(layer, uses, records)
        case nn.Conv1d() | nn.Conv2d():
            return ConvBook(layer, uses, records)
        case nn.GroupNorm() | nn.LayerNorm():
            return norm_book(layer, uses, records)
        case nn.Embedding():
            return EmbeddingBook(layer, uses, records)
        case nn.EmbeddingBag():
            return BagBook(layer, uses, records)
        case Offset():
            return offset_book(layer, uses, records)
        case Apart():
            return ApartBook(layer, uses, records)
        case _:
            raise TypeError(f"no book is kept of a {type(layer).__name__}")


def _note(
    calls: dict[str, list[tuple[torch.Tensor, torch.Tensor, int]]],
    name: str,
    _: nn.Module,
    seen: tuple[Any, ...],
    out: torch.Tensor,
) -> None:
    calls.setdefault(name, []).append((seen[0].detach(), out, out._version))  # noqa: SLF001 - torch has no other name for it


def _same(out: torch.Tensor, version: int) -> bool:
    if out._version != version:  # noqa: SLF001
        raise TypeError("a layer's output was changed in place, so its gradient is not that of the layer")
    return True


def _check(name: str, seen: torch.Tensor, told: torch.Tensor, records: int) -> None:
    """Raises TypeError where a layer does not see every record the same number of times."""
    if not seen.dim() or math.gcd(len(seen), len(told)) % records:
        raise TypeError(f"{name} saw {len(seen)} rows for {records} records: rows cannot be told apart by record")


def _remove(hooks: Sequence[RemovableHandle]) -> None:
    for hook in hooks:
        hook.remove()
