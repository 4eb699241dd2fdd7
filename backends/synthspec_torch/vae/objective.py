"""The ELBO and what is trained on: beta with its annealing, free bits on the batch mean (S405-1, section IX).

All in nat per example, summed over dimensions. The reported ELBO has beta 1 and no free bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from synthspec.ir.families import Elbo, ElboBeta
from synthspec_torch.vae.likelihoods import Likelihood
from synthspec_torch.vae.networks import Vae


@dataclass(frozen=True, slots=True)
class Records:
    """Contents scaled to [-1, 1], [n, C, H, W], with their conditions: labels [n], vectors [n, k], or None without any."""

    x: torch.Tensor
    given: torch.Tensor | None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: torch.Tensor | slice) -> Records:
        return Records(self.x[rows], None if self.given is None else self.given[rows])


@dataclass(frozen=True, slots=True)
class Terms:
    """The two terms of the ELBO from one draw of z an example."""

    recon: torch.Tensor
    """ln p(x | z), [n]."""
    kl: torch.Tensor
    """KL(q || p) of each latent dimension, in closed form, [n, latent]."""

    @property
    def elbo(self) -> torch.Tensor:
        """At beta 1, [n]."""
        return self.recon - self.kl.sum(1)

    def loss(self, beta: float, free_bits: float) -> torch.Tensor:
        """-ELBO_beta of the batch, where no latent dimension counts less than `free_bits` nat on the batch mean."""
        return beta * self.kl.mean(0).clamp(min=free_bits).sum() - self.recon.mean()


def kl_divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) = (m^2 + s^2 - 1 - ln s^2) / 2, elementwise."""
    return 0.5 * (mean.square() + torch.expm1(log_variance) - log_variance)


def log_likelihood(network: Vae, likelihood: Likelihood, records: Records, z: torch.Tensor) -> torch.Tensor:
    """Sum over the values of ln p(x | z, c), [n]."""
    return likelihood.log_prob(network.decode(z, records.given), records.x).flatten(1).sum(1)


def terms(network: Vae, likelihood: Likelihood, records: Records, eps: torch.Tensor) -> Terms:
    """The terms at the draw z of standard normals `eps` [n, latent]."""
    z, mean, log_variance = network.infer(records.x, records.given, eps)
    return Terms(log_likelihood(network, likelihood, records, z), kl_divergence(mean, log_variance))


@dataclass(frozen=True, slots=True)
class BetaCourse:
    """beta at each step: a ramp over the first `steps` steps, or `cycles` of them, then `beta`.

    In a cycle beta rises linearly over the first half and stays over the second (Fu et al. 2019).
    """

    beta: float
    steps: int = 0
    cycles: int = 0
    """0 for one ramp over all the steps."""

    @classmethod
    def of(cls, objective: Elbo | ElboBeta, epoch_steps: int) -> BetaCourse:
        """The course of `objective` where an epoch has `epoch_steps` steps. Raises ValueError without a beta."""
        beta = 1.0 if isinstance(objective, Elbo) else objective.beta
        if beta is None:
            raise ValueError("elbo_beta needs a beta")
        annealing = objective.annealing
        if annealing is None:
            return cls(beta)
        cycles = annealing.cycles if annealing.name == "cyclical" else 0
        return cls(beta, annealing.epochs * epoch_steps, cycles)

    def at(self, step: int) -> float:
        """The weight of the KL at `step`, from 1.

        >>> [BetaCourse(2.0, steps=4).at(step) for step in (1, 2, 4, 5)]
        [0.5, 1.0, 2.0, 2.0]
        >>> [BetaCourse(1.0, steps=8, cycles=2).at(step) for step in (1, 2, 3, 4, 5, 8)]
        [0.5, 1.0, 1.0, 0.0, 0.5, 1.0]
        """
        if step >= self.steps:
            return self.beta
        if not self.cycles:
            return self.beta * step / self.steps
        phase = step * self.cycles / self.steps % 1.0
        return self.beta * min(1.0, 2.0 * phase)

    def settled(self, step: int) -> bool:
        """Whether beta changes no more after `step`."""
        return step >= self.steps
