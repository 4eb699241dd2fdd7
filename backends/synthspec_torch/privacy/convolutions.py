"""The book of a convolution: gradients of single records from windows of what it saw, held where they are few."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import grad

from synthspec_torch.privacy.layers import LayerBook, Use, parts_of, square

_HELD = 1 << 24
"""Numbers of per-record gradients of one layer that are held from their norms to their sum: 64 MiB."""


class ConvBook(LayerBook):
    """A convolution over one or two axes, zero-padded, its weight [O, I / groups, *kernel], with its bias."""

    def __init__(self, layer: nn.Conv1d | nn.Conv2d, uses: Sequence[Use], records: int) -> None:
        self._layer, self._records = layer, records
        self._uses = [_as_images(use) for use in uses]
        flat = isinstance(layer, nn.Conv1d)
        self._kernel = _pair(layer.kernel_size, 1, flat)
        self._window = {
            "stride": _pair(layer.stride, 1, flat),
            "padding": _pair(_amounts(layer), 0, flat),
            "dilation": _pair(layer.dilation, 1, flat),
        }
        self._each = layer.weight.numel()
        self._held: list[torch.Tensor] = []

    def square_norms(self) -> torch.Tensor:
        squares, few = [], self._records * self._each <= _HELD
        for part in parts_of(self._records, max(self._each, self._unfolded)):
            gradients = self._gradients(part)
            squares.append(square(gradients))
            if few:
                self._held.append(gradients.flatten(1))
        own = torch.cat(squares)
        return own + square(self._of_bias()) if self._layer.bias is not None else own

    def add(self, weights: torch.Tensor, totals: Sequence[torch.Tensor]) -> None:
        if self._layer.bias is not None:
            totals[1].addmv_(self._of_bias().mT, weights)
        totals[0].add_((self._of_held if self._held else self._anew)(weights).view(totals[0].shape))

    def _of_held(self, weights: torch.Tensor) -> torch.Tensor:
        """The weighted sum of gradients that were made for their norms, [O, I / groups, *kernel]."""
        total = torch.zeros(self._each, dtype=weights.dtype)
        for part, each in zip(torch.split(weights, [len(held) for held in self._held]), self._held, strict=True):
            total.addmv_(each.mT, part)
        return total.view(self._layer.out_channels, *self._kernel, -1).movedim(-1, 1).contiguous()

    def _anew(self, weights: torch.Tensor) -> torch.Tensor:
        """The same where they were too many to be held, by the backward pass of the layer."""
        size = (self._layer.out_channels, self._layer.in_channels // self._layer.groups, *self._kernel)
        sums = []
        for use in self._uses:
            told = use.told * weights.repeat_interleave(len(use.told) // self._records).view(-1, 1, 1, 1)
            total: torch.Tensor = grad.conv2d_weight(  # type: ignore[no-untyped-call]
                use.seen, size, told, groups=self._layer.groups, **self._window
            )
            sums.append(total)
        return sums[0] if len(sums) == 1 else torch.stack(sums).sum(0)

    @property
    def _unfolded(self) -> int:
        """Numbers of the unfolded inputs of one record."""
        columns = self._layer.in_channels * self._kernel[0] * self._kernel[1]
        return sum(columns * use.told[0, 0].numel() * (len(use.told) // self._records) for use in self._uses)

    def _gradients(self, part: slice) -> torch.Tensor:
        """[m, groups, O / groups, K I / groups] of the records `part`, the channels of the input counted fastest."""
        found = None
        for use in self._uses:
            rows = len(use.seen) // self._records
            these = slice(part.start * rows, part.stop * rows)
            told = torch.unflatten(use.told[these].flatten(2), 1, (self._layer.groups, -1))
            each = told @ self._windows(use.seen[these], use.told.shape[2:])
            each = torch.unflatten(each, 0, (-1, rows)).sum(1) if rows > 1 else each
            found = each if found is None else found.add_(each)
        assert found is not None  # noqa: S101 - a book is of at least one use
        return found

    def _windows(self, seen: torch.Tensor, places: torch.Size) -> torch.Tensor:
        """What each of the `places` of the output saw of `seen` [m, I, H, W], [m, groups, P, K I / groups].

        Channels last, so that what is copied lies side by side: `unfold` takes five times as long.
        """
        (down, right), (first, second) = self._window["padding"], self._window["dilation"]
        count, channels, height, width = seen.shape
        padded = seen.new_zeros(count, height + 2 * down, width + 2 * right, channels)
        padded[:, down : down + height, right : right + width] = seen.movedim(1, -1)
        whole, row, column, _ = padded.stride()
        strides = (row * self._window["stride"][0], column * self._window["stride"][1], row * first, column * second)
        windows = padded.as_strided((count, *places, *self._kernel, channels), (whole, *strides, 1))
        grouped = torch.unflatten(windows, -1, (self._layer.groups, -1)).permute(0, 5, 1, 2, 3, 4, 6)
        return grouped.reshape(count, self._layer.groups, places.numel(), -1)

    def _of_bias(self) -> torch.Tensor:
        each: list[torch.Tensor] = [
            torch.unflatten(use.told.sum((2, 3)), 0, (self._records, -1)).sum(1) for use in self._uses
        ]
        return each[0] if len(each) == 1 else torch.stack(each).sum(0)


def _as_images(use: Use) -> Use:
    """The same of two axes, contiguous: a layout of memory must not decide what is read."""
    seen, told = (each.unsqueeze(2) if each.dim() == 3 else each for each in (use.seen, use.told))
    return Use(seen.contiguous(), told.contiguous())


def _amounts(layer: nn.Conv1d | nn.Conv2d) -> tuple[int, ...]:
    if isinstance(layer.padding, str):
        raise TypeError("padding is stated in numbers")
    return tuple(layer.padding)


def _pair(values: tuple[int, ...], before: int, flat: bool) -> tuple[int, int]:  # noqa: FBT001 - one axis, or two
    return (before, values[0]) if flat else (values[0], values[-1])
