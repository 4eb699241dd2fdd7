"""The encoder q(z | x, c) and the decoder of p(x | z, c), for flat and for gridded contents; the prior p(z) is N(0, I)."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from synthspec.ir.families import VaeConv, VaeMlp
from synthspec_torch.data.given import Embedding
from synthspec_torch.vae.norms import norm_1d, norm_2d

LOG_VARIANCE = (-12.0, 8.0)
"""Bounds of the posterior's log-variance: an overflow would come before a KL could pull it back."""

Shape = tuple[int, int, int]


class Ladder(nn.Module):
    """A hierarchy of groups of latents: each has a prior given those above it (Soenderby et al. 2016, Vahdat and Kautz 2020).

    Everything outside sees z = (z~ - loc) / scale, the latents z~ under the moments that their prior has given the groups
    above: the prior of z is N(0, I), the posterior of a group is a residual on its prior, and both KL terms are the same
    in either coordinates.
    """

    def __init__(self, latent: int, groups: int, features: int, width: int) -> None:
        """`latent` latents in `groups` groups, sized as evenly as it goes; `features`: what the encoder gives."""
        super().__init__()
        self.sizes = [latent // groups + (number < latent % groups) for number in range(groups)]
        self.start = nn.Parameter(torch.zeros(width))
        self.priors = nn.ModuleList([nn.Linear(width, 2 * size) for size in self.sizes])
        self.lifts = nn.ModuleList([nn.Linear(size, width) for size in self.sizes])
        self.posteriors = nn.ModuleList([nn.Linear(features + width, 2 * size) for size in self.sizes])
        for prior in self.priors:
            # At the start every prior is N(0, I): the hierarchy begins as one flat group.
            nn.init.zeros_(prior.get_parameter("weight"))
            nn.init.zeros_(prior.get_parameter("bias"))

    def climb(
        self, features: torch.Tensor, eps: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A draw, its mean and log-variance group by group, all [n, latent]; at the means where there is no `eps`."""
        state = self.start.expand(len(features), -1)
        noise = [None] * len(self.sizes) if eps is None else list(torch.split(eps, self.sizes, dim=1))
        drawn, means, log_variances = [], [], []
        for group, own in enumerate(noise):
            mean, log_variance = self.posteriors[group](torch.cat([features, state], dim=1)).chunk(2, dim=1)
            log_variance = log_variance.clamp(*LOG_VARIANCE)
            z = mean if own is None else mean + torch.exp(0.5 * log_variance) * own
            _, state = self._rise(state, z, group)
            drawn.append(z)
            means.append(mean)
            log_variances.append(log_variance)
        return torch.cat(drawn, 1), torch.cat(means, 1), torch.cat(log_variances, 1)

    def lift(self, z: torch.Tensor) -> torch.Tensor:
        """The latents z~ of z, both [n, latent]."""
        state = self.start.expand(len(z), -1)
        lifted = []
        for group, own in enumerate(torch.split(z, self.sizes, dim=1)):
            latents, state = self._rise(state, own, group)
            lifted.append(latents)
        return torch.cat(lifted, 1)

    def _rise(self, state: torch.Tensor, z: torch.Tensor, group: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The latents of `group`, and what the groups below see of all so far."""
        loc, log_scale = self.priors[group](state).chunk(2, dim=1)
        latents = loc + torch.exp(3.0 * torch.tanh(log_scale / 3.0)) * z
        return latents, nn.functional.silu(state + self.lifts[group](latents))


class Vae(nn.Module):
    """``encode`` contents, ``decode`` codes. Conditions are labels [n] or vectors [n, k], or None where there are none."""

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, told: Embedding | None, width: int, ladder: Ladder | None = None
    ) -> None:
        """`told` makes the layers that read conditions; `width`: numbers that stand for one record's."""
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.ladder: Ladder | None = ladder
        self.seen = told(width) if told else None
        self.told = told(width) if told else None

    def encode(self, x: torch.Tensor, given: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log-variance of q(z | x, c), both [n, latent], of contents [n, *shape].

        In a hierarchy, those of each group given the means of the groups before it.
        """
        features = self.encoder(x, embedded(self.seen, given, x))
        if self.ladder is not None:
            _, mean, log_variance = self.ladder.climb(features, None)
        else:
            mean, log_variance = features.chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE)

    def infer(
        self, x: torch.Tensor, given: torch.Tensor | None, eps: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A draw z of q(z | x, c) at standard normals `eps`, with the mean and log-variance it has; all [n, latent]."""
        if self.ladder is None:
            mean, log_variance = self.encode(x, given)
            return mean + torch.exp(0.5 * log_variance) * eps, mean, log_variance
        return self.ladder.climb(self.encoder(x, embedded(self.seen, given, x)), eps)

    def decode(self, z: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        """Parameters [n, P, *shape] of p(x | z, c) at codes [n, latent]."""
        z = z if self.ladder is None else self.ladder.lift(z)
        out: torch.Tensor = self.decoder(torch.cat([z, embedded(self.told, given, z)], dim=1))
        return out


def embedded(layer: nn.Module | None, given: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    """The numbers [n, width] that stand for the conditions `given` [n, ...]; [n, 0] without conditions."""
    if layer is None or given is None:
        return like.new_zeros(len(like), 0)
    out: torch.Tensor = layer(given)
    return out


class FlatEncoder(nn.Module):
    """An MLP over the flattened content beside the embedded conditions."""

    def __init__(self, size: int, extra: int, hidden: tuple[int, ...], out: int, norm: str | None) -> None:
        super().__init__()
        self.body = mlp((size + extra, *hidden), norm)
        self.head = nn.Linear(hidden[-1], out)

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.body(torch.cat([x.flatten(1), told], dim=1)))
        return out


class FlatDecoder(nn.Module):
    """An MLP from the code beside the embedded conditions."""

    def __init__(self, size: int, hidden: tuple[int, ...], out: tuple[int, ...], norm: str | None) -> None:
        super().__init__()
        self.shape = out
        self.body = mlp((size, *hidden), norm)
        self.head = nn.Linear(hidden[-1], math.prod(out))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.body(z)).view(len(z), *self.shape)
        return out


class GridEncoder(nn.Module):
    """Two convolutions a level, each level but the first at half the size of the one before; then a dense layer."""

    def __init__(self, shape: Shape, extra: int, channels: tuple[int, ...], out: int, norm: str | None) -> None:
        super().__init__()
        widths = (shape[0], *channels)
        blocks = [
            _convolutions(into, width, norm, stride=1 if level == 0 else 2)
            for level, (into, width) in enumerate(pairwise(widths))
        ]
        self.body = nn.Sequential(*blocks, nn.Flatten())
        last = _sizes(shape, len(channels))[-1]
        dense = 4 * channels[-1]
        self.dense = nn.Linear(channels[-1] * math.prod(last) + extra, dense)
        self.head = nn.Linear(dense, out)

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        features = torch.cat([self.body(x), told], dim=1)
        out: torch.Tensor = self.head(nn.functional.silu(self.dense(features)))
        return out


class GridDecoder(nn.Module):
    """The encoder backwards: a dense layer to the coarsest level, then convolutions and nearest-neighbour doubling."""

    def __init__(self, shape: Shape, size: int, channels: tuple[int, ...], parameters: int, norm: str | None) -> None:
        super().__init__()
        sizes = _sizes(shape, len(channels))
        self.start = (channels[-1], *sizes[-1])
        dense = 4 * channels[-1]
        self.dense = nn.Sequential(
            nn.Linear(size, dense), nn.SiLU(), nn.Linear(dense, math.prod(self.start)), nn.SiLU()
        )
        layers: list[nn.Module] = [_convolutions(channels[-1], channels[-1], norm)]
        for level in reversed(range(len(channels) - 1)):
            layers += [nn.Upsample(size=sizes[level]), _convolutions(channels[level + 1], channels[level], norm)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(channels[0], parameters * shape[0], 3, padding=1)
        self.shape = (parameters, *shape)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        grid = self.body(self.dense(z).view(len(z), *self.start))
        out: torch.Tensor = self.head(grid).view(len(z), *self.shape)
        return out


def build_vae(architecture: VaeMlp | VaeConv, shape: Shape, parameters: int, told: Embedding | None) -> Vae:
    """A fresh network for contents of `shape` whose likelihood takes `parameters` numbers a value; `told` as in `Vae`."""
    latent, norm = architecture.latent_dim, architecture.norm
    ladder = build_ladder(architecture)
    if isinstance(architecture, VaeMlp):
        width = architecture.hidden[-1] // 4 + 1 if told else 0
        encoder: nn.Module = FlatEncoder(math.prod(shape), width, architecture.hidden, 2 * latent, norm)
        decoder: nn.Module = FlatDecoder(latent + width, architecture.hidden[::-1], (parameters, *shape), norm)
        return Vae(encoder, decoder, told, width, ladder)
    width = architecture.channels[-1] // 2 + 1 if told else 0
    encoder = GridEncoder(shape, width, architecture.channels, 2 * latent, norm)
    decoder = GridDecoder(shape, latent + width, architecture.channels, parameters, norm)
    return Vae(encoder, decoder, told, width, ladder)


def build_ladder(architecture: VaeMlp | VaeConv) -> Ladder | None:
    """The hierarchy of `architecture`; None with one group."""
    if architecture.groups == 1:
        return None
    width = architecture.hidden[-1] if isinstance(architecture, VaeMlp) else 4 * architecture.channels[-1]
    return Ladder(architecture.latent_dim, architecture.groups, 2 * architecture.latent_dim, width)


def _sizes(shape: Shape, levels: int) -> list[tuple[int, int]]:
    """Height and width of each level; an odd side is halved upwards."""
    sizes = [shape[1:]]
    for _ in range(levels - 1):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def mlp(widths: tuple[int, ...], norm: str | None) -> nn.Sequential:
    """Dense layers between `widths`, each normed and with a SiLU after it."""
    layers: list[nn.Module] = []
    for into, out in pairwise(widths):
        layers += [nn.Linear(into, out), norm_1d(norm, out), nn.SiLU()]
    return nn.Sequential(*layers)


def _convolutions(into: int, out: int, norm: str | None, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(into, out, 3, stride, padding=1), norm_2d(norm, out), nn.SiLU(),
        nn.Conv2d(out, out, 3, padding=1), norm_2d(norm, out), nn.SiLU(),
    )  # fmt: skip
