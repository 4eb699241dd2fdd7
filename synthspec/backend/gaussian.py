"""What diffusion does on Gaussian data, in closed form: the oracle that diffusion backends are tested against.

For x_0 ~ N(mean, cov) the law at noise level alpha_bar is N(a mean, a^2 cov + s^2 I) with a = sqrt(alpha_bar) and
s = sqrt(1 - alpha_bar), so the best denoiser is known without training, and every solver step with it is an affine map
(generators.md section 3.4). Importing this module imports numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from synthspec.backend.schedules import F64


def exact_eps(x: F64, alpha_bar: float, mean: F64, cov: F64) -> F64:
    """E[eps | x_t = x] = s (a^2 cov + s^2 I)^-1 (x - a mean).

    Shapes: x [n, d], mean [d], cov [d, d]; 0 <= alpha_bar < 1. Returns [n, d].
    """
    a, s = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)
    total = alpha_bar * cov + (1 - alpha_bar) * np.eye(len(mean))
    return np.asarray(s * np.linalg.solve(total, (x - a * mean).T).T)


def exact_x0(x: F64, alpha_bar: float, mean: F64, cov: F64) -> F64:
    """E[x_0 | x_t = x] = (x - s eps) / a; shapes as `exact_eps`, 0 < alpha_bar < 1."""
    return np.asarray((x - np.sqrt(1 - alpha_bar) * exact_eps(x, alpha_bar, mean, cov)) / np.sqrt(alpha_bar))


def ddim_gaussian_closed_form(grid: F64, mean: F64 | float, std: F64 | float) -> tuple[F64, F64]:
    """Mean and std of what DDIM (eta 0) makes of x_T ~ N(0, 1) with the exact denoiser of N(mean, std^2).

    x_end = mean + P (x_T - a_T mean), P = prod (a' a std^2 + s' s) / (a^2 std^2 + s^2) over the steps. `grid` is
    alpha_bar at the visited steps and the end, ascending, shape [steps + 1]; `mean` and `std` may hold one value for
    each principal axis of the data.
    """
    a, s = np.sqrt(grid), np.sqrt(1 - grid)
    total = np.ones_like(np.asarray(std, dtype=np.float64))
    variance = np.square(std)
    for now in range(len(grid) - 1):
        after = now + 1
        total = total * (a[after] * a[now] * variance + s[after] * s[now]) / (grid[now] * variance + 1 - grid[now])
    return np.asarray(mean * (1 - total * a[0])), np.abs(total)


def ddpm_gaussian_closed_form(grid: F64, mean: F64 | float, std: F64 | float) -> tuple[F64, F64]:
    """Mean and std of what ancestral sampling makes of x_T ~ N(0, 1) with the exact denoiser; arguments as DDIM's.

    Each step is x' = k_0 x0_hat + k_x x + tilde_sigma z (Ho et al. 2020, eq. 7), x0_hat affine in x.
    """
    variance = np.square(std)
    centre, spread = np.zeros_like(variance * 1.0), np.ones_like(variance * 1.0)
    for now, after in pairwise(grid):
        beta = 1 - now / after
        k_0, k_x = np.sqrt(after) * beta / (1 - now), np.sqrt(now / after) * (1 - after) / (1 - now)
        gain = np.sqrt(now) * variance / (now * variance + 1 - now)
        slope = k_0 * gain + k_x
        centre = slope * centre + k_0 * mean * (1 - gain * np.sqrt(now))
        spread = slope**2 * spread + (1 - after) / (1 - now) * beta
    return np.asarray(centre), np.sqrt(spread)


def ode_gaussian_closed_form(x: F64, alpha_bar: float, end: float, mean: F64 | float, std: F64 | float) -> F64:
    """Where the probability-flow ODE carries `x` from noise level `alpha_bar` to `end`: what deterministic solvers tend to.

    Each axis keeps its quantile: (x' - a' mean) / sqrt(a'^2 std^2 + s'^2) stays what it was.
    """
    before = np.sqrt(alpha_bar * np.square(std) + 1 - alpha_bar)
    after = np.sqrt(end * np.square(std) + 1 - end)
    return np.asarray(np.sqrt(end) * mean + after / before * (x - np.sqrt(alpha_bar) * mean))


@dataclass(frozen=True)
class GaussianClasses:
    """A Gaussian for each class and, last, one for all rows, in their principal axes.

    mean [k + 1, d]; basis [k + 1, d, d], columns are axes; variance [k + 1, d]; count [k + 1] training rows.
    """

    mean: F64
    basis: F64
    variance: F64
    count: F64

    @property
    def pooled(self) -> int:
        """The index of the Gaussian of all rows."""
        return len(self.mean) - 1

    def eps(self, x: F64, alpha_bar: float, classes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> F64:
        """`exact_eps` of each row of x [n, d] under the Gaussian of its class [n].

        Sums are plain loops (einsum), never BLAS: they come out the same whatever else runs beside them.
        """
        a, s = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)
        out = np.empty_like(x)
        for index in np.unique(classes):
            rows = classes == index
            axes = np.einsum("ni,ij->nj", x[rows] - a * self.mean[index], self.basis[index])
            axes *= s / (alpha_bar * self.variance[index] + 1 - alpha_bar)
            out[rows] = np.einsum("nj,ij->ni", axes, self.basis[index])
        return out


def fit_classes(x: F64, classes: np.ndarray[tuple[int], np.dtype[np.int64]], k: int) -> GaussianClasses:
    """Moments (maximum likelihood, divided by n) of x [n, d] by class 0..k-1, and of all rows. n >= 1.

    A class without rows has count 0 and must not be drawn from.
    """
    groups = [x[classes == index] for index in range(k)] + [x]
    moments = [_moments(rows, x.shape[1]) for rows in groups]
    mean, basis, variance = (np.stack(parts) for parts in zip(*moments, strict=True))
    return GaussianClasses(mean, basis, variance, np.array([len(rows) for rows in groups], dtype=np.float64))


def _moments(rows: F64, d: int) -> tuple[F64, F64, F64]:
    if not len(rows):
        return np.zeros(d), np.eye(d), np.zeros(d)
    mean = rows.mean(axis=0)
    centred = rows - mean
    variance, basis = np.linalg.eigh(centred.T @ centred / len(rows))
    return mean, np.ascontiguousarray(basis), np.maximum(variance, 0.0)
