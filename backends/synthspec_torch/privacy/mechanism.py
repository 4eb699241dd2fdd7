"""The noise primitive: the only place where something about private records is released, and where releases are counted."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import torch

from synthspec.backend.releases import ReleaseMeter
from synthspec_torch.privacy.stream import Keystream, normals

STRETCH = 1 << 16
"""Numbers that get their noise at a time: even, and so few that torch asks no second thread for half of them. The bytes
of the noise depend on it."""


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
        self._stream = Keystream(key)
        # Without noise nothing bounds eps, and a clip norm may be infinite: only tests ask for that.
        self.std = multiplier * clip if multiplier else 0.0
        self.normalizer = normalizer
        self.releases = 0
        self._meter = meter or ReleaseMeter(None)
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="noise")
        self._ahead: Future[torch.Tensor] | None = None

    def release(self, total: torch.Tensor) -> torch.Tensor:
        """The noisy mean of the sum `total`, float64 [P], as float32 [P]; one more release. `total` is used up.

        The noise of the next release is drawn while its gradients are computed: it depends on the key and the number alone.
        """
        self.releases += 1
        self._meter.count(self.releases)
        ahead = None if self._ahead is None else self._ahead.result()
        noise = self._noise(self.releases, len(total)) if ahead is None or len(ahead) != len(total) else ahead
        out = torch.empty(len(total), dtype=torch.float32)
        out.copy_(total.add_(noise, alpha=self.std).div_(self.normalizer))
        self._ahead = self._beside.submit(self._noise, self.releases + 1, len(total))
        return out

    def _noise(self, release: int, width: int) -> torch.Tensor:
        """Standard normals of one release, float64 [`width`]."""
        noise = torch.empty(width, dtype=torch.float64)
        first = 0
        for part in torch.split(noise, STRETCH):
            size = len(part)
            part.copy_(normals(self._stream.words(release, size + size % 2, first))[:size])
            first += size
        return noise
