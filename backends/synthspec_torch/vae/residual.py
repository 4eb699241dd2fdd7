"""The VAE of a table under a mechanism: an encoder that sees how far a record lies from what is expected of its conditions.

What is expected is the decoder's law at z = 0, which earlier releases made: the encoder gets numbers of order 1 wherever in
the range of the SRef the values lie, and no private record is looked at for it. Both halves have a linear path beside the
MLP, of so few weights that noisy steps reach them: the first posterior is a projection of the record (Saxe et al. 2014 on
orthogonal starts), so that the latents say something before the decoder can be taught to listen.
"""

from __future__ import annotations

import torch
from torch import nn

from synthspec.ir.families import VaeMlp
from synthspec_torch.data.given import Embedding
from synthspec_torch.vae.networks import LOG_VARIANCE, Vae, embedded, mlp
from synthspec_torch.vae.spans import Spanned

START = -1.0
"""Log-variance of the first posterior: a draw is told from another one."""


class ResidualEncoder(nn.Module):
    """Mean and log-variance [n, 2 latent] of residuals [n, features] beside the embedded conditions."""

    def __init__(self, features: int, extra: int, hidden: tuple[int, ...], latent: int, norm: str | None) -> None:
        super().__init__()
        self.body = mlp((features + extra, *hidden), norm)
        self.head = _silent(nn.Linear(hidden[-1], 2 * latent))
        self.straight = nn.Linear(features, latent, bias=False)
        nn.init.orthogonal_(self.straight.weight)
        nn.init.constant_(self.head.bias[latent:], START)

    def forward(self, residuals: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        mean, log_variance = self.head(self.body(torch.cat([residuals, told], 1))).chunk(2, dim=1)
        return torch.cat([mean + self.straight(residuals), log_variance], 1)


class StraightDecoder(nn.Module):
    """An MLP from the code beside the embedded conditions, and a linear path; the first law is the same for all: outputs 0."""

    def __init__(self, size: int, hidden: tuple[int, ...], out: int, norm: str | None) -> None:
        super().__init__()
        self.body = mlp((size, *hidden), norm)
        self.head = _silent(nn.Linear(hidden[-1], out))
        self.straight = _silent(nn.Linear(size, out, bias=False))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.body(z)) + self.straight(z)
        return out


class ResidualVae(Vae):
    """A VAE whose encoder sees residuals against its own decoder at z = 0."""

    def __init__(self, likelihood: Spanned, architecture: VaeMlp, told: Embedding | None) -> None:
        """`told` as in `Vae`."""
        width = architecture.hidden[-1] // 4 + 1 if told else 0
        latent, hidden, norm = architecture.latent_dim, architecture.hidden, architecture.norm
        encoder = ResidualEncoder(likelihood.parameters, width, hidden, latent, norm)
        decoder = StraightDecoder(latent + width, hidden[::-1], likelihood.parameters, norm)
        super().__init__(encoder, decoder, told, width)
        self.likelihood, self.latent = likelihood, latent

    def encode(self, x: torch.Tensor, given: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        # Detached: what is expected is a constant here, or a record could be explained by moving its yardstick.
        expected = self.decode(x.new_zeros(len(x), self.latent), given).detach()
        codes = x[:, :-1].long()
        seen = [span.residuals(part, codes[:, j]) for j, (span, part) in enumerate(self.likelihood.parts(expected))]
        out = self.encoder(torch.cat(seen, 1), embedded(self.seen, given, x))
        mean, log_variance = out.chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE)


def _silent(layer: nn.Linear) -> nn.Linear:
    """`layer` with outputs of 0."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
