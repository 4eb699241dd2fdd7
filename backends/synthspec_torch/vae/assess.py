"""The figures of a VAE that need its weights: likelihood bounds, collapse, reconstruction, the gain of training.

Bounds of ln p are in nat per example and for the data as they are: the masses of a grid, or a density per unit of the
data, the scaling to [-1, 1] counted. All at beta 1, given the record's own conditions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import Stream, generator
from synthspec.ir.evidence import Figure, Scalar, Split
from synthspec_torch.vae.bounds import elbo, iwae, posterior, reconstruction
from synthspec_torch.vae.learner import ACTIVE, active_units
from synthspec_torch.vae.likelihoods import Likelihood
from synthspec_torch.vae.networks import Vae
from synthspec_torch.vae.objective import Records, kl_divergence

ELBO_DRAWS = 20
IWAE_DRAWS = 500
"""K of the IWAE bound."""
IWAE_RECORDS = 2000
"""The bound is taken on so many records at most: it costs K evaluations for each."""
RESAMPLES = 400
_Z95 = NormalDist().inv_cdf(0.95)
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """What is assessed; bounds that several figures share are computed once."""

    network: Vae
    reference: Vae
    """With the weights of the first finished epoch."""
    likelihood: Likelihood
    encode: Callable[[Dataset], Records]
    splits: Callable[[Split], Records]
    split: Split
    """The split that likelihoods are reported on."""
    span: float
    """High minus low of the content, in its unit."""
    levels: int | None
    """Levels of the grid; None for a density."""
    given: str
    seed: int

    def eps(self, purpose: int, draws: int, records: int) -> Iterator[torch.Tensor]:
        """`draws` times standard normals [records, latent], the same whenever they are asked for one purpose."""
        derived = int(generator(self.seed, Stream.VALIDATE, purpose).integers(2**63))
        numbers = torch.Generator().manual_seed(derived)
        for _ in range(draws):
            yield torch.randn((records, self.latent), generator=numbers)

    @property
    def latent(self) -> int:
        return posterior(self.network, self.splits(self.split).take(slice(1)))[0].shape[1]

    @property
    def dimensions(self) -> int:
        return math.prod(self.splits(self.split).x.shape[1:])

    @property
    def offset(self) -> float:
        """What scaling takes off ln p of a record: -D ln(span / 2) for a density, nothing for masses."""
        return 0.0 if self.levels is not None else -self.dimensions * math.log(self.span / 2.0)

    @cached_property
    def elbos(self) -> F64:
        records = self.splits(self.split)
        eps = self.eps(1, ELBO_DRAWS, len(records))
        return elbo(self.network, self.likelihood, records, eps).numpy() + self.offset

    @torch.inference_mode()
    def told(self, data: Dataset) -> F64:
        """The ELBO of each record of `data`, which meet the same draws: a function of the record alone, but for a constant."""
        records = self.encode(data)
        eps = (draw.expand(len(records), -1) for draw in self.eps(5, ELBO_DRAWS, 1))
        return elbo(self.network, self.likelihood, records, eps).numpy()

    @cached_property
    def iwaes(self) -> F64:
        records = self.splits(self.split)
        if len(records) > IWAE_RECORDS:
            chosen = generator(self.seed, Stream.VALIDATE, 2, 1).choice(len(records), IWAE_RECORDS, replace=False)
            records = records.take(torch.from_numpy(np.sort(chosen)))
        eps = self.eps(2, IWAE_DRAWS, len(records))
        return iwae(self.network, self.likelihood, records, eps).numpy() + self.offset

    @property
    def facts(self) -> tuple[tuple[str, Scalar], ...]:
        support = f"{self.levels} levels" if self.levels is not None else "density per unit of the data"
        return (("beta", 1.0), ("given", self.given), ("support", support), ("dimensions", self.dimensions))


@torch.inference_mode()
def figure(name: str, subject: Subject) -> Figure:
    """The figure `name`. Raises KeyError for one that a VAE does not have."""
    return _FIGURES[name](subject)


def _elbo(subject: Subject) -> Figure:
    details = (("draws", ELBO_DRAWS), *subject.facts)
    return _mean("elbo", "ELBO", subject.elbos, "nat", subject.split, details)


def _iwae(subject: Subject) -> Figure:
    return _mean("iwae", f"IWAE-{IWAE_DRAWS}", subject.iwaes, "nat", subject.split, _bound_facts(subject))


def _nll(subject: Subject) -> Figure:
    return _mean("nll", f"nll[IWAE-{IWAE_DRAWS}]", -subject.iwaes, "nat", subject.split, _bound_facts(subject))


def _bpd(subject: Subject) -> Figure:
    """Bits per dimension -ln p / (D ln 2) of the data as they are (S405-3); an upper bound, since IWAE is a lower one."""
    bits = 1.0 / (subject.dimensions * math.log(2.0))
    details: tuple[tuple[str, Scalar], ...] = (
        *_bound_facts(subject), ("bpd_of_elbo", float(-subject.elbos.mean() * bits)),
    )  # fmt: skip
    if subject.levels is not None:
        details = (*details, ("bpd_of_uniform", math.log2(subject.levels)))
    return _mean("bpd", f"bpd[IWAE-{IWAE_DRAWS}]", -subject.iwaes * bits, "bit", subject.split, details)


def _bound_facts(subject: Subject) -> tuple[tuple[str, Scalar], ...]:
    return (("K", IWAE_DRAWS), *subject.facts)


def _collapse(subject: Subject) -> Figure:
    """1 - AU / D_z with AU the units whose posterior mean varies by more than delta over the test split (C40-513)."""
    records = subject.splits("test")
    means, log_variance = posterior(subject.network, records)
    if len(means) < 2:
        return _none("posterior_collapse_rate", "the test split has fewer than two records")
    informed = int((kl_divergence(means, log_variance).mean(0) > ACTIVE).sum())
    value = _resting(means)
    rng = generator(subject.seed, Stream.VALIDATE, 3)
    again = [_resting(means[torch.from_numpy(rng.integers(0, len(means), len(means)))]) for _ in range(RESAMPLES)]
    lower, upper = np.quantile(again, [0.05, 0.95])
    latent = means.shape[1]
    return Figure(
        name="posterior_collapse_rate", label="1 - AU / latent_dim", value=value, u=float(np.std(again, ddof=1)),
        lower=min(value, float(lower)), upper=max(value, float(upper)), method="bootstrap", n_real=len(means),
        split="test",
        details=(
            ("delta", ACTIVE), ("active", round(latent * (1.0 - value))), ("latent_dim", latent),
            ("units_with_kl_over_delta", informed), ("resamples", RESAMPLES),
        ),
    )  # fmt: skip


def _resting(means: torch.Tensor) -> float:
    return 1.0 - active_units(means).double().mean().item()


def _psnr(subject: Subject) -> Figure:
    """10 log10(MAX^2 / MSE) of E[x | z] at the posterior mean, its mean over the images of the test split (C40-513)."""
    records = subject.splits("test")
    shown = reconstruction(subject.network, subject.likelihood, records)
    # In the scaled unit the range is 2 wide; a perfect image would have no finite dB.
    errors = (shown - records.x).double().square().flatten(1).mean(1).clamp(min=1e-12).numpy()
    details: tuple[tuple[str, Scalar], ...] = (
        ("MAX", subject.span), ("mean_of", "dB of each image"),
        ("dB_of_mean_MSE", float(10.0 * np.log10(4.0 / errors.mean()))),
        ("reconstruction", "E[x | z] at the posterior mean of z"), ("given", subject.given),
    )  # fmt: skip
    return _mean("recon_PSNR", "PSNR, mean of per-image dB", 10.0 * np.log10(4.0 / errors), "dB", "test", details)


def _gain(subject: Subject) -> Figure:
    """How much the ELBO of a val record rose since the first finished epoch, paired on record and draw (C40-513)."""
    records = subject.splits("val")
    now, then = (
        elbo(net, subject.likelihood, records, subject.eps(4, ELBO_DRAWS, len(records)))
        for net in (subject.network, subject.reference)
    )
    details: tuple[tuple[str, Scalar], ...] = (
        ("reference", "weights at the end of the first epoch"), ("draws", ELBO_DRAWS), ("beta", 1.0),
    )  # fmt: skip
    return _mean("elbo_val_gain", "ELBO_val - ELBO_val of the reference", (now - then).numpy(), "nat", "val", details)


_FIGURES: Mapping[str, Callable[[Subject], Figure]] = {
    "bpd": _bpd,
    "elbo": _elbo,
    "elbo_val_gain": _gain,
    "iwae": _iwae,
    "nll": _nll,
    "posterior_collapse_rate": _collapse,
    "recon_PSNR": _psnr,
}


def _mean(
    name: str, label: str, values: F64, unit: str, split: Split, details: tuple[tuple[str, Scalar], ...]
) -> Figure:  # fmt: skip
    """The mean over records with its standard error, and bounds each at 95 %."""
    if len(values) < 2:
        return _none(name, f"the {split} split has fewer than two records")
    value, u = float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))
    return Figure(
        name=name, label=label, value=value, unit=unit, u=u, lower=value - _Z95 * u, upper=value + _Z95 * u,
        method="standard-error", n_real=len(values), split=split, details=details,
    )  # fmt: skip


def _none(name: str, reason: str) -> Figure:
    return Figure(name=name, label=name, value=None, reason=reason)
