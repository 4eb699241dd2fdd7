"""The noise primitive: the only place where something about private records is released, and where releases are counted."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.backend.releases import ReleaseMeter
from synthspec_torch.privacy.stream import ROOM, Keystream, normals_into

STRETCH = 1 << 16
"""Numbers of one release that are made out of one stretch of the stream: even. The bytes of the noise depend on it."""
AHEAD = 1 << 20
"""Numbers that are drawn at a time, of as many releases as that is. Each call of the thread that draws them takes the
interpreter from the thread that trains, and a call takes it as long for eight releases as for one."""
RELEASES = 16
"""Releases whose noise is drawn at a time, at most."""


class GaussianSum:
    """S405-8 as it is accounted for: ``(sum of clipped gradients + N(0, (sigma C)^2 I)) / normalizer``.

    The noise is on the *sum*, in float64, from AES under a secret key; the normalizer is a public constant. The gradient
    that leaves is rounded to float32, which takes the low bits with it that tell sums of doubles apart (Mironov 2012);
    nothing is proved about what rounding leaves.
    """

    def __init__(
        self, key: bytes, *, multiplier: float, clip: float, normalizer: float, meter: ReleaseMeter | None = None
    ) -> None:
        """`multiplier` is sigma, in units of `clip`; `meter` sees each release before it happens.

        Raises ValueError for a scale that means nothing.
        """
        if not (multiplier >= 0 and clip > 0 and normalizer > 0):
            raise ValueError("noise has a multiplier of at least 0, a positive clip norm and a positive normalizer")
        # Without noise nothing bounds eps, and a clip norm may be infinite: only tests ask for that.
        self.std = multiplier * clip if multiplier else 0.0
        self.normalizer = normalizer
        self.releases = 0
        self._meter = meter or ReleaseMeter(None)
        self._noise = NoiseAhead(Keystream(key))

    def release(self, total: torch.Tensor) -> torch.Tensor:
        """The noisy mean of the sum `total` [P], as float32 [P]; one more release."""
        self.releases += 1
        self._meter.count(self.releases)
        noisy = torch.add(total, self._noise.of(self.releases, len(total)), alpha=self.std)
        return noisy.mul_(1.0 / self.normalizer).float()


class NoiseAhead:
    """The standard normals of one release after another, those of the next ones drawn while gradients are computed.

    They depend on the key and on the number of the release alone.
    """

    def __init__(self, stream: Keystream) -> None:
        self._stream = stream
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="noise")
        self._room: Room | None = None
        self._drawn: tuple[int, torch.Tensor] | None = None
        self._next: Future[tuple[int, torch.Tensor]] | None = None

    def of(self, release: int, width: int) -> torch.Tensor:
        """Those of `release`, from 1, float64 [`width`]: to be read before those of another release are asked for."""
        if self._room is None or self._room.width != width:
            self._settled()
            self._room, self._drawn = Room.of(width), None
        block, row = divmod(release - 1, self._room.rows)
        if self._drawn is None or self._drawn[0] != block:
            ahead = self._settled()
            self._drawn = ahead if ahead is not None and ahead[0] == block else self._draw(block, self._room)
            self._next = self._beside.submit(self._draw, block + 1, self._room)
        return self._drawn[1][row]

    def _settled(self) -> tuple[int, torch.Tensor] | None:
        """What was drawn ahead, once that is done: nothing else may write where it is written."""
        ahead, self._next = self._next, None
        return None if ahead is None else ahead.result()

    def _draw(self, block: int, room: Room) -> tuple[int, torch.Tensor]:
        """`block`, and the noise of its releases, [rows, width]."""
        noise, releases = room.noise[block % 2], range(block * room.rows + 1, (block + 1) * room.rows + 1)
        first = 0
        for part in torch.split(noise, STRETCH, dim=1):
            normals_into(part, self._stream.stack_into(room.words, releases, part.shape[1], first))
            first += part.shape[1]
        return block, noise[:, : room.width]


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """Where noise is drawn: memory that is asked for once, as giving it back would stop the thread that trains."""

    width: int
    rows: int
    """Releases whose noise is drawn at a time."""
    noise: tuple[torch.Tensor, torch.Tensor]
    """[rows, width, rounded up to an even number]: of the releases that are made, and of the next ones."""
    words: NDArray[np.uint64]
    """[rows, a stretch and what a cipher needs behind it]."""

    @classmethod
    def of(cls, width: int) -> Room:
        rows = min(RELEASES, max(1, AHEAD // max(1, width)))
        even = width + width % 2
        noise = (torch.empty(rows, even, dtype=torch.float64), torch.empty(rows, even, dtype=torch.float64))
        return cls(width, rows, noise, np.empty((rows, min(STRETCH, even) + ROOM), dtype=np.uint64))
