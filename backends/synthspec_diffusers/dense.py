"""Denoisers of tables and series: a multilayer perceptron, and transformers over columns or over stretches of time.

All take ``(x [n, *shape], times [n] in 0..1000, condition [n, k] or None) -> head output [n, *shape]``. Their last layer
starts at zero, so that a fresh network says 0 of everything.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import nn

from synthspec.ir.families import MlpDenoiser, TransformerDenoiser
from synthspec_torch.layers import Apart, Offset

FREQUENCIES = 32
"""Pairs of sine and cosine that a time is told by."""
LONGEST = 64
"""Tokens of a series: longer ones are cut into patches of equal length."""


class Told(nn.Module):
    """What a network knows beside x, the time and the condition, as one vector of `width` numbers."""

    frequencies: torch.Tensor

    def __init__(self, width: int, given: int | None) -> None:
        super().__init__()
        scale = torch.exp(-math.log(10_000.0) * torch.arange(FREQUENCIES) / FREQUENCIES)
        self.register_buffer("frequencies", scale, persistent=False)
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))
        self.given = nn.Linear(given, width, bias=False) if given else None

    def forward(self, times: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        """[n, width], or [1, width] in sampling where all records of a block know the same."""
        if not self.training and not torch.is_grad_enabled() and bool((times == times[0]).all()):
            times = times[:1]
        angles = times.to(self.frequencies.dtype)[:, None] * self.frequencies
        told: torch.Tensor = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        return told if self.given is None or given is None else told + self.given(given)


class Mlp(nn.Module):
    """Layers of the widths `hidden` over the flattened record, each told the time; equal neighbours are residual."""

    def __init__(self, architecture: MlpDenoiser, shape: tuple[int, ...], given: int | None) -> None:
        super().__init__()
        d, hidden = math.prod(shape), architecture.hidden
        self.told = Told(hidden[0], given)
        self.enter = nn.Linear(d, hidden[0])
        widths = zip((hidden[0], *hidden[:-1]), hidden, strict=True)
        self.layers = nn.ModuleList(nn.Linear(into, width) for into, width in widths)
        self.shifts = nn.ModuleList(nn.Linear(hidden[0], width) for width in hidden)
        self.leave = _silent(nn.Linear(hidden[-1], d))

    def forward(self, x: torch.Tensor, times: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        told, drawing = nn.functional.silu(self.told(times, given)), not torch.is_grad_enabled()
        h = self.enter(x.flatten(1))
        for layer, shift in zip(self.layers, self.shifts, strict=True):
            if drawing and len(told) == 1:
                # All records know the same: one constant of the layer, and no pass over the records for it.
                constant = cast("torch.Tensor", layer.bias) + shift(told)[0]
                out = nn.functional.linear(h, cast("torch.Tensor", layer.weight), constant)
            else:
                out = layer(h) + shift(told)
            out = nn.functional.silu(out, inplace=drawing)
            h = h + out if out.shape == h.shape else out
        left: torch.Tensor = self.leave(h)
        return left.reshape(x.shape)


class Encoder(nn.Module):
    """Pre-norm transformer blocks over tokens [n, tokens, width], told the time by a shift before each."""

    def __init__(self, architecture: TransformerDenoiser) -> None:
        super().__init__()
        width = architecture.width
        self.blocks = nn.ModuleList(_Block(width, architecture.heads) for _ in range(architecture.depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            tokens = block(tokens, told)
        out: torch.Tensor = self.norm(tokens)
        return out


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.shift = nn.Linear(width, width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        n, length, width = tokens.shape
        seen = self.first(tokens + self.shift(told)[:, None])
        parts = self.mix(seen).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(n, length, width))
        wide: torch.Tensor = tokens + self.wide(self.second(tokens))
        return wide


class SeriesTransformer(nn.Module):
    """Tokens are patches of equal length, of all channels; the fewest that hold the series.

    So no token is padding, and attention needs no mask: of a last patch that reaches beyond the series, the surplus is read
    as 0 and written nowhere.
    """

    def __init__(self, architecture: TransformerDenoiser, shape: tuple[int, ...], given: int | None) -> None:
        super().__init__()
        channels, length = shape
        self.patch = -(-length // LONGEST)
        tokens = -(-length // self.patch)
        self.surplus = tokens * self.patch - length
        self.told = Told(architecture.width, given)
        self.enter = nn.Linear(channels * self.patch, architecture.width)
        self.place = Offset(0.02 * torch.randn(tokens, architecture.width))
        self.encoder = Encoder(architecture)
        self.leave = _silent(nn.Linear(architecture.width, channels * self.patch))

    def forward(self, x: torch.Tensor, times: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        n, channels, length = x.shape
        padded = nn.functional.pad(x, (0, self.surplus)).view(n, channels, -1, self.patch)
        tokens = self.place(self.enter(padded.permute(0, 2, 1, 3).flatten(2)))
        out = self.leave(self.encoder(tokens, self.told(times, given)))
        back: torch.Tensor = out.view(n, -1, channels, self.patch).permute(0, 2, 1, 3).flatten(2)
        return back[..., :length]


class TableTransformer(nn.Module):
    """Tokens are the blocks of a table, each with weights of its own.

    Blocks differ in width; they are gathered into a common one. A slot that a narrow block does not have is read as 0 and
    written nowhere.
    """

    slots: torch.Tensor

    def __init__(
        self, architecture: TransformerDenoiser, shape: tuple[int, ...], given: int | None, blocks: tuple[slice, ...]
    ) -> None:
        super().__init__()
        (d,), width = shape, architecture.width
        widest = max(block.stop - block.start for block in blocks)
        slots = torch.full((len(blocks), widest), d)
        for row, block in zip(slots, blocks, strict=True):
            row[: block.stop - block.start] = torch.arange(block.start, block.stop)
        self.register_buffer("slots", slots, persistent=False)
        self.told = Told(width, given)
        self.enter = Apart(torch.randn(len(blocks), widest, width) / math.sqrt(widest))
        self.place = Offset(0.02 * torch.randn(len(blocks), width))
        self.encoder = Encoder(architecture)
        self.leave = Apart(torch.zeros(len(blocks), width, widest))
        self.offset = Offset(torch.zeros(d))

    def forward(self, x: torch.Tensor, times: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        n, d = x.shape
        gathered = nn.functional.pad(x, (0, 1))[:, self.slots]
        tokens = self.place(self.enter(gathered))
        out = self.leave(self.encoder(tokens, self.told(times, given)))
        back = out.new_zeros(n, d + 1).index_copy(1, self._order(), out.flatten(1)[:, self._sources()])
        shifted: torch.Tensor = self.offset(back[:, :d])
        return shifted

    def _sources(self) -> torch.Tensor:
        """Where among the gathered slots the real ones are."""
        return torch.nonzero(self.slots.flatten() < self.offset.weight.shape[0]).flatten()

    def _order(self) -> torch.Tensor:
        return self.slots.flatten()[self._sources()]


def _silent(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
