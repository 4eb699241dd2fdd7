"""DINOv2 (Oquab et al. 2023): the vision transformers of patch 14 whose class token is the feature. For inference only.

Names of weights are those of the published files (``dinov2_vits14_pretrain``); files under the names that the transformers
library gives them (``facebook/dinov2-small``) are read as well. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention

_EPS = 1e-6
_OFFSET = 0.1
"""What the published interpolation of positions adds to the number of patches on a side: it moves where they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One of the published sizes."""

    dim: int
    depth: int
    heads: int
    patch: int = 14
    grid: int = 37
    """Patches on a side of the pictures that positions were learned on: 518 pixels."""


SMALL, BASE, LARGE = (
    Size(dim=384, depth=12, heads=6),
    Size(dim=768, depth=12, heads=12),
    Size(dim=1024, depth=24, heads=16),
)


class _Scale(nn.Module):
    """One learned factor a channel."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gamma


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, tokens, dim = x.shape
        q, k, v = self.qkv(x).view(n, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, dim)
        out: torch.Tensor = self.proj(mixed)
        return out


class _Mlp(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.fc2(gelu(self.fc1(x)))
        return out


class _Block(nn.Module):
    """Attention and MLP, each normalised before and scaled after."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=_EPS), nn.LayerNorm(dim, eps=_EPS)
        self.attn, self.mlp = _Attention(dim, heads), _Mlp(dim)
        self.ls1, self.ls2 = _Scale(dim), _Scale(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        out: torch.Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return out


class _Patches(nn.Module):
    def __init__(self, dim: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches: torch.Tensor = self.proj(x)
        return patches.flatten(2).transpose(1, 2)


class Dinov2(nn.Module):
    """Normalised RGB pictures [n, 3, H, W], sides multiples of the patch, to class tokens [n, dim]."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + size.grid**2, size.dim))
        # For masked training; a picture that is looked at whole does not meet it, but it is in the files.
        self.mask_token = nn.Parameter(torch.zeros(1, size.dim))
        self.patch_embed = _Patches(size.dim, size.patch)
        self.blocks = nn.ModuleList([_Block(size.dim, size.heads) for _ in range(size.depth)])
        self.norm = nn.LayerNorm(size.dim, eps=_EPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, columns = x.shape[2] // self.size.patch, x.shape[3] // self.size.patch
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), self.patch_embed(x)], dim=1)
        tokens = tokens + self.positions(rows, columns)
        for block in self.blocks:
            tokens = block(tokens)
        out: torch.Tensor = self.norm(tokens)[:, 0]
        return out

    def positions(self, rows: int, columns: int) -> torch.Tensor:
        """The positions of a grid of patches, [1, 1 + rows * columns, dim], read bicubically from those that were learned."""
        grid = self.size.grid
        if (rows, columns) == (grid, grid):
            return self.pos_embed
        learned = self.pos_embed[:, 1:].view(1, grid, grid, self.size.dim).permute(0, 3, 1, 2)
        scale = ((rows + _OFFSET) / grid, (columns + _OFFSET) / grid)
        read = interpolate(learned, scale_factor=scale, mode="bicubic")
        return torch.cat([self.pos_embed[:, :1], read.flatten(2).transpose(1, 2)], dim=1)


def published_names(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`state` under the published names, whether it has those or those of the transformers library.

    There queries, keys and values are three matrices; here they lie one above the other. What is neither keeps its name.
    """
    if "embeddings.cls_token" not in state:
        return dict(state)
    named = {_published(name): value for name, value in state.items() if ".attention.attention." not in name}
    for name in state:
        layer, found, kind = name.partition(".attention.attention.query.")
        parts = [state.get(f"{layer}.attention.attention.{each}.{kind}") for each in ("query", "key", "value")]
        present = [part for part in parts if part is not None]
        if found and len(present) == len(parts):
            named[f"{_published(layer)}.attn.qkv.{kind}"] = torch.cat(present)
    return named


_RENAMED = (
    ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("embeddings.", ""),
    ("encoder.layer.", "blocks."),
    (".attention.output.dense.", ".attn.proj."),
    (".layer_scale1.lambda1", ".ls1.gamma"),
    (".layer_scale2.lambda1", ".ls2.gamma"),
    ("layernorm.", "norm."),
)


def _published(name: str) -> str:
    for theirs, ours in _RENAMED:
        name = name.replace(theirs, ours)
    return name
