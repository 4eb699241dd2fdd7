"""What a trained network says of records: its posterior, its reconstruction, and two bounds of ln p(x | c)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch

from synthspec_torch.vae.likelihoods import Likelihood
from synthspec_torch.vae.networks import Vae
from synthspec_torch.vae.objective import Records, kl_divergence, log_likelihood

CHUNK = 1024
"""Records of one forward pass."""


def elbo(network: Vae, likelihood: Likelihood, records: Records, eps: Iterable[torch.Tensor]) -> torch.Tensor:
    """The ELBO of each record at beta 1, the mean over the draws `eps`, each [n, latent]; float64 [n], in nat."""
    bounds = []
    for _, z, mean, log_variance in _draws(network, records, eps):
        recon = _log_likelihood(network, likelihood, records, z)
        bounds.append(recon - kl_divergence(mean, log_variance).double().sum(1))
    return torch.stack(bounds).mean(0)


def iwae(network: Vae, likelihood: Likelihood, records: Records, eps: Iterable[torch.Tensor]) -> torch.Tensor:
    """Bound ln (1/K) sum_k p(x, z_k) / q(z_k | x) of each record, K draws `eps`, each [n, latent] (Burda et al. 2016).

    The mean is taken inside the logarithm, record by record. float64 [n], in nat.
    """
    weights = []
    for draw, z, _, log_variance in _draws(network, records, eps):
        # The constants of p(z) and q(z | x) are the same, so they leave ln p(z) - ln q(z | x).
        ratio = 0.5 * (draw.square() - z.square() + log_variance).double().sum(1)
        weights.append(_log_likelihood(network, likelihood, records, z) + ratio)
    return torch.stack(weights).logsumexp(0) - math.log(len(weights))


def _draws(
    network: Vae, records: Records, eps: Iterable[torch.Tensor]
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Each of `eps` with the draw z that it stands for, and the mean and log-variance that z was drawn with."""
    if network.ladder is None:
        # One posterior serves all draws.
        mean, log_variance = posterior(network, records)
        for draw in eps:
            yield draw, mean + torch.exp(0.5 * log_variance) * draw, mean, log_variance
        return
    for draw in eps:
        parts = [network.infer(part.x, part.given, draw[rows]) for part, rows in _chunks(records)]
        z, mean, log_variance = (torch.cat(part) for part in zip(*parts, strict=True))
        yield draw, z, mean, log_variance


def posterior(network: Vae, records: Records) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and log-variance of q(z | x, c), both [n, latent]."""
    parts = [network.encode(part.x, part.given) for part, _ in _chunks(records)]
    return torch.cat([mean for mean, _ in parts]), torch.cat([log_variance for _, log_variance in parts])


def reconstruction(network: Vae, likelihood: Likelihood, records: Records) -> torch.Tensor:
    """E[x | z, c] at the posterior mean of z, scaled, [n, *shape]."""
    means, _ = posterior(network, records)
    return torch.cat([likelihood.mean(network.decode(means[rows], part.given)) for part, rows in _chunks(records)])


def _log_likelihood(network: Vae, likelihood: Likelihood, records: Records, z: torch.Tensor) -> torch.Tensor:
    parts = [log_likelihood(network, likelihood, part, z[rows]) for part, rows in _chunks(records)]
    return torch.cat(parts).double()


def _chunks(records: Records) -> Iterator[tuple[Records, slice]]:
    for start in range(0, len(records), CHUNK):
        rows = slice(start, start + CHUNK)
        yield records.take(rows), rows
