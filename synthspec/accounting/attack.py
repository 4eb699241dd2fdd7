"""What no attack can exceed: how well a release lets anyone tell members from others, by (eps, delta) or by its losses.

A record's part in a release is a test of "it was in" against "it was not" (Wasserman and Zhou 2010): of a false alarm rate
a, the rate of hits is at most ``T(a) = min(e^eps a + delta, 1 - e^-eps (1 - delta - a))``, and the least of these over all
pairs (eps, delta) that hold at once. This module loads no numerical library; `trade_off` of a known event does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from synthspec.accounting.events import Adjacency, Event, ledger

_EPSILONS = (0.0, *(10.0 ** (power / 40) for power in range(-120, 61)))
"""Where the losses of an event are looked at: 0.001 to 31, six per cent apart. Fewer of them bound less, never wrongly."""
_CELLS = 400


@dataclass(frozen=True, slots=True)
class TradeOff:
    """Pairs (eps, delta) that hold at once of what was released."""

    pairs: tuple[tuple[float, float], ...]

    def hits(self, false_alarms: float) -> float:
        """The largest TPR of any attack with an FPR of at most `false_alarms`."""
        return min(1.0, *(hit_bound(eps, delta, false_alarms) for eps, delta in self.pairs))

    @property
    def advantage(self) -> float:
        """The largest TPR - FPR."""
        return min(advantage_bound(eps, delta) for eps, delta in self.pairs)

    @property
    def auc(self) -> float:
        """The largest area under a curve of TPR over FPR. The curve is concave, so midpoints err upwards."""
        return sum(self.hits((cell + 0.5) / _CELLS) for cell in range(_CELLS)) / _CELLS


def advantage_bound(eps: float, delta: float) -> float:
    """The largest TPR - FPR of any membership attack on an (eps, delta)-private release (Humphries et al. 2023)."""
    return min(1.0, math.tanh(eps / 2) + 2 * delta * math.exp(-eps) / (1 + math.exp(-eps)))


def hit_bound(eps: float, delta: float, false_alarms: float) -> float:
    """The largest TPR of any attack with an FPR of `false_alarms` on an (eps, delta)-private release."""
    near = false_alarms * math.exp(min(eps, 700.0)) + delta if false_alarms else delta
    return min(1.0, near, 1.0 - math.exp(-eps) * (1.0 - delta - false_alarms))


@functools.lru_cache(maxsize=16)
def trade_off(event: Event, eps: float, delta: float, adjacency: Adjacency) -> TradeOff:
    """The bounds that `event` sets, which was found to spend (`eps`, `delta`): by its losses where they are known.

    Without dp-accounting, or where it has no distribution of the losses, the one pair is all that is known.
    """
    from synthspec.accounting.numeric import available, pld_deltas

    known = ((eps, delta),) if math.isfinite(eps) else ((0.0, 1.0),)
    if not available():
        return TradeOff(known)
    found = pld_deltas(ledger(event), adjacency, _EPSILONS)
    return TradeOff((*known, *_useful(found)))


def _useful(pairs: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Pairs that say something; the first of equal deltas is the strongest."""
    kept: dict[float, float] = {}
    for eps, delta in pairs:
        if delta < 1:
            kept.setdefault(delta, eps)
    return tuple((eps, delta) for delta, eps in kept.items())
