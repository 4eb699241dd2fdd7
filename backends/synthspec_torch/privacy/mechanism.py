"""The noise primitive: the only place where something about private records is released, and where releases are counted."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import torch

from synthspec.backend.releases import ReleaseMeter
from synthspec_torch.privacy.stream import Keystream, normals

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
        self._drawn: tuple[int, torch.Tensor] | None = None
        self._next: tuple[int, int, Future[torch.Tensor]] | None = None

    def of(self, release: int, width: int) -> torch.Tensor:
        """Those of `release`, from 1, float64 [`width`]."""
        rows = min(RELEASES, max(1, AHEAD // max(1, width)))
        block, row = divmod(release - 1, rows)
        if self._drawn is None or (block, width) != (self._drawn[0], self._drawn[1].shape[1]):
            ahead, self._next = self._next, None
            if ahead is not None and ahead[:2] == (block, width):
                self._drawn = block, ahead[2].result()
            else:
                self._drawn = block, self._draw(block, rows, width)
            self._next = block + 1, width, self._beside.submit(self._draw, block + 1, rows, width)
        return self._drawn[1][row]

    def _draw(self, block: int, rows: int, width: int) -> torch.Tensor:
        """The noise of the releases of `block`, [`rows`, `width`]."""
        noise = torch.empty(rows, width, dtype=torch.float64)
        releases = range(block * rows + 1, (block + 1) * rows + 1)
        first = 0
        for part in torch.split(noise, STRETCH, dim=1):
            size = part.shape[1]
            part.copy_(normals(self._stream.stack(releases, size + size % 2, first))[:, :size])
            first += size
        return noise
