"""Estimates of ln p(x | c) from a trained network: the ELBO over several draws, and the tighter IWAE bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from synthspec_torch.vae.likelihoods import Likelihood
from synthspec_torch.vae.networks import Vae
from synthspec_torch.vae.objective import Records, log_likelihood, terms

CHUNK = 1024
"""Records of one forward pass."""


def elbo(network: Vae, likelihood: Likelihood, records: Records, eps: torch.Tensor) -> torch.Tensor:
    """The ELBO of each record at beta 1, the mean over the draws `eps` [draws, n, latent]; float64 [n], in nat."""
    return _by_chunk(
        records, lambda part, rows: torch.stack([terms(network, likelihood, part, e[rows]).elbo.double() for e in eps])
    ).mean(0)


def iwae(network: Vae, likelihood: Likelihood, records: Records, eps: torch.Tensor) -> torch.Tensor:
    """Bound ln (1/K) sum_k p(x, z_k) / q(z_k | x) of each record, K draws `eps` [K, n, latent] (Burda et al. 2016).

    The mean is taken inside the logarithm, record by record. float64 [n], in nat.
    """
    weights = _by_chunk(records, lambda part, rows: _log_weights(network, likelihood, part, eps[:, rows]))
    return weights.logsumexp(0) - math.log(len(eps))


def _log_weights(network: Vae, likelihood: Likelihood, records: Records, eps: torch.Tensor) -> torch.Tensor:
    """Log-weights ln p(x, z) - ln q(z | x), [K, n]."""
    mean, log_variance = network.encode(records.x, records.labels)
    rows = []
    for draw in eps:
        z = mean + torch.exp(0.5 * log_variance) * draw
        ratio = 0.5 * (draw.square() - z.square() + log_variance).sum(1)
        rows.append((log_likelihood(network, likelihood, records, z) + ratio).double())
    return torch.stack(rows)


def _by_chunk(records: Records, found: Callable[[Records, slice], torch.Tensor]) -> torch.Tensor:
    """`found` of the records and of their place, chunk by chunk, joined along the second axis."""
    places = [slice(start, start + CHUNK) for start in range(0, len(records), CHUNK)]
    return torch.cat([found(records.take(rows), rows) for rows in places], dim=1)
