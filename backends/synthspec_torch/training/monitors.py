"""Monitors and convergence: pure functions of the stream of signals, so a log replays to the same decisions (P405-3)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from synthspec.backend.artifacts import TrainingEvent
from synthspec.expr import PLAIN, compile_trip, parse
from synthspec.ir.families import Convergence, Monitor, Stability
from synthspec.ir.signals import SIGNALS
from synthspec_torch.support import SEVERITY

NOT_FINITE = "not a finite number"
"""What an event says of a signal that is NaN or infinite; its value is then written 0."""
NO_WAY_BACK = "no rollback is left"
"""What an event says that stops a training because it was to go back once too often."""
LEAST_FIRES, FIRES = 20, 0.01
"""How often a monitor may fire that does not say it: this often, or in this share of the steps where that is more."""

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
class Rung:
    """A monitor and where it stands: how often its trip was true in a row, how often it fired, how long it rests."""

    monitor: Monitor
    trip: Trip
    limit: int
    streak: int = 0
    fires: int = 0
    rest: int = 0

    @property
    def action(self) -> str:
        """What its next firing calls for."""
        return self.monitor.then if self.fires >= self.limit else self.monitor.action

    def sees(self, history: History, signals: Mapping[str, float]) -> bool:
        """Take one observation; whether it calls for something."""
        if self.monitor.signal not in signals:
            return False
        if self.rest:
            self.rest -= 1
            return False
        self.streak = self.streak + 1 if self.trip(history) else 0
        return self.streak >= self.monitor.window

    def fire(self, step: int, value: float) -> TrainingEvent:
        """The event of a firing, which begins its rest."""
        spent = f"; fired {self.limit} times before" if self.fires >= self.limit else ""
        event = _event(step, self.monitor.signal, value, self.action, self.monitor.trip + spent)
        self.streak, self.rest = 0, self.monitor.cooldown
        self.fires += 1
        return event


@dataclass(slots=True)
class Watch:
    """The monitors of one training, fed observation by observation, and the rollbacks that they have left."""

    rungs: Sequence[Rung]
    allowed: int
    """Rollbacks of the whole training."""
    rollbacks: int = 0
    """Those called for so far."""
    _history: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, stability: Stability, steps: int = 0) -> Watch:
        """The monitors of `stability` for a training of `steps`, compiled.

        Raises ValueError for a trip that the rules should have refused.
        """
        limit = max(LEAST_FIRES, int(FIRES * steps))
        allowed = stability.rollback.max_rollbacks if stability.rollback else 0
        return cls([Rung(each, _trip(each), each.max_fires or limit) for each in stability.monitors], allowed)

    def observe(self, step: int, signals: Mapping[str, float]) -> TrainingEvent | None:
        """Take one observation; say which action it calls for.

        A monitor fires when its trip was true at `window` observations of its signal in a row; then it rests for `cooldown`
        of them. Of several the most severe acts; the others stay tripped. A signal that is not finite calls for a rollback
        when no monitor has an answer to it. A rollback more than allowed is a stop.
        """
        for name, value in signals.items():
            # What the log says of an infinity is what it says of NaN: a replay of the log must not see more than this.
            self._history.setdefault(name, []).append(value if math.isfinite(value) else math.nan)
        fired = [rung for rung in self.rungs if rung.sees(self._history, signals)]
        if fired:
            chosen = max(fired, key=lambda rung: SEVERITY.index(rung.action))
            return self._settled(chosen.fire(step, signals[chosen.monitor.signal]))
        for name, value in signals.items():
            if not math.isfinite(value):
                return self._settled(_event(step, name, value, "rollback", NOT_FINITE))
        return None

    def _settled(self, event: TrainingEvent) -> TrainingEvent:
        if event.action != "rollback":
            return event
        if self.rollbacks >= self.allowed:
            detail = f"{event.detail}; {NO_WAY_BACK} of {self.allowed}"
            return TrainingEvent(step=event.step, signal=event.signal, value=event.value, action="stop", detail=detail)
        self.rollbacks += 1
        for rung in self.rungs:  # the weights that tripped them are gone
            rung.streak = 0
        return event


def _event(step: int, signal: str, value: float, action: str, detail: str) -> TrainingEvent:
    if math.isfinite(value):
        return TrainingEvent(step=step, signal=signal, value=value, action=action, detail=detail)
    said = detail if detail == NOT_FINITE else f"{detail}; {NOT_FINITE}"
    return TrainingEvent(step=step, signal=signal, value=0.0, action=action, detail=said)


def replay(watch: Watch, log: Iterable[str]) -> Iterator[TrainingEvent]:
    """What `watch` calls for when it is fed the lines of a log: what it called for when they were written."""
    for line in log:
        entry = json.loads(line)
        logged = {name: math.nan if value is None else value for name, value in entry["signals"].items()}
        event = watch.observe(entry["step"], observation(entry["step"], entry["epoch"], logged))
        if event is not None:
            yield event


def observation(step: int, epoch: int, signals: Mapping[str, float]) -> Mapping[str, float]:
    """`signals` as monitors see them: where they stand is a signal, too."""
    return {"step": float(step), "epoch": float(epoch), **signals}


@dataclass(slots=True)
class Patience:
    """When training is done: `patience` observations without an improvement of `min_delta`, or `max` reached.

    Which way a signal improves is in the table of signals; where it says neither, less counts as better.
    """

    convergence: Convergence | None
    best: float = math.inf
    waited: int = 0

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
        if value < self.best - rule.min_delta:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.waited >= rule.patience
