"""What noisy statistics show of canaries: the production releases on a table in which each canary has a cell of its own.

Importing this module imports numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.auditing import CanaryRun
from synthspec.backend.cells import Cells, Codes
from synthspec.backend.draws import named
from synthspec.backend.embedding import Features
from synthspec.backend.marginals import fit_marginals
from synthspec.backend.matched import release
from synthspec.backend.noise import Noise, Numbers
from synthspec.ir.statistics import EMBEDDING, Kind

HALVES = 2


@dataclass
class Replay(Noise):
    """Keeps what was counted before the noise, and gives back what another run released instead of its own."""

    released: dict[str, list[Numbers]] = field(default_factory=dict)
    counts: dict[str, list[Numbers]] = field(default_factory=dict)

    def release(self, name: str, parts: Sequence[Numbers], sigma: float) -> list[Numbers]:
        self.counts[name] = [part.copy() for part in parts]
        own = super().release(name, parts, sigma)
        return self.released.get(name, own)


def audit_statistics(kind: Kind, sigma: float, canaries: int, seed: int | None) -> CanaryRun:
    """Release statistics at a total noise of `sigma` of a fair coin's choice of `canaries`; `seed` repeats the coins.

    The noise is the production one, under a fresh key. A canary is a record with a category of its own, and its score is
    the noisy count of that. The replay makes the same releases of the table without the first record that is there.
    """
    make = _embedded if kind == EMBEDDING else _counted
    present = np.random.default_rng(seed).random(canaries) < 0.5
    first = Replay()
    scores, std = make(present, sigma, first)
    absent = present.copy()
    absent[np.flatnonzero(present)[:1]] = False
    second = Replay(key=first.key, released=first.vectors)
    make(absent, sigma, second)
    return CanaryRun(
        present=tuple(present.tolist()),
        scores=tuple(scores.tolist()),
        replay_ratio=max(_moved(first, second, each.name, each.parts) for each in first.made),
        replay_same=first.made == second.made,
        z=_errors(scores, present, std),
    )


def _counted(present: NDArray[np.bool_], sigma: float, noise: Noise) -> tuple[Numbers, float]:
    """The scores under marginals, and the standard deviation of their noise."""
    fit_marginals(*_table(present), sigma, 1, noise)
    return noise.vectors["fields"][0], noise.made[0].sigma * math.sqrt(noise.made[0].parts)


def _embedded(present: NDArray[np.bool_], sigma: float, noise: Noise) -> tuple[Numbers, float]:
    """The scores under a mean embedding, in which the member of a category has a length of its own."""
    cells, columns = _table(present)
    features = Features.drawn(cells, 1, named(0, "canaries"))
    sums, (_, member, _) = release(features, columns, sigma, noise), features.lengths
    own, place = np.arange(len(present)) % HALVES, 2 * features.waves + np.arange(len(present))
    return sums[own, place] / member, sigma / member


def _table(present: NDArray[np.bool_]) -> tuple[tuple[Cells, Cells], tuple[Codes, Codes]]:
    rows: Codes = np.flatnonzero(present).astype(np.int64)
    return (Cells("canary", len(present)), Cells("half", HALVES)), (rows, rows % HALVES)


def _moved(one: Replay, other: Replay, name: str, parts: int) -> float:
    """How far the vector `name` lies from that without one record, in units of what its noise is for."""
    if len(one.counts[name]) != len(other.counts.get(name, [])):
        return math.inf
    pairs = zip(one.counts[name], other.counts[name], strict=True)
    square = sum(float(np.square(a - b).sum()) if a.shape == b.shape else math.inf for a, b in pairs)
    return math.sqrt(square / parts)


def _errors(scores: Numbers, present: NDArray[np.bool_], std: float) -> tuple[tuple[str, float], ...]:
    noise = scores - present
    n = len(scores)
    shift = scores[present].mean() - scores[~present].mean() - 1.0
    spread = std * math.sqrt(1 / max(1, present.sum()) + 1 / max(1, (~present).sum()))
    lagged = float((noise[1:] * noise[:-1]).sum()) / (std**2 * math.sqrt(max(1, n - 1)))
    return (
        ("mean", float(shift / spread)),
        ("noise", float((np.square(noise / std).sum() - n) / math.sqrt(2 * n))),
        ("correlation", lagged),
    )
