"""The loop that fits one network: step, watch, validate, keep the best, roll back, stop (P405-3, section IX)."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import nn

from synthspec.backend.artifacts import FitReport, TrainingEvent
from synthspec.backend.protocol import DataError, Progress
from synthspec.ir.families import Stability, Training
from synthspec.ir.signals import SIGNALS
from synthspec_torch.training.average import DECAY_COURSE, Average
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.monitors import NOT_FINITE, Patience, Watch
from synthspec_torch.training.optimizer import RATE_COURSE, build_optimizer, rate, set_rate
from synthspec_torch.training.seeding import Batch, batches


class Stateful(Protocol):
    """A module, an optimiser, or whatever else gives and takes back its state."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object: ...


class Learner(Protocol):
    """What a family brings: a network, its loss on some train rows, and its validation.

    Derive from it: what has a body here is what most families do.
    """

    @property
    def network(self) -> nn.Module: ...

    @property
    def criterion(self) -> str:
        """The signal of `validate` that picks the best weights; less is better unless the table of signals says more is."""

    @property
    def settled(self) -> bool:
        """False while the objective still changes: then no weights are picked, and nothing counts as converged."""
        return True

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss on the train rows `rows`, a scalar."""

    def prepare(self, batch: Batch, lr: float) -> None:
        """Update what has an objective of its own, at the rate `lr`, before the step's `loss` is asked for: a critic."""
        del batch, lr

    @property
    def beside(self) -> Mapping[str, Stateful]:
        """What a rollback restores beside the network, its average and its optimiser; each by a name of its own."""
        return {}

    def observed(self) -> Mapping[str, float]:
        """Further signals of the step that `loss` was last asked for."""
        return {}

    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """Signals of `network` (of the averaged weights) on the val rows, from the same draws each time."""

    def raise_free_bits(self) -> str:
        """Answer a monitor's `raise_free_bits`; what was done, in words for the event."""
        raise TypeError("this family has no free bits")


@dataclass(frozen=True, slots=True)
class Trained:
    """The weights to keep and how they came about."""

    weights: Mapping[str, torch.Tensor]
    report: FitReport
    first: Mapping[str, torch.Tensor]
    """The averaged weights at the end of the first epoch that was not rolled back: where a gain is counted from."""


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    step: int
    network: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    beside: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Course:
    """A training as declared, with everything that it needs stated."""

    training: Training
    stability: Stability
    records: int
    batch_size: int
    steps: int
    seed: int
    draws: int = 1
    """Batches of one step."""

    @classmethod
    def of(cls, training: Training, stability: Stability, records: int, draws: int = 1) -> Course:
        """The course over `records` train rows; an epoch has ``ceil(records / batch_size)`` batches, a step takes `draws`.

        Raises ValueError for a training that `training_reasons` refuses.
        """
        if training.seed is None or training.batch_size is None:
            raise ValueError("training needs a seed and a batch_size")
        steps = training.steps
        if steps is None and training.epochs is not None:
            steps = math.ceil(training.epochs * math.ceil(records / training.batch_size) / draws)
        if steps is None:
            raise ValueError("training needs epochs or steps")
        return cls(training, stability, records, training.batch_size, steps, training.seed, draws)


def train(learner: Learner, course: Course, log: SignalLog, progress: Progress) -> Trained:
    """Fit `learner` along `course`; the averaged weights with the best validation are kept.

    Raises DataError ``P405-3.diverged`` when a signal is not finite and no rollback is left.
    """
    run = _Run(learner, course, log, progress)
    progress.start("training", course.steps, "steps")
    for batch in batches(course.records, course.batch_size, course.steps, course.seed, course.draws):
        if run.advance(batch):
            break
    return run.finish()


@dataclass
class _Run:
    learner: Learner
    course: Course
    log: SignalLog
    progress: Progress
    status: str = "budget"
    step: int = 0
    rollbacks: int = 0
    lr_factor: float = 1.0
    events: list[TrainingEvent] = field(default_factory=list)
    best_value: float = math.inf
    """Of the picked weights, signed so that less is better; infinite as long as none are."""
    last_value: float = 0.0
    """Of the last validation."""

    def __post_init__(self) -> None:
        self.weights = [weight for weight in self.learner.network.parameters() if weight.requires_grad]
        self.average = Average(self.learner.network, self.course.training.ema)
        self.optimizer = build_optimizer(self.course.training.optimizer, self.weights)
        self.watch = Watch.of(self.course.stability)
        self.patience = Patience(self.course.stability.convergence)
        self.best = self.last = self._checkpoint()
        self.first: _Checkpoint | None = None
        known = SIGNALS.get(self.learner.criterion)
        self.sign = -1.0 if known is not None and known.better == "higher" else 1.0

    def advance(self, batch: Batch) -> bool:
        """One step, and the validation when it ends an epoch; True when training is over."""
        self.step = batch.step
        if self._update(batch):
            return True
        if not batch.ends_epoch:
            self.progress.advance()
            return False
        return self._validate(batch)

    def _update(self, batch: Batch) -> bool:
        self.learner.network.train()
        lr = self.course.training.optimizer.lr * self.lr_factor * rate(batch.step, self.course.steps)
        self.learner.prepare(batch, lr)
        loss = self.learner.loss(batch.rows)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        seen = self.learner.observed()
        action = self._observe(batch, {"lr": lr, "loss": loss.item(), "grad_norm": norm.item(), **seen})
        if action in ("", "scale_lr", "raise_free_bits") and norm.isfinite():
            if self.course.training.grad_clip is not None:
                nn.utils.clip_grads_with_norm_(self.weights, self.course.training.grad_clip, norm)
            set_rate(self.optimizer, lr)
            self.optimizer.step()
            self.average.update()
        self.optimizer.zero_grad(set_to_none=True)
        return action in ("stop", "converged")

    def _validate(self, batch: Batch) -> bool:
        self.average.network.eval()
        signals = self.learner.validate(self.average.network)
        value = self.last_value = signals[self.learner.criterion]
        self.progress.advance(note=f"{self.learner.criterion} {value:.4g}")
        action = self._observe(batch, signals)
        if action not in ("rollback", "stop"):
            self.last = self._checkpoint()
            self.first = self.first or self.last
            if self.learner.settled and self.sign * value < self.best_value:
                self.best, self.best_value = self.last, self.sign * value
        return action in ("stop", "converged")

    def _observe(self, batch: Batch, signals: Mapping[str, float]) -> str:
        """Log `signals` and do what they call for; the action, or nothing, or ``converged``."""
        self.log.write(batch.step, batch.epoch, signals)
        signals = {"step": float(batch.step), "epoch": float(batch.epoch), **signals}
        event = self.watch.observe(batch.step, signals)
        done = self.learner.settled and self.patience.observe(signals)
        if event is None:
            self.status = "converged" if done else self.status
            return "converged" if done else ""
        if event.action == "rollback":
            event = self._roll_back(event)
        elif event.action == "scale_lr":
            self.lr_factor *= self.course.stability.rollback.lr_factor if self.course.stability.rollback else 0.5
        elif event.action == "raise_free_bits":
            event = replace(event, detail=f"{event.detail}; {self.learner.raise_free_bits()}")
        if event.action == "stop":
            self.status = "stopped"
        self.events.append(event)
        return event.action

    def _roll_back(self, event: TrainingEvent) -> TrainingEvent:
        """Go back to the declared checkpoint, with a smaller rate and fresh batches; stop when no rollback is left."""
        rule = self.course.stability.rollback
        allowed = rule.max_rollbacks if rule else 0
        if rule is None or self.rollbacks >= allowed:
            if event.detail.endswith(NOT_FINITE):
                raise DataError(
                    "P405-3.diverged",
                    f"training diverged: {event.signal} is not finite at step {event.step}, after {allowed} rollbacks",
                    "lower optimizer.lr, set training.grad_clip, or allow more rollbacks",
                )
            return replace(event, action="stop", detail=f"{event.detail}; no rollback is left of {allowed}")
        self.rollbacks += 1
        self.lr_factor *= rule.lr_factor
        target = self.best if rule.to == "best" and math.isfinite(self.best_value) else self.last
        self.learner.network.load_state_dict(target.network)
        self.average.network.load_state_dict(target.average)
        self.optimizer.load_state_dict(copy.deepcopy(target.optimizer))
        for name, part in self.learner.beside.items():
            part.load_state_dict(copy.deepcopy(target.beside[name]))
        self.watch.forgive()
        return replace(event, detail=f"{event.detail}; back to step {target.step}")

    def _checkpoint(self) -> _Checkpoint:
        return _Checkpoint(
            self.step,
            _copied(self.learner.network),
            _copied(self.average.network),
            copy.deepcopy(self.optimizer.state_dict()),
            {name: copy.deepcopy(part.state_dict()) for name, part in self.learner.beside.items()},
        )

    def finish(self) -> Trained:
        """The best weights, and the report."""
        picked = math.isfinite(self.best_value)
        best = self.best if picked else self._checkpoint()
        value = self.sign * self.best_value if picked else self.last_value
        value = value if math.isfinite(value) else 0.0
        end = TrainingEvent(step=self.step, signal=self.learner.criterion, value=value, action=self.status)
        report = FitReport(
            status=self.status,
            steps=self.step,
            best_step=best.step,
            parameters=sum(weight.numel() for weight in self.weights),
            events=(*self.events, end),
            facts=(
                (f"best_{self.learner.criterion}", value),
                ("lr_course", RATE_COURSE),
                ("ema_course", DECAY_COURSE if self.average.decay is not None else "none"),
                ("rollbacks", self.rollbacks),
            ),
        )
        return Trained(best.average, report, (self.first or best).average)


def _copied(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
