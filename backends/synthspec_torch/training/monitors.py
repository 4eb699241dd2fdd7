"""Monitors and convergence: pure functions of the stream of signals, so a log replays to the same decisions (P405-3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from synthspec.backend.artifacts import TrainingEvent
from synthspec.expr import PLAIN, compile_trip, parse
from synthspec.ir.families import Convergence, Monitor, Stability
from synthspec.ir.signals import SIGNALS
from synthspec_torch.support import SEVERITY

NOT_FINITE = "not a finite number"
"""What an event says of a signal that is NaN or infinite; its value is then written 0."""

History = Mapping[str, Sequence[float]]
Trip = Callable[[History], bool]
"""Whether a monitor's expression is true of the signals seen so far, the newest last."""


def _trip(monitor: Monitor) -> Trip:
    expr = parse(monitor.trip).value
    if expr is None:
        raise ValueError(f"not an expression: {monitor.trip}")
    directions = {name: "max" for name, signal in SIGNALS.items() if signal.better == "higher"}
    return compile_trip(expr, dict.fromkeys([*SIGNALS, monitor.signal], PLAIN), directions)


@dataclass(slots=True)
class Watch:
    """The monitors of one training, fed observation by observation."""

    monitors: Sequence[tuple[Monitor, Trip]]
    _history: dict[str, list[float]] = field(default_factory=dict)
    _streaks: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, stability: Stability) -> Watch:
        """The monitors of `stability`, compiled. Raises ValueError for a trip that the rules should have refused."""
        return cls([(monitor, _trip(monitor)) for monitor in stability.monitors])

    def observe(self, step: int, signals: Mapping[str, float]) -> TrainingEvent | None:
        """Take one observation; say which action it calls for.

        A monitor fires when its trip was true at `window` observations of its signal in a row; firing resets its count.
        A signal that is not finite calls for a rollback when no monitor has an answer to it.
        """
        for name, value in signals.items():
            # What the log says of an infinity is what it says of NaN: a replay of the log must not see more than this.
            self._history.setdefault(name, []).append(value if math.isfinite(value) else math.nan)
        fired = [number for number in range(len(self.monitors)) if self._fires(number, signals)]
        if fired:
            chosen = max(fired, key=lambda number: SEVERITY.index(self.monitors[number][0].action))
            self._streaks[chosen] = 0
            monitor, _ = self.monitors[chosen]
            return _event(step, monitor.signal, signals[monitor.signal], monitor.action, monitor.trip)
        for name, value in signals.items():
            if not math.isfinite(value):
                return _event(step, name, value, "rollback", NOT_FINITE)
        return None

    def forgive(self) -> None:
        """Start all counts again: after a rollback the weights that tripped are gone."""
        self._streaks.clear()

    def _fires(self, number: int, signals: Mapping[str, float]) -> bool:
        monitor, trip = self.monitors[number]
        if monitor.signal not in signals:
            return False
        self._streaks[number] = self._streaks.get(number, 0) + 1 if trip(self._history) else 0
        return self._streaks[number] >= monitor.window


def _event(step: int, signal: str, value: float, action: str, detail: str) -> TrainingEvent:
    if math.isfinite(value):
        return TrainingEvent(step=step, signal=signal, value=value, action=action, detail=detail)
    said = detail if detail == NOT_FINITE else f"{detail}; {NOT_FINITE}"
    return TrainingEvent(step=step, signal=signal, value=0.0, action=action, detail=said)


@dataclass(slots=True)
class Patience:
    """When training is done: `patience` observations without an improvement of `min_delta`, or `max` reached.

    Which way a signal improves is in the table of signals; where it says neither, less counts as better.
    """

    convergence: Convergence | None
    _best: float = math.inf
    _waited: int = 0

    def observe(self, signals: Mapping[str, float]) -> bool:
        """Take one observation; True when training has converged. One without the signal changes nothing."""
        rule = self.convergence
        if rule is None or rule.signal not in signals:
            return False
        if isinstance(rule.max, float) and signals[rule.signal] >= rule.max:
            return True
        if rule.patience is None:
            return False
        rising = rule.signal in SIGNALS and SIGNALS[rule.signal].better == "higher"
        value = -signals[rule.signal] if rising else signals[rule.signal]
        if value < self._best - rule.min_delta:
            self._best, self._waited = value, 0
        else:
            self._waited += 1
        return self._waited >= rule.patience
