"""Numbers from a secret key: AES-256 on counters, which nobody without the key can tell from chance, or compute.

Every number is a function of (key, step, place) or of (key, step, record, place), so whoever holds the secret gets the
same bytes again, and what one record draws does not depend on which others are there: two neighbouring data sets share
all draws but those of the record that they differ by, which is what the proof of S405-8 compares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
F64 = NDArray[np.float64]

_BLOCK = 16
ROOM = _BLOCK // 8
"""Words that the cipher wants behind those that it writes."""
_PLACES = 24
"""Bits that count the blocks of one record at one step."""
_ONE = np.uint64(0x3FF << 52)
"""The bits of 1.0."""


class Keystream:
    """AES-256 under one key."""

    def __init__(self, key: bytes) -> None:
        """Raises ValueError unless the key has 256 bits."""
        if len(key) != 32:
            raise ValueError("the key of a secret stream has 256 bits")
        self._algorithm = algorithms.AES256(key)
        self._counting = Cipher(self._algorithm, modes.CTR(bytes(_BLOCK))).encryptor()

    def words(self, step: int, count: int, first: int = 0) -> U64:
        """`count` words of the stream of `step` from the word `first` on, which is even.

        AES in counter mode, a stretch of 2^64 blocks of two words a step. Raises ValueError for an odd start.
        """
        words: U64 = self.stack((step,), count, first)[0]
        return words

    def stack(self, steps: Sequence[int], count: int, first: int = 0) -> U64:
        """The same of each of `steps`, [n, `count`]."""
        return self.stack_into(np.empty((len(steps), count + ROOM), dtype=np.uint64), steps, count, first)

    def stack_into(self, out: U64, steps: Sequence[int], count: int, first: int = 0) -> U64:
        """The same, written into `out` [n, at least `count` + ROOM]."""
        if first % 2:
            raise ValueError("a stretch starts with a whole block")
        blank, place = bytes(8 * count), (first // 2).to_bytes(8, "big")
        for step, row in zip(steps, out, strict=True):
            self._counting.reset_nonce(step.to_bytes(8, "big") + place)
            self._counting.update_into(blank, row.view(np.uint8).data)
        return out[:, :count]

    def keyed(self, records: U64, step: int, first: int, blocks: int) -> U64:
        """`blocks` blocks of two words for each of `records` at `step`, [n, 2 blocks], from place `first` on.

        AES on (record, step, place) as one block each: counter mode with random access. Raises OverflowError for a step
        or a place that does not fit.
        """
        if first + blocks > 1 << _PLACES or step >= 1 << (64 - _PLACES):
            raise OverflowError("too many draws for one record")
        counters = np.empty((len(records), blocks, 2), dtype=np.uint64)
        counters[..., 0] = records[:, None]
        counters[..., 1] = np.uint64(step << _PLACES) + np.arange(first, first + blocks, dtype=np.uint64)
        # Counters never repeat, so this mode shows nothing of equal blocks: there are none.
        encryptor = Cipher(self._algorithm, modes.ECB()).encryptor()  # noqa: S305
        return np.frombuffer(encryptor.update(counters.tobytes()), dtype=np.uint64).reshape(len(records), 2 * blocks)


def units(words: U64, out: U64 | None = None) -> F64:
    """Uniform numbers in (0, 1) on a grid of 2^-52, off its ends, of the same shape; in the memory of `out`, if given."""
    # As the fraction of a number in [1, 2), from which less than 1 is taken: exact, and no conversion.
    bits = np.right_shift(words, np.uint64(12), out=out)
    bits |= _ONE
    values = bits.view(np.float64)
    values -= 1.0 - 2.0**-53
    return values


def normals(words: U64) -> torch.Tensor:
    """Standard normals in float64, one a word [..., an even number], by Box and Muller; their tail ends at 8.6."""
    out = torch.empty(words.shape, dtype=torch.float64)
    _normals_into(out, units(words))
    return out


def normals_into(out: torch.Tensor, words: U64) -> None:
    """The same, written into `out`; `words` are used up."""
    _normals_into(out, units(words, words))


def _normals_into(out: torch.Tensor, u: F64) -> None:
    half = u.shape[-1] // 2
    radius = np.log(u[..., :half], out=u[..., :half])
    radius *= -2.0
    np.sqrt(radius, out=radius)
    angle, scale = torch.from_numpy(u[..., half:]).mul_(2.0 * math.pi), torch.from_numpy(radius)
    torch.cos(angle, out=out[..., :half]).mul_(scale)
    torch.sin(angle, out=out[..., half:]).mul_(scale)


class Sampler:
    """Poisson sampling: at each step every record is drawn by a coin of its own."""

    def __init__(self, key: bytes, rate: float, records: int) -> None:
        """Raises ValueError for a rate outside (0, 1]."""
        if not 0 < rate <= 1:
            raise ValueError(f"the rate is {rate}")
        self._stream = Keystream(key)
        self.records = records
        self._all = rate == 1
        self._threshold = np.uint64(min(round(rate * 2**64), 2**64 - 1))

    def draw(self, step: int) -> torch.Tensor:
        """The rows of `step`, int64, in order; there may be none, and then the step releases noise alone."""
        if self._all:
            return torch.arange(self.records)
        return torch.from_numpy(np.flatnonzero(self._stream.words(step, self.records) < self._threshold))


class RecordDraws:
    """What the records of one step draw: of each record by its row number, whoever else is in the batch."""

    def __init__(self, stream: Keystream, step: int, rows: torch.Tensor) -> None:
        self._stream, self._step, self._place = stream, step, 0
        self._records = rows.numpy().astype(np.uint64)

    def normal(self, *shape: int) -> torch.Tensor:
        """Standard normals, float32 [n, *shape]."""
        return self._reshaped(normals(self._words(shape)), shape).float()

    def uniform(self, *shape: int) -> torch.Tensor:
        """Uniform numbers in [0, 1), float32 [n, *shape]."""
        words = self._words(shape) >> np.uint64(40)
        return self._reshaped(torch.from_numpy(words.astype(np.float32) * np.float32(2.0**-24)), shape)

    def places(self, shape: tuple[int, ...]) -> F64:
        """Uniform numbers in [0, 1), float64 of `shape`, whose first axis counts the records."""
        words = self._words(shape[1:]) >> np.uint64(11)
        return np.asarray(words[:, : math.prod(shape[1:])].reshape(shape) * 2.0**-53)

    def _words(self, shape: tuple[int, ...]) -> U64:
        blocks = -(-math.prod(shape) // 2)
        words = self._stream.keyed(self._records, self._step, self._place, blocks)
        self._place += blocks
        return words

    def _reshaped(self, values: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        return values[:, : math.prod(shape)].reshape(len(self._records), *shape)
