"""The invertible network of S405-3: zuko's monotone maps in a chain, with our own base at its end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
import zuko
from torch import nn

from synthspec.ir.families import AffineCoupling, Autoregressive, FlowEngine, SplineCoupling

Architecture = SplineCoupling | AffineCoupling | Autoregressive

SLOPE = 1e-3
"""The least slope of a monotone map, and the inverse of the greatest."""


class Normal(nn.Module):
    """The standard normal law of each number on its own."""

    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        """Nats of z [n, d] -> [n]."""
        return -0.5 * z.square().sum(-1) - 0.5 * math.log(2 * math.pi) * z.shape[-1]


class StudentT(nn.Module):
    """Student's t of each number on its own, its degrees of freedom learned: 2 + softplus(raw) > 2, 8 at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.full((width,), math.log(math.expm1(6.0))))

    @property
    def degrees(self) -> torch.Tensor:
        """[d]."""
        return 2.0 + nn.functional.softplus(self.raw)

    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        """Nats of z [n, d] -> [n]."""
        df = self.degrees
        constant = torch.lgamma((df + 1) / 2) - torch.lgamma(df / 2) - 0.5 * torch.log(df * math.pi)
        return (constant - (df + 1) / 2 * torch.log1p(z.square() / df)).sum(-1)


class ActNorm(nn.Module):
    """y = (x + shift) exp(log_scale), number by number; the identity until `start_at` is called."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(width))
        self.log_scale = nn.Parameter(torch.zeros(width))

    @torch.no_grad()
    def start_at(self, x: torch.Tensor) -> None:
        """Let the records x [n, d] come out with mean 0 and standard deviation 1."""
        self.shift.copy_(-x.mean(0))
        self.log_scale.copy_(-torch.log(x.std(0, unbiased=False).clamp_min(1e-3)))


class Step(nn.Module):
    """One monotone map given the context, after an act-norm where the architecture has them."""

    def __init__(self, lazy: zuko.lazy.LazyTransform, norm: ActNorm | None) -> None:
        super().__init__()
        self.lazy = lazy
        self.norm: ActNorm | None = norm

    def forward(self, x: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of x [n, d]: y [n, d] and log |det dy/dx| [n]."""
        total = x.new_zeros(len(x))
        if self.norm is not None:
            x, total = (x + self.norm.shift) * self.norm.log_scale.exp(), total + self.norm.log_scale.sum()
        y, logdet = self._given(c).call_and_ladj(x)
        return y, total + logdet

    def inverse(self, y: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Of y [n, d]: x [n, d]."""
        x: torch.Tensor = self._given(c).inv(y)
        return x if self.norm is None else x * (-self.norm.log_scale).exp() - self.norm.shift

    def _given(self, c: torch.Tensor) -> Any:  # noqa: ANN401 - zuko has no types
        return self.lazy(c if c.shape[-1] else None)


class FlowNetwork(nn.Module):
    """z = f(x | c) with its log-determinant, its inverse, and the density that they give (S405-3).

    A coupling changes one half of the numbers given the other, by zuko's two-pass masks; each permutation is followed by
    its reverse, so that after two maps each number was in either half (of an odd count, all but the middle one).
    Autoregressive maps use the same orders in full.
    """

    def __init__(self, engine: FlowEngine, width: int, context: int) -> None:
        """A flow over `width` numbers under `context` numbers. Draws from the global generator."""
        super().__init__()
        architecture = engine.architecture
        if not isinstance(architecture, Architecture):
            raise TypeError(f"no flow is called {architecture.name}")
        self.width = width
        normed = not isinstance(architecture, Autoregressive) and architecture.actnorm is not None
        self.steps = tuple(
            Step(lazy, ActNorm(width) if normed else None) for lazy in _maps(architecture, width, context)
        )
        self.chain = nn.ModuleList(self.steps)
        self.base: Normal | StudentT = Normal() if engine.base_dist == "normal" else StudentT(width)

    def forward(self, x: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of x [n, d] under c [n, context]: z [n, d] and log |det dz/dx| [n]."""
        total = x.new_zeros(len(x))
        for step in self.steps:
            x, logdet = step(x, c)
            total = total + logdet
        return x, total

    def inverse(self, z: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Of z [n, d] under c [n, context]: x [n, d]."""
        for step in reversed(self.steps):
            z = step.inverse(z, c)
        return z

    def log_prob(self, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Nats of x [n, d] under c [n, context]; [n]."""
        z, logdet = self(x, c)
        nats: torch.Tensor = self.base.log_prob(z) + logdet
        return nats

    @torch.no_grad()
    def start_at(self, x: torch.Tensor, c: torch.Tensor) -> None:
        """Set each act-norm by the moments of what reaches it of the records x."""
        for step in self.steps:
            if step.norm is not None:
                step.norm.start_at(x)
            x, _ = step(x, c)


def _maps(architecture: Architecture, width: int, context: int) -> Iterator[zuko.lazy.LazyTransform]:
    univariate = partial(zuko.transforms.MonotonicAffineTransform, slope=SLOPE)
    shapes: tuple[tuple[int, ...], ...] = ((), ())
    if not isinstance(architecture, AffineCoupling):
        univariate = partial(zuko.transforms.MonotonicRQSTransform, slope=SLOPE)
        shapes = ((architecture.bins,), (architecture.bins,), (architecture.bins - 1,))
    order = torch.arange(width)
    for number in range(architecture.transforms):
        # Orders are places: their reverse is a subtraction, not a flip of the list.
        order = width - 1 - order if number % 2 else torch.randperm(width)
        yield zuko.flows.MaskedAutoregressiveTransform(
            features=width,
            context=context,
            passes=None if isinstance(architecture, Autoregressive) else 2,
            order=order,
            univariate=univariate,
            shapes=shapes,
            hidden_features=architecture.hidden,
        )
