"""FID, named for its features: the Frechet distance of two Gaussians (S412-1 of the evaluation chapter, S402-4)."""

from __future__ import annotations

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.control import gaussian_control
from synthspec.metrics.figures import Z95, UnmeasurableError, details
from synthspec.metrics.request import Array, Given
from synthspec.metrics.stream import halves

ESTIMATOR = "plug-in on unbiased moments, mean over views; biased up: read fd_inf and fd_debiased beside it"
REPLICATES = 100
_PER_DIM = 10
_NULL_CUTS = 8
_FRACTIONS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def measure(bench: Bench) -> Figure:
    """FID of the synthetic records against the reference split, averaged over the views of the extractor.

    Raises:
        UnmeasurableError: fewer than 10 records a dimension on either side.

    """
    return frechet_figure(bench, "FID", f"FD[{bench.extractor.name}]")


def frechet_figure(bench: Bench, name: str, label: str) -> Figure:
    """The figure of a Frechet distance of features.

    Biased upwards by about 2d/n + d(d+1)/(2n) for whitened features, so these stand beside it: `null`; the same brought
    from the size of the halves to the sizes at hand (``null_at_n``: the bias goes with 1/n + 1/m); the value less that
    (``fd_debiased``, zero on average for a perfect generator); and ``fd_inf`` (Chong and Forsyth 2020: linear fit in
    1/n, extrapolated to n = infinity). u is a bootstrap over records (moments bear ties, unlike nearest neighbours); the
    upper bound adds 1.645 u to the biased value, which errs on the safe side.

    Raises:
        UnmeasurableError: fewer than 10 records a dimension on either side.

    """
    x, y = _views(bench.features(bench.reference), bench), _views(bench.features("synthetic"), bench)
    dim = x.shape[2]
    if min(len(x), len(y)) < _PER_DIM * dim:
        raise UnmeasurableError(f"{len(x)} real and {len(y)} synthetic records; {_PER_DIM * dim} of each are needed")
    value = mean_frechet(x, y)
    u = spread(x, y, bench.rng("fid/bootstrap"))
    chosen = bench.extractor
    at_n = 0.25 * len(x) * (1 / len(x) + 1 / len(y))
    between_halves = null(x, bench.rng("fid/null"))
    return Figure(
        name=name,
        label=label,
        value=value,
        u=u,
        lower=value - Z95 * u,
        upper=value + Z95 * u,
        method="bootstrap",
        n_real=len(x),
        n_syn=len(y),
        split=bench.reference,
        null=between_halves,
        details=details(
            extractor=chosen.name,
            extractor_sha256=chosen.sha256,
            **({"extractor_input": chosen.input} if isinstance(chosen, Given) and chosen.input else {}),
            dim=dim,
            views=x.shape[1],
            fd_scale=chosen.fd_scale,
            null_at_n=between_halves * at_n,
            fd_debiased=value - between_halves * at_n,
            fd_inf=fd_inf(x, y, bench.rng("fid/inf")),
            control_gaussian=_control(bench, x),
            replicates=REPLICATES,
            seed=bench.request.seed,
        ),
    )


def frechet(x: Array, y: Array) -> float:
    """``|mu_x - mu_y|^2 + Tr(S_x + S_y - 2 (S_x^(1/2) S_y S_x^(1/2))^(1/2))`` of two samples (n, d), (m, d).

    The symmetric root needs two eigendecompositions and no complex `sqrtm`; eigenvalues below zero from rounding are
    clipped.
    """
    return _frechet_moments(x.mean(axis=0), np.cov(x.T, ddof=1), y.mean(axis=0), np.cov(y.T, ddof=1))


def mean_frechet(x: Array, y: Array) -> float:
    """`frechet` averaged over the views of (n, views, d) and (m, views, d)."""
    return float(np.mean([frechet(x[:, view], y[:, view]) for view in range(x.shape[1])]))


def fd_inf(x: Array, y: Array, rng: np.random.Generator, repeats: int = 4) -> float:
    """The intercept of FD over 1/n: both samples are thinned to the same fraction f and FD is fitted as a + b / f."""
    points = [(1 / f, mean_frechet(_thin(x, f, rng), _thin(y, f, rng))) for f in _FRACTIONS for _ in range(repeats)]
    inverse, distance = np.array(points).T
    _, intercept = np.polyfit(inverse, distance, 1)
    return float(intercept)


def null(x: Array, rng: np.random.Generator) -> float:
    """FD between two halves of the real split, averaged over random cuts: what a perfect generator still shows."""
    return float(np.mean([mean_frechet(x[a], x[b]) for a, b in halves(len(x), _NULL_CUTS, rng)]))


def spread(x: Array, y: Array, rng: np.random.Generator, replicates: int = REPLICATES) -> float:
    """The bootstrap standard error of `mean_frechet`: its spread when both samples are redrawn with replacement."""
    draws = [
        mean_frechet(x[rng.integers(len(x), size=len(x))], y[rng.integers(len(y), size=len(y))])
        for _ in range(replicates)
    ]
    return float(np.std(draws, ddof=1))


def _frechet_moments(mu_x: Array, cov_x: Array, mu_y: Array, cov_y: Array) -> float:
    cov_x, cov_y = np.atleast_2d(cov_x), np.atleast_2d(cov_y)
    values, vectors = np.linalg.eigh(cov_x)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ cov_y @ root), 0.0, None)).sum()
    gap = mu_x - mu_y
    return float(gap @ gap + np.trace(cov_x) + np.trace(cov_y) - 2 * cross)


def _views(features: Array, bench: Bench) -> Array:
    return features * bench.extractor.fd_scale


def _thin(x: Array, fraction: float, rng: np.random.Generator) -> Array:
    return x if fraction == 1.0 else x[rng.permutation(len(x))[: round(fraction * len(x))]]


def _control(bench: Bench, x: Array) -> float | None:
    """FID of the control arm: as many draws from the Gaussian fitted to the training content."""
    if bench.request.modality != "image" or bench.request.train is None:
        return None
    drawn = gaussian_control(bench.scaled("train"), len(bench.sample("synthetic")), bench.rng("fid/control"))
    try:
        return mean_frechet(x, _views(bench.extractor(drawn), bench))
    except UnmeasurableError:  # the features came with the records, and these are others
        return None
