"""Training under DP-SGD (S405-8): Poisson batch, clipped sum, one noisy release a step; the last weights are kept.

Nothing but releases is looked at: no loss, no validation, no best step. The optimiser, the average of the weights, a
generator that learns from a private critic and every monitor see what was released already, which costs nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import nn

from synthspec.backend.artifacts import FitReport, TrainingEvent
from synthspec.backend.protocol import Progress
from synthspec.backend.releases import Access, PrivacyRecord, ReleaseMeter
from synthspec.backend.secret import Secret
from synthspec.ir.families import DpSgd, Stability, Training
from synthspec_torch.privacy.bookkeeping import BookKeeping
from synthspec_torch.privacy.engines import engine_of
from synthspec_torch.privacy.gradients import Batch
from synthspec_torch.privacy.mechanism import GaussianSum
from synthspec_torch.privacy.stream import Keystream, RecordDraws, Sampler
from synthspec_torch.privacy.support import normalizer_of
from synthspec_torch.training.average import DECAY_COURSE, Average
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Trained
from synthspec_torch.training.monitors import Patience, Watch
from synthspec_torch.training.optimizer import RATE_COURSE, build_optimizer, rate, set_rate

RNG = "AES-256-CTR"
HARDENING = "float32 gradients summed, noise added in float64, released in float32"


class RecordLearner(Protocol):
    """What a family brings to a private training: losses of single records. Derive from it."""

    @property
    def network(self) -> nn.Module:
        """What looks at private records: its weights alone are trained on them."""

    @property
    def kept(self) -> nn.Module:
        """What is averaged and kept: the network itself, or what learns from it."""
        return self.network

    @property
    def turn(self) -> int:
        """Releases between two updates of what is kept."""
        return 1

    @property
    def penalised(self) -> bool:
        """Whether a gradient of the network is part of the loss."""
        return False

    def drawn(self, rows: torch.Tensor, draws: RecordDraws) -> Batch:
        """The train rows `rows` with all that a step draws for them; the first axis of each tensor counts records.

        A number that is drawn anywhere else than from `draws` must not depend on which records are in the batch.
        """

    def record_losses(self, batch: Batch) -> torch.Tensor:
        """The loss of each record, over all passes it takes, [n]: a function of that record and the weights alone."""

    def released(self, step: int, lr: float) -> Mapping[str, float]:  # noqa: ARG002 - most families have nothing to do
        """Follow the release of `step`, from 1, without a look at private records; signals that cost nothing."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateCourse:
    """A private training as declared, with everything that it needs stated."""

    training: Training
    stability: Stability
    records: int
    """Train rows there are: private unless the block says otherwise, so nothing public may depend on it."""
    rate: float
    steps: int
    clip: float
    multiplier: float
    normalizer: float
    block: DpSgd

    @classmethod
    def of(cls, training: Training, stability: Stability, block: DpSgd, records: int) -> PrivateCourse:
        """The course of `block`. Raises ValueError for a block that `private_reasons` refuses."""
        sampling, clip, noise = block.sampling, block.clip, block.noise
        if sampling is None or sampling.rate is None or clip is None or noise is None or block.steps is None:
            raise ValueError("a private training needs sampling, steps, clip and noise")
        norm, multiplier = clip.norm, noise.multiplier
        if isinstance(norm, str) or isinstance(multiplier, str):
            raise ValueError("a private training needs its clip norm and noise in numbers")  # noqa: TRY004 - of a spec
        return cls(
            training=training,
            stability=stability,
            records=records,
            rate=sampling.rate,
            steps=block.steps,
            clip=norm,
            multiplier=multiplier,
            normalizer=normalizer_of(block),
            block=block,
        )

    @property
    def epoch_steps(self) -> int:
        """Steps of one pass over the data on average: a public constant."""
        return math.ceil(1.0 / self.rate)


def train_privately(
    learner: RecordLearner,
    course: PrivateCourse,
    secret: Secret,
    log: SignalLog,
    progress: Progress,
    meter: ReleaseMeter | None = None,
) -> tuple[Trained, PrivacyRecord]:
    """Fit `learner` along `course`; the last (averaged) weights, and what was released.

    Raises TypeError, naming the layer, for a network that mixes records.
    """
    run = PrivateRun.of(learner, course, secret, log, meter)
    progress.start("private training", course.steps, "steps")
    for step in range(1, course.steps + 1):
        done = run.advance(step)
        progress.advance()
        if done:
            break
    return run.finish(secret.commitment)


@dataclass
class PrivateRun:
    """A private training under way."""

    learner: RecordLearner
    course: PrivateCourse
    log: SignalLog
    sampler: Sampler
    mechanism: GaussianSum
    draws: Keystream
    status: str = "budget"
    step: int = 0
    lr_factor: float = 1.0
    events: list[TrainingEvent] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        learner: RecordLearner,
        course: PrivateCourse,
        secret: Secret,
        log: SignalLog,
        meter: ReleaseMeter | None = None,
    ) -> PrivateRun:
        """The start of a run: each purpose has a key of its own, so noise tells nothing of the sampling."""
        return cls(
            learner,
            course,
            log,
            Sampler(secret.key("sampling"), course.rate, course.records),
            GaussianSum(
                secret.key("noise"),
                multiplier=course.multiplier,
                clip=course.clip,
                normalizer=course.normalizer,
                meter=meter,
            ),
            Keystream(secret.key("draws")),
        )

    def __post_init__(self) -> None:
        self.engine = engine_of(self.learner.network, self.learner.record_losses, penalised=self.learner.penalised)
        self.weights = list(self.engine.parameters.values())
        # One tensor holds all gradients, release after release: nothing is made or taken apart at a step.
        self.gradient = torch.zeros(self.engine.width, dtype=self.engine.dtype)
        for weight, part in zip(self.weights, self.engine.views(self.gradient), strict=True):
            weight.grad = part
        self.average = Average(self.learner.kept, self.course.training.ema)
        self.optimizer = build_optimizer(self.course.training.optimizer, self.weights)
        self.watch = Watch.of(self.course.stability, self.course.steps)
        self.patience = Patience(self.course.stability.convergence)
        self.first: dict[str, torch.Tensor] | None = None

    def advance(self, step: int) -> bool:
        """One release and its update; True when training is over."""
        self.step = step
        self.gradient.copy_(self.mechanism.release(self.clipped_sum(step)))
        lr = self.course.training.optimizer.lr * self.lr_factor * rate(step, self.course.steps)
        action = self._observe({"lr": lr, "grad_norm_released": torch.linalg.vector_norm(self.gradient).item()})
        if action in ("", "scale_lr"):
            set_rate(self.optimizer, lr)
            self.optimizer.step()
        over = action if action in ("stop", "converged") else self._follow(step, lr)
        if step == self.course.epoch_steps:
            self.first = _copied(self.average.network)
        return over in ("stop", "converged")

    def _follow(self, step: int, lr: float) -> str:
        """What costs nothing after a release. Raises RuntimeError when it changes what looks at private records."""
        before = [weight._version for weight in self.weights]  # noqa: SLF001 - torch has no other name for it
        signals = self.learner.released(step, lr)
        if before != [weight._version for weight in self.weights]:  # noqa: SLF001
            raise RuntimeError("what looks at private records changes by releases alone")
        if step % self.learner.turn == 0:
            self.average.update()
        return self._observe(signals)

    def clipped_sum(self, step: int) -> torch.Tensor:
        """The sum over the records of `step` of their clipped gradients, [P]: private. Zero of an empty batch."""
        # Nothing but releases may leave a trace: in this mode no layer counts, iterates or drops.
        self.learner.network.eval()
        parts = self.engine.parts(self.sampler.draw(step))
        batches = (self.learner.drawn(rows, RecordDraws(self.draws, step, rows)) for rows in parts)
        return self.engine.summed(batches, self.course.clip)

    def _observe(self, signals: Mapping[str, float]) -> str:
        """Log released `signals` and do what they call for; the action, or nothing, or ``converged``."""
        if not signals:
            return ""
        epoch = 1 + int((self.step - 1) * self.course.rate)
        self.log.write(self.step, epoch, signals)
        signals = {"step": float(self.step), "epoch": float(epoch), **signals}
        event = self.watch.observe(self.step, signals)
        if event is None:
            done = self.patience.observe(signals)
            self.status = "converged" if done else self.status
            return "converged" if done else ""
        self.events.append(event)
        if event.action == "scale_lr":
            self.lr_factor *= self.course.stability.rollback.lr_factor if self.course.stability.rollback else 0.5
            return event.action
        if event.action == "skip":
            return event.action
        # Weights that were left cost what they cost: going back to them would only repeat the spending.
        self.status = "stopped"
        return "stop"

    def finish(self, commitment: str) -> tuple[Trained, PrivacyRecord]:
        """The last weights, the report, and what was released."""
        weights = _copied(self.average.network)
        end = TrainingEvent(step=self.step, signal="step", value=float(self.step), action=self.status)
        report = FitReport(
            status=self.status,
            steps=self.step,
            best_step=self.step,
            parameters=self.engine.width,
            events=(*self.events, end),
            facts=(
                ("lr_course", RATE_COURSE),
                ("ema_course", DECAY_COURSE if self.average.decay is not None else "none"),
                ("kept", "the last weights: choosing among them would have to be paid for"),
            ),
        )
        return Trained(weights, report, self.first or weights), self._record(commitment)

    def _record(self, commitment: str) -> PrivacyRecord:
        course, block = self.course, self.course.block
        return PrivacyRecord(
            mechanism="dp-sgd",
            releases=self.mechanism.releases,
            planned=course.steps,
            rate=course.rate,
            multiplier=course.multiplier,
            clip_norm=course.clip,
            normalizer=course.normalizer,
            unit=block.unit or "record",
            adjacency=block.adjacency or "replace_one",
            engine="book-keeping" if isinstance(self.engine, BookKeeping) else "one-by-one",
            rng=RNG,
            hardening=HARDENING,
            commitment=commitment,
            accesses=_accesses(course.training),
        )


FIRST = "first weights"
ACCESSES = (
    Access(what="per-record gradients, clipped, summed, noised", charge="ledger"),
    Access(
        what="optimiser, averaged weights, learning rate, monitors", charge="none: they see released gradients alone"
    ),
    Access(what="scales and vocabularies", charge="none: they come from the SRef"),
    Access(what=FIRST, charge="none: they depend on the public seed alone"),
    Access(what="choice of the weights", charge="none: the last ones are kept"),
)
"""Every way in which training meets private records."""


def _accesses(training: Training) -> tuple[Access, ...]:
    start = training.init_from
    if start is None:
        return ACCESSES
    charge = f"none: {start.path}, called {start.provenance}, was trained on {start.id}"
    return tuple(Access(what=each.what, charge=charge) if each.what == FIRST else each for each in ACCESSES)


def _copied(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
