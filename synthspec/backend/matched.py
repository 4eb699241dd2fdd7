"""A table from its noisy mean embedding: one Gaussian release, and records of the laws that match it (P405-4).

Which records are drawn, how many, and of how many laws, are questions to what was released: no record is looked at again.
Importing this imports numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.accounting import Event, Gaussian
from synthspec.backend.cells import Cells
from synthspec.backend.dataset import Column
from synthspec.backend.embedding import Features, block_of
from synthspec.backend.latent import Mixture, fitted
from synthspec.backend.noise import Noise
from synthspec.ir.statistics import EMBEDDING

Sums = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """A law for each member of the target, and what the release cost."""

    features: Features
    counts: NDArray[np.float64]
    """Records of each law, as they were released."""
    laws: tuple[Mixture, ...]
    sigma: float
    """Of the release, in units of what one record moves it by."""

    @property
    def event(self) -> Event:
        """The release as an accountant takes it."""
        return Gaussian(self.sigma)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Column, ...]:
        """`n` records, one column a field, in no order: no look at any record, so any number costs nothing."""
        features = self.features
        of = rng.choice(len(self.laws), n, p=self.counts / self.counts.sum())
        places = np.empty((n, len(features.numbers)))
        codes = np.empty((n, len(features.members)), np.int64)
        for block, law in enumerate(self.laws):
            rows = np.flatnonzero(of == block)
            places[rows], members = law.sample(len(rows), rng)
            for column, member in enumerate(members):
                codes[rows, column] = member
        found = {i: features.cells[i].at(places[:, column]) for column, i in enumerate(features.numbers)}
        found |= {i: features.cells[i].values(codes[:, j], rng) for j, i in enumerate(features.categories)}
        for j, i in enumerate(features.gaps, len(features.categories)):
            found[i] = np.where(codes[:, j] == 1, np.nan, found[i])
        if features.target is not None:
            found[features.target] = features.cells[features.target].values(of, rng)
        return tuple(found[i] for i in range(len(features.cells)))


def match_embedding(
    cells: Sequence[Cells],
    columns: Sequence[Column],
    sigma: float,
    target: int | None,
    rng: np.random.Generator,
    noise: Noise | None = None,
) -> Matched:
    """Release the mean embedding of `columns`, one a field, at a noise of `sigma`, and find the laws that match it.

    `rng` draws the features and where the laws begin, and is public; `noise` makes the release, by default under a key
    that nobody keeps. Raises ValueError as `Features.drawn` and `Noise.release`.
    """
    features = Features.drawn(cells, target, rng)
    return matched(features, release(features, columns, sigma, noise or Noise()), sigma, rng)


def release(features: Features, columns: Sequence[Column], sigma: float, noise: Noise) -> Sums:
    """The sums of the features of `columns` under `noise`, shape (blocks, features): all that is told of the records."""
    (sums,) = noise.release(EMBEDDING, [features.sums(columns)], sigma)
    return sums


def matched(features: Features, sums: Sums, sigma: float, rng: np.random.Generator) -> Matched:
    """The laws that match the released `sums`, whose noise is `sigma`, each as far as the noise on its own lets it be told.

    Those of the members of a target begin at the law of all records, which has the most of them.
    """
    pooled = block_of(features, sums.sum(axis=0), sigma * math.sqrt(len(sums)))
    laws = [fitted(features, pooled, Mixture.first(features, pooled.count, rng))]
    counts = np.array([pooled.count])
    if len(sums) > 1:
        blocks = [block_of(features, row, sigma) for row in sums]
        laws = [fitted(features, block, laws[0]) for block in blocks]
        counts = np.array([block.count for block in blocks])
    return Matched(features, counts, tuple(laws), sigma)
