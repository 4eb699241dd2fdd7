"""The noisy mean embedding of a table: one vector of random features, released once (DP-MERF, Harder et al. 2021).

A record is put on the sphere: waves of a few of its fields (Rahimi and Recht 2007), each a cosine and a sine of a random
frequency times the numbers, shifted by a random phase of each category; the members of its categories; and a constant. The
records of each member of the target are summed by themselves, so a record is in one block alone and moves the whole by at
most one in L2. Frequencies and phases come of the SRef and a public seed. Importing this imports numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.cells import Cells
from synthspec.backend.dataset import Column

Numbers = NDArray[np.float64]
Waves = NDArray[np.complex128]
PER_FIELD, LEAST, MOST = 192, 512, 1024
"""Waves: so many a field, within these bounds."""
SLOW, FAST = 2.0, 40.0
"""Frequencies in radians over the range of a field: even in their logarithm, so that no width of the data is presumed."""
REACH = (0.3, 0.4, 0.3)
"""Shares of the waves that are of one field, of two, and of all numbers with one category."""
SHARED, COUNTED = 0.1, 0.1
"""What of the squared length is for the members of categories, where there are any, and for the count."""
GRID = 2.0**-30
"""Features are cut to multiples of this, towards zero: no vector gets longer, and sums of up to 2^23 of them are exact."""
ROWS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What is summed of each record: drawn once, and nothing of any record."""

    cells: tuple[Cells, ...]
    target: int | None
    """The field each of whose members has a block of its own; None for one block."""
    numbers: tuple[int, ...]
    categories: tuple[int, ...]
    """Fields but for the target: those with places in a range, and those with members."""
    gaps: tuple[int, ...]
    """The numbers that may be missing: each has a category beside it, which says so and takes it out of its waves."""
    frequencies: Numbers
    """Of the waves, one column a number: 0 where a wave is not of that field."""
    turns: tuple[Waves, ...]
    """What each member of each category multiplies the waves by, shape (members, waves): 1 where a wave is not of that field.

    Those of gaps are last: a number multiplies its waves by 1 when it is there, and by 0 when it is missing.
    """

    @classmethod
    def drawn(cls, cells: Sequence[Cells], target: int | None, rng: np.random.Generator) -> Features:
        """Features of `cells`. Raises ValueError where there is no field beside the target, or the target has no members."""
        if target is not None and cells[target].ordered:
            raise ValueError(f"{cells[target].name!r} has no members to tell records apart by")
        others = [i for i in range(len(cells)) if i != target]
        if not others:
            raise ValueError("an embedding takes a field beside the target")
        numbers = tuple(i for i in others if cells[i].ordered)
        categories = tuple(i for i in others if not cells[i].ordered)
        count = min(MOST, max(LEAST, PER_FIELD * len(others)))
        chosen = np.stack([_chosen(len(numbers), len(categories), rng) for _ in range(count)])
        speed = SLOW * (FAST / SLOW) ** rng.random((count, 1))
        wide = np.sqrt(np.maximum(1, chosen[:, : len(numbers)].sum(axis=1, keepdims=True) / 2))
        frequencies = chosen[:, : len(numbers)] * rng.standard_normal((count, len(numbers))) * speed / wide
        phases = [2 * math.pi * rng.random((cells[i].count, count)) for i in categories]
        turns = [np.exp(1j * phase * chosen[:, len(numbers) + j]) for j, phase in enumerate(phases)]
        gaps = tuple(i for i in numbers if cells[i].missing)
        without = [chosen[:, numbers.index(i)] for i in gaps]
        turns += [np.stack([np.ones(count), np.where(of, 0.0, 1.0)]).astype(np.complex128) for of in without]
        return cls(tuple(cells), target, numbers, categories, gaps, frequencies, tuple(turns))

    @property
    def blocks(self) -> int:
        return 1 if self.target is None else self.cells[self.target].count

    @property
    def waves(self) -> int:
        return len(self.frequencies)

    @property
    def members(self) -> tuple[int, ...]:
        """Of each category, those of gaps last."""
        return tuple(len(turn) for turn in self.turns)

    @property
    def size(self) -> int:
        """Features: a cosine and a sine a wave, the members of all categories, and the constant."""
        return 2 * self.waves + sum(self.members) + 1

    @property
    def lengths(self) -> tuple[float, float, float]:
        """How long one wave, one member and the constant are in the vector of a record, which is as long as 1."""
        shared = SHARED if self.turns else 0.0
        each = (1 - shared - COUNTED) / self.waves, shared / max(1, len(self.turns)), COUNTED
        wave, member, constant = (math.sqrt(part) * _BELOW for part in each)
        return wave, member, constant

    def block(self, columns: Sequence[Column]) -> NDArray[np.int64]:
        """Which block each record is summed in."""
        return np.zeros(len(columns[0]), np.int64) if self.target is None else self._codes(self.target, columns)

    def of(self, columns: Sequence[Column]) -> Numbers:
        """Shape (records, features): each row at most as long as 1."""
        wave, member, constant = self.lengths
        records = len(columns[0])
        found = np.zeros((records, self.size))
        places = np.zeros((records, len(self.numbers)))
        for column, i in enumerate(self.numbers):
            places[:, column] = self.cells[i].places(columns[i])
        waves, start = np.exp(1j * (places @ self.frequencies.T)), 2 * self.waves
        said = [self._codes(i, columns) for i in self.categories]
        said += [self.cells[i].gaps(columns[i]).astype(np.int64) for i in self.gaps]
        for turn, code in zip(self.turns, said, strict=True):
            waves *= turn[code]
            found[np.arange(records), start + code] = member
            start += len(turn)
        found[:, : self.waves], found[:, self.waves : 2 * self.waves] = wave * waves.real, wave * waves.imag
        found[:, -1] = constant
        return np.asarray(np.trunc(found / GRID) * GRID)

    def sums(self, columns: Sequence[Column]) -> Numbers:
        """Shape (blocks, features): the features of all records of each block, added up exactly."""
        found = np.zeros((self.blocks, self.size))
        for part in _parts(columns):
            rows = self.of(part)
            blocks = self.block(part)
            for block in np.unique(blocks):
                found[block] += rows[blocks == block].sum(axis=0)
        return found

    def _codes(self, field: int, columns: Sequence[Column]) -> NDArray[np.int64]:
        return self.cells[field].codes(columns[field])


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What was released of the records of one block, with the noise on it, for so many records as were counted with noise."""

    count: float
    waves: Waves
    """The mean of exp(i turn) of each wave."""
    shares: tuple[Numbers, ...]
    """The shares of the members of each category."""
    noise: float
    """The expected square of what noise moves the block by, per record, in the units of `Features.lengths`."""


def block_of(features: Features, row: Numbers, sigma: float) -> Block:
    """What the released sums `row` say of their records, when the noise on each number is `sigma`."""
    wave, member, constant = features.lengths
    count = max(1.0, float(row[-1] / constant))
    cosines, sines, rest = np.split(row[:-1] / count, [features.waves, 2 * features.waves])
    shares = tuple(np.split(rest / member, np.cumsum(features.members)[:-1])) if features.members else ()
    return Block(count, np.asarray((cosines + 1j * sines) / wave), shares, (len(row) - 1) * (sigma / count) ** 2)


def _chosen(numbers: int, categories: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which fields one wave is of, numbers first."""
    chosen = np.zeros(numbers + categories, bool)
    reach = int(rng.choice(len(REACH), p=REACH))
    if reach == len(REACH) - 1 and numbers:
        chosen[:numbers] = True
        chosen[rng.integers(numbers, numbers + categories) if categories else 0] = True
    else:
        chosen[rng.permutation(len(chosen))[: min(reach, 1) + 1]] = True
    return chosen


def _parts(columns: Sequence[Column]) -> Iterator[list[Column]]:
    for start in range(0, len(columns[0]), ROWS):
        yield [column[start : start + ROWS] for column in columns]


_BELOW = 1 - 2.0**-40
"""Keeps the length below 1 whatever the last bits of cosine and sine are."""
