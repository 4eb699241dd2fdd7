"""The generator G(z, c) and the critic f(x, c), for flat and for gridded contents.

Conditions c come as one vector a record, members of an enum one-hot and numbers standardised, so a linear map of it embeds
classes and continuous conditions alike. The critic meets them by projection (Miyato and Koyama 2018). No layer of either
network mixes records; a critic that judges packs sees the records of one pack side by side (Lin et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from synthspec.ir.families import GanConv, GanMlp
from synthspec_torch.gan.heads import Head

_SLOPE = 0.2
_GROUPS = 8
"""Groups of a group norm, where the width allows it."""
_SURE = 1e4
"""What a told choice adds to its score: far more than chance and network do, so that it is made, and has no gradient."""

Shape = tuple[int, ...]


class Generator(nn.Module):
    """``G(z, c)``: z [n, numbers] and c [n, context] to contents [n, *shape]. All its chance is in z."""

    sure: torch.Tensor | None

    def __init__(
        self, body: nn.Module, head: Head, latent: int, context: int, told: int, sure: Sequence[int] = ()
    ) -> None:  # fmt: skip
        """`told`: how many numbers the body is given for the `context` numbers of the conditions.

        `sure`: the slots of a table's contents that the last of these numbers are about; where one is 1, that choice is made.
        """
        super().__init__()
        self.register_buffer("sure", torch.tensor(sure) if sure else None, persistent=False)
        self.latent = latent
        self.numbers = latent + head.noise
        """Standard normal numbers that a record is made of: the body's, then those of the head."""
        self.told = nn.Linear(context, told) if context else None
        if self.told is not None:
            # What a member of an enum becomes is as large as z, or the body takes long to tell them apart.
            nn.init.normal_(self.told.weight)
        self.body, self.head = body, head

    def forward(self, z: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Contents, bounded as the head bounds them."""
        start, noise = z[:, : self.latent], z[:, self.latent :]
        told = start if self.told is None else torch.cat([start, self.told(c)], dim=1)
        scores: torch.Tensor = self.body(told)
        if self.sure is not None:
            scores = scores.index_add(1, self.sure, c[:, -len(self.sure) :], alpha=_SURE)
        out: torch.Tensor = self.head(scores, noise)
        return out


class Critic(nn.Module):
    """``f(x, c)``: contents [n, *shape] and c [n, context] to scores [n / pack], plain numbers without a sigmoid."""

    def __init__(self, body: nn.Module, features: int, context: int, pack: int) -> None:
        super().__init__()
        self.pack = pack
        self.body = body
        self.score = nn.Linear(features, 1)
        self.told = nn.Linear(pack * context, features, bias=False) if context else None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the score is taken of, [n / pack, features]; n is a multiple of the pack."""
        packed = x if self.pack == 1 else x.reshape(len(x) // self.pack, -1, *x.shape[2:])
        out: torch.Tensor = self.body(packed)
        return out

    def judge(self, features: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """The scores of `features` under the conditions of their records."""
        scores: torch.Tensor = self.score(features)[:, 0]
        if self.told is None:
            return scores
        told: torch.Tensor = self.told(c.reshape(len(features), -1))
        return scores + (told * features).sum(1)

    def forward(self, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Scores [n / pack]."""
        return self.judge(self.features(x), c)


def build_generator(
    architecture: GanMlp | GanConv, shape: Shape, context: int, head: Head, sure: Sequence[int] = ()
) -> Generator:  # fmt: skip
    """A fresh generator of contents of `shape`, coarse to fine through `channels`; `head` bounds what it makes."""
    latent, norm = architecture.latent_dim, architecture.norm
    told = latent if context else 0
    if isinstance(architecture, GanMlp):
        widths = (latent + told, *architecture.hidden)
        last = nn.Linear(widths[-1], math.prod(shape))
        if head.start is not None:
            # What hardly a train row has must not begin as likely as the rest.
            with torch.no_grad():
                last.bias.copy_(head.start)
        body = nn.Sequential(*_dense(widths, norm), last, nn.Unflatten(1, shape))
        return Generator(body, head, latent, context, told, sure)
    return Generator(_grow(architecture.channels, shape, latent + told, norm), head, latent, context, told)


def build_critic(
    architecture: GanMlp | GanConv, shape: Shape, context: int, *, spectral: bool
) -> Critic:  # fmt: skip
    """A fresh critic: the generator's widths backwards; under `spectral` every map has spectral norm 1 (Miyato et al. 2018)."""
    pack, norm = architecture.pac, architecture.norm or "none"
    if isinstance(architecture, GanMlp):
        widths = (pack * math.prod(shape), *architecture.hidden[::-1])
        body = nn.Sequential(nn.Flatten(), *_dense(widths, norm))
        critic = Critic(body, widths[-1], context, pack)
    else:
        widths = architecture.channels[::-1]
        body, features = _shrink(widths, (pack * shape[0], *shape[1:]), norm)
        critic = Critic(body, features, context, pack)
    if spectral:
        for layer in [*critic.modules()]:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                spectral_norm(layer)
    return critic


def _dense(widths: tuple[int, ...], norm: str | None) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for into, out in pairwise(widths):
        layers += [nn.Linear(into, out), _norm(norm, out, flat=True), nn.LeakyReLU(_SLOPE)]
    return layers


def _grow(channels: tuple[int, ...], shape: Shape, size: int, norm: str | None) -> nn.Sequential:
    sizes = _sizes(shape, len(channels))
    start = (channels[0], *sizes[-1])
    layers: list[nn.Module] = [nn.Linear(size, math.prod(start)), nn.Unflatten(1, start)]
    layers += [_norm(norm, channels[0]), nn.LeakyReLU(_SLOPE)]
    for level, (into, out) in enumerate(pairwise((channels[0], *channels))):
        if level:
            layers.append(nn.Upsample(size=sizes[-1 - level]))
        layers += [nn.Conv2d(into, out, 3, padding=1), _norm(norm, out), nn.LeakyReLU(_SLOPE)]
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], shape[0], 3, padding=1))


def _shrink(channels: tuple[int, ...], shape: Shape, norm: str) -> tuple[nn.Sequential, int]:
    """The body, and how many features it gives."""
    layers: list[nn.Module] = []
    for level, (into, out) in enumerate(pairwise((shape[0], *channels))):
        layers += [nn.Conv2d(into, out, 3, stride=2 if level else 1, padding=1), _norm(norm, out), nn.LeakyReLU(_SLOPE)]
    last, features = _sizes(shape, len(channels))[-1], 4 * channels[-1]
    layers += [nn.Flatten(), nn.Linear(channels[-1] * math.prod(last), features), nn.LeakyReLU(_SLOPE)]
    return nn.Sequential(*layers), features


def _sizes(shape: Shape, levels: int) -> list[tuple[int, int]]:
    """Height and width of each level, the finest first; an odd side is halved upwards."""
    sizes = [(shape[1], shape[2])]
    for _ in range(levels - 1):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def _norm(name: str | None, width: int, *, flat: bool = False) -> nn.Module:
    """What normalises activations [n, width] or [n, width, h, w]. None of them mixes records.

    Left out, a generator of images has group norm: nothing else keeps the scale of its activations.
    """
    match name:
        case "group":
            return nn.GroupNorm(math.gcd(width, _GROUPS), width)
        case "layer":
            return nn.GroupNorm(1, width)
        case "instance":
            return nn.GroupNorm(width, width)
        case None if not flat:
            return nn.GroupNorm(math.gcd(width, _GROUPS), width)
        case _:
            return nn.Identity()
