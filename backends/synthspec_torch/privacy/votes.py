"""PATE: parts of the records by secret coins, and the noisy votes that are all that leaves the teachers (P405-4).

The second of two places where something about private records is released: the first adds noise to sums of gradients
(`synthspec_torch.privacy.mechanism`), this one to counts of votes (Papernot et al. 2017, 2018).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.accounting import Aggregation
from synthspec.backend.releases import ReleaseMeter
from synthspec_torch.privacy.stream import Keystream, normals, units

CLASSES = 2
"""A generated record is voted to be generated (0) or real (1)."""


def parts_of(key: bytes, records: int, teachers: int) -> NDArray[np.int64]:
    """Which teacher each of `records` rows belongs to, [n]: a coin of its own, before anything is trained.

    A rule by the place of a row alone would be public, and wrong: under add_remove a record that is taken out moves all
    later ones to other teachers. Coins that are alike for every row and independent of each other are shared by two data
    sets that differ by one record, wherever it stood, so that one teacher differs, and no more. The parts have no equal
    sizes for the same reason: those would follow from the number of records.
    """
    words = Keystream(key).words(0, records)
    return np.asarray(words % np.uint64(teachers), dtype=np.int64)


class NoisyVotes:
    """GNMax and LNMax: noise on the count of each class, and of each query the class with the greatest alone is released.

    The noise comes from AES under a secret key, in float64. What leaves is one of `CLASSES` answers, so there are no low
    bits by which sums of doubles could be told apart (Mironov 2012).
    """

    def __init__(
        self, key: bytes, *, aggregation: Aggregation, scale: float, planned: int, meter: ReleaseMeter | None = None
    ) -> None:
        """`scale` in votes: the standard deviation, or the scale b of Laplace's law, whose |noise| is b on average.

        `planned` queries are paid for; `meter` sees each of them before it is answered. Raises ValueError for a scale that
        means nothing.
        """
        if not scale >= 0:
            raise ValueError("noise on votes has a scale of at least 0")
        self._stream = Keystream(key)
        self.aggregation, self.scale, self.planned = aggregation, scale, planned
        self.releases = 0
        self._rounds = 0
        self._meter = meter or ReleaseMeter(None)

    def winners(self, counts: torch.Tensor) -> torch.Tensor:
        """The class of each query with the greatest noisy count, [q] of counts [q, classes]: so many more releases.

        Raises RuntimeError for more queries than are paid for: then none of them is answered.
        """
        if self.releases + len(counts) > self.planned:
            raise RuntimeError(f"{self.planned} queries are paid for")
        self.releases += len(counts)
        self._rounds += 1
        self._meter.count(self.releases)
        return (counts.double() + self.noise(self._rounds, counts.shape)).argmax(1)

    def noise(self, turn: int, shape: torch.Size) -> torch.Tensor:
        """What is added to the counts of a round, float64 [q, classes]."""
        size = shape.numel()
        words = self._stream.words(turn, size + size % 2)
        drawn = _laplace(words) if self.aggregation == "laplace" else normals(words)
        return drawn[:size].view(shape) * self.scale


def _laplace(words: NDArray[np.uint64]) -> torch.Tensor:
    """Laplace's law of scale 1 in float64, one a word, by its quantile; its tails end at 36."""
    centred = units(words) - 0.5
    return torch.from_numpy(-np.sign(centred) * np.log1p(-2.0 * np.abs(centred)))
