"""The noise primitive: the only place where something about private records is released, and where releases are counted."""

from __future__ import annotations

import torch

from synthspec.backend.releases import ReleaseMeter
from synthspec_torch.privacy.stream import Keystream, normals

STRETCH = 1 << 17
"""Numbers that get their noise at a time, which bounds the memory it takes: even. The bytes of the noise depend on it."""


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

    def release(self, total: torch.Tensor) -> torch.Tensor:
        """The noisy mean of the sum `total`, float64 [P], as float32 [P]; one more release. `total` is used up."""
        self.releases += 1
        self._meter.count(self.releases)
        out = torch.empty(len(total), dtype=torch.float32)
        first = 0
        for part, into in zip(torch.split(total, STRETCH), torch.split(out, STRETCH), strict=True):
            size = len(part)
            noise = normals(self._stream.words(self.releases, size + size % 2, first))[:size]
            into.copy_(part.add_(noise, alpha=self.std).div_(self.normalizer))
            first += size
        return out
