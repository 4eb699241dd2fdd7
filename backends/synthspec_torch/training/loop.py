"""The loop that fits one network: step, watch, validate, keep the best, roll back, stop (P405-3, section IX)."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from synthspec.backend.artifacts import FitReport, TrainingEvent
from synthspec.backend.protocol import Progress
from synthspec.ir.families import Stability, Training
from synthspec.ir.signals import SIGNALS
from synthspec_torch.training import durable
from synthspec_torch.training.average import DECAY_COURSE, Average
from synthspec_torch.training.keeping import Checkpoint, Keeping
from synthspec_torch.training.learner import Learner
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.monitors import NO_WAY_BACK, NOT_FINITE, Patience, Watch, observation, replay
from synthspec_torch.training.optimizer import RATE_COURSE, build_optimizer, rate, set_rate, total_norm
from synthspec_torch.training.restarting import Diverged
from synthspec_torch.training.seeding import Batch, batches


@dataclass(frozen=True, slots=True)
class Trained:
    """The weights to keep and how they came about."""

    weights: Mapping[str, torch.Tensor]
    report: FitReport
    first: Mapping[str, torch.Tensor]
    """The averaged weights at the end of the first epoch that was not rolled back: where a gain is counted from."""


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


def train(
    learner: Learner, course: Course, log: SignalLog, progress: Progress, unfinished: Path | None = None
) -> Trained:
    """Fit `learner` along `course`; the averaged weights with the best validation are kept.

    In the folder `unfinished` it leaves a checkpoint now and then. One that it finds there is of this very training, killed:
    then it goes on there, to the same bytes.

    Raises Diverged when a signal is not finite and no rollback is left, or, where the training restarts, a monitor stops it
    for that.
    """
    run = TrainingRun(learner, course, log, progress)
    shelf = None if unfinished is None else durable.Shelf(unfinished, durable.EVERY)
    state = None if shelf is None else shelf.newest()
    if state is not None:
        run.go_on(state)
    label = f"training, from step {run.step + 1} on" if run.step else "training"
    progress.start(label, course.steps, "steps")
    progress.advance(run.step)
    for batch in batches(course.records, course.batch_size, course.steps, course.seed, course.draws, after=run.step):
        if run.advance(batch):
            break
        if shelf is not None and run.fine and shelf.due and (state := run.state()) is not None:
            shelf.put(run.step, state)
    return run.finish()


@dataclass
class TrainingRun:
    """A training under way."""

    learner: Learner
    course: Course
    log: SignalLog
    progress: Progress
    status: str = "budget"
    step: int = 0
    lr_factor: float = 1.0
    events: list[TrainingEvent] = field(default_factory=list)
    last_value: float = 0.0
    """Of the last validation."""
    fine: bool = False
    """Whether the last step ended in a validation that gave a checkpoint."""

    def __post_init__(self) -> None:
        self.weights = [weight for weight in self.learner.network.parameters() if weight.requires_grad]
        self.average = Average(self.learner.network, self.course.training.ema)
        self.optimizer = build_optimizer(self.course.training.optimizer, self.weights)
        self.watch = Watch.of(self.course.stability, self.course.steps)
        self.patience = Patience(self.course.stability.convergence)
        self.kept = Keeping(self._checkpoint(math.inf))
        known = SIGNALS.get(self.learner.criterion)
        self.sign = -1.0 if known is not None and known.better == "higher" else 1.0

    def advance(self, batch: Batch) -> bool:
        """One step, and the validation when it ends an epoch; True when training is over."""
        self.step, self.fine = batch.step, False
        if self._update(batch):
            return True
        if not batch.ends_epoch:
            self.progress.advance()
            return False
        return self._validate(batch)

    def _update(self, batch: Batch) -> bool:
        if not self.learner.network.training:  # a walk through all layers, and needed after a validation alone
            self.learner.network.train()
        lr = self.course.training.optimizer.lr * self.lr_factor * rate(batch.step, self.course.steps)
        self.learner.prepare(batch, lr)
        loss = self.learner.loss(batch.rows)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = total_norm(gradients)
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
        self.fine = action not in ("rollback", "stop") and math.isfinite(value)
        if self.fine:
            self.kept.take(self._checkpoint(self.sign * value if self.learner.settled else math.inf))
        return action in ("stop", "converged")

    def _observe(self, batch: Batch, signals: Mapping[str, float]) -> str:
        """Log `signals` and do what they call for; the action, or nothing, or ``converged``."""
        self.log.write(batch.step, batch.epoch, signals)
        signals = observation(batch.step, batch.epoch, signals)
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
        elif event.action == "stop":
            self._stop(event)
        self.events.append(event)
        return event.action

    def _stop(self, event: TrainingEvent) -> None:
        ends = NO_WAY_BACK in event.detail or self.course.training.on_divergence == "restart"
        if ends and NOT_FINITE in event.detail:
            raise Diverged(event, self.watch.rollbacks)
        self.status = "stopped"

    def _roll_back(self, event: TrainingEvent) -> TrainingEvent:
        """Go back to the declared checkpoint, with a smaller rate and fresh batches: the steps that were spent stay spent."""
        rule = self.course.stability.rollback
        if rule is None:
            raise TypeError("no rollback is called for where none is declared")
        self.lr_factor *= rule.lr_factor
        target = self.kept.back(rule.to)
        self._stand_at(target)
        return replace(event, detail=f"{event.detail}; back to step {target.step}")

    def _stand_at(self, checkpoint: Checkpoint) -> None:
        self.learner.network.load_state_dict(checkpoint.network)
        self.average.network.load_state_dict(checkpoint.average)
        self.optimizer.load_state_dict(copy.deepcopy(dict(checkpoint.optimizer)))
        for name, part in self.learner.beside.items():
            part.load_state_dict(copy.deepcopy(dict(checkpoint.beside[name])))

    def _checkpoint(self, value: float) -> Checkpoint:
        network = _copied(self.learner.network)
        return Checkpoint(
            self.step,
            value,
            network,
            network if self.average.network is self.learner.network else _copied(self.average.network),
            copy.deepcopy(self.optimizer.state_dict()),
            {name: copy.deepcopy(part.state_dict()) for name, part in self.learner.beside.items()},
        )

    def state(self) -> Mapping[str, Any] | None:
        """All that a new process needs to go on after a step that was `fine`; None where the learner cannot say its part."""
        position = self.learner.position()
        kept = {name: getattr(self.kept, name) for name in KEPT}
        return (
            position
            if position is None
            else {
                "step": self.step,
                "lr_factor": self.lr_factor,
                "last_value": self.last_value,
                "events": [asdict(event) for event in self.events],
                "updates": self.average.updates,
                "patience": (self.patience.best, self.patience.waited),
                "kept": {name: None if each is None else _fields(each) for name, each in kept.items()},
                "position": position,
                "log": self.log.text(),
            }
        )

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Stand where the `state` of a killed training says. The log says where its monitors stand."""
        self.step, self.lr_factor, self.last_value = state["step"], state["lr_factor"], state["last_value"]
        self.events = [TrainingEvent(**event) for event in state["events"]]
        self.patience.best, self.patience.waited = state["patience"]
        for name in KEPT:
            setattr(self.kept, name, state["kept"][name] and Checkpoint(**state["kept"][name]))
        if self.kept.waiting is not None:
            self._stand_at(self.kept.waiting)
        self.average.updates = state["updates"]
        self.learner.go_on(state["position"])
        self.log.begin_with(state["log"])
        for _ in replay(self.watch, state["log"].splitlines()):
            pass

    def finish(self) -> Trained:
        """The best weights, and the report."""
        best = self.kept.best or self._checkpoint(self.last_value)
        value = self.last_value if self.kept.best is None else self.sign * self.kept.best.value
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
                ("rollbacks", self.watch.rollbacks),
            ),
        )
        return Trained(best.average, report, (self.kept.first or best).average)


KEPT = ("good", "best_good", "waiting", "best", "first")


def _fields(checkpoint: Checkpoint) -> Mapping[str, Any]:
    return {each.name: getattr(checkpoint, each.name) for each in fields(checkpoint)}


def _copied(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
