"""PATE-GAN (Jordon, Yoon and van der Schaar 2019): a student that sees no record, taught by noisy votes (P405-4).

Critics that are trained on disjoint parts of the records vote on generated records, and of each vote the noisy winner is
released. The student learns from generated records with those labels, the generator from the student: all that sees data
is behind the vote, each query is counted before it is answered, and nothing that follows costs anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG, FitReport, TrainingEvent, write_report
from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import Stream
from synthspec.backend.engines import rows_of
from synthspec.backend.protocol import Artifact, Context, Progress
from synthspec.backend.releases import PRIVACY_RECORD, Access, ReleaseMeter, VoteRecord
from synthspec.backend.secret import Secret, settle
from synthspec.ir.families import Hinge, Pate, Stability, Training
from synthspec.ir.ops import Fit
from synthspec_torch.gan.engine import TrainedGan, architecture_of
from synthspec_torch.gan.learner import game_optimizer
from synthspec_torch.gan.losses import generator_losses
from synthspec_torch.gan.networks import Critic, Generator, build_critic
from synthspec_torch.gan.private import Conditions, public_conditions
from synthspec_torch.gan.probe import Records
from synthspec_torch.gan.teachers import Teachers, Told, labelled_losses
from synthspec_torch.privacy.votes import NoisyVotes, parts_of
from synthspec_torch.training.average import DECAY_COURSE, Average
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Trained
from synthspec_torch.training.monitors import Patience, Watch, observation
from synthspec_torch.training.optimizer import RATE_COURSE, build_optimizer, rate, set_rate
from synthspec_torch.training.seeding import initial_weights, intra_op_threads, torch_generator

REMEMBERED = 32
"""Batches of labelled records that the student is taught from: the newest. Labels were paid for once, and are read at will."""
RNG = "AES-256-CTR"
HARDENING = "noise added in float64; the winner of each vote is released, and no number"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCourse:
    """A training by votes as declared, with everything that it needs stated. Nothing here depends on a record."""

    training: Training
    stability: Stability
    objective: Told
    block: Pate
    steps: int
    """Updates of the generator."""
    batch: int
    """Records of an update, of each player."""
    teachers: int
    queries: int
    scale: float

    @classmethod
    def of(cls, op: Fit) -> VoteCourse:
        """The course of `op`. Raises ValueError for one that `vote_reasons` refuses."""
        training, block, objective = op.training, op.privacy, op.objective
        if not isinstance(block, Pate) or not isinstance(objective, Told) or block.noise is None:
            raise ValueError("votes are for PATE, and a measure that is learnt from labels")
        counts, scale = (training.steps, training.batch_size, block.teachers, block.queries), block.noise.multiplier
        steps, batch, teachers, queries = (each if isinstance(each, int) else 0 for each in counts)
        if not (steps and batch and teachers and queries) or isinstance(scale, str):
            raise ValueError("PATE needs steps, batch_size, teachers, queries and noise in numbers")
        training = training.model_copy(update={"optimizer": game_optimizer(training.optimizer)})
        return cls(
            training=training, stability=op.stability, objective=objective, block=block,
            steps=steps, batch=batch, teachers=teachers, queries=queries, scale=scale,
        )  # fmt: skip

    def due(self, step: int) -> int:
        """How many queries are asked at `step`, from 1: all of them by the last step, in equal shares."""
        return -(-step * self.queries // self.steps) - -(-(step - 1) * self.queries // self.steps)


@dataclass
class VoteRun:
    """A training by votes under way."""

    course: VoteCourse
    generator: Generator
    student: Critic
    teachers: Teachers
    mechanism: NoisyVotes
    conditions: Conditions
    log: SignalLog
    seed: int
    status: str = "budget"
    step: int = 0
    lr_factor: float = 1.0
    events: list[TrainingEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        stated, stability = self.course.training, self.course.stability
        self.draws = torch_generator(self.seed, Stream.TRAIN)
        self.taught = build_optimizer(stated.optimizer, self.student.parameters())
        self.optimizer = build_optimizer(stated.optimizer, self.generator.parameters())
        self.average = Average(self.generator, stated.ema)
        self.watch, self.patience = Watch.of(stability, self.course.steps), Patience(stability.convergence)
        self.labelled: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None
        """Generated contents, their conditions, and whether noisy votes called them real."""

    def advance(self, step: int) -> bool:
        """A round: the teachers learn, answer what is due, the student learns, and the generator. True when it is over."""
        self.step = step
        lr = self.course.training.optimizer.lr * self.lr_factor * rate(step, self.course.steps)
        signals = {"lr": lr}
        for _ in range(self.course.objective.critic_steps):
            shape = (len(self.teachers), self.course.batch)
            places = torch.rand(shape, generator=self.draws)
            self.teachers.learn(self.generator, places, self._z(places.numel()), lr)
        if due := self.course.due(step):
            signals["votes_real"] = self.ask(step, due)
        for _ in range(self.course.objective.critic_steps):
            signals["loss_critic"] = self._teach(lr)
        signals["loss_generator"] = self._generate(step, lr)
        self.average.update()
        return self._observe(signals)

    def ask(self, step: int, queries: int) -> float:
        """Have `queries` generated records judged; the share that noisy votes call real."""
        with torch.no_grad():
            c = self.conditions(2 * step, queries)
            x = self.generator(self._z(queries), c)
        real = self.mechanism.winners(self.teachers.votes(x, c)) == 1
        fresh = (x, c, real)
        kept = fresh if self.labelled is None else tuple(map(torch.cat, zip(self.labelled, fresh, strict=True)))
        newest = slice(-REMEMBERED * self.course.batch, None)
        self.labelled = (kept[0][newest], kept[1][newest], kept[2][newest])
        return real.double().mean().item()

    def _teach(self, lr: float) -> float:
        """One update of the student, from labels alone; its loss."""
        if self.labelled is None:
            return 0.0
        x, c, real = self.labelled
        rows = torch.randint(len(x), (self.course.batch,), generator=self.draws)
        self.student.train()
        loss = labelled_losses(self.course.objective, self.student(x[rows], c[rows]), real[rows]).mean()
        return self._step(loss, self.taught, self.student, lr)

    def _generate(self, step: int, lr: float) -> float:
        """One update of the generator, from the student alone; its loss."""
        self.student.requires_grad_(requires_grad=False)
        c = self.conditions(2 * step + 1, self.course.batch)
        scores = self.student(self.generator(self._z(self.course.batch), c), c)
        self.student.requires_grad_(requires_grad=True)
        return self._step(
            generator_losses(self.course.objective, scores, None).mean(), self.optimizer, self.generator, lr
        )

    def _step(self, loss: torch.Tensor, optimizer: torch.optim.Optimizer, network: nn.Module, lr: float) -> float:
        set_rate(optimizer, lr)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.course.training.grad_clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), self.course.training.grad_clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def _z(self, count: int) -> torch.Tensor:
        return torch.randn((count, self.generator.numbers), generator=self.draws)

    def _observe(self, signals: Mapping[str, float]) -> bool:
        """Log `signals`, which are made of released labels, and do what they call for; True when training is over."""
        self.log.write(self.step, 1, signals)
        event = self.watch.observe(self.step, seen := observation(self.step, 1, signals))
        if event is None:
            done = self.patience.observe(seen)
            self.status = "converged" if done else self.status
            return done
        self.events.append(event)
        if event.action == "scale_lr":
            self.lr_factor *= self.course.stability.rollback.lr_factor if self.course.stability.rollback else 0.5
            return False
        self.status = "stopped"
        return True

    def finish(self) -> Trained:
        """The last weights, and the report."""
        weights = {name: each.detach().clone() for name, each in self.average.network.state_dict().items()}
        end = TrainingEvent(step=self.step, signal="step", value=float(self.step), action=self.status)
        report = FitReport(
            status=self.status,
            steps=self.step,
            best_step=self.step,
            parameters=sum(each.numel() for each in self.generator.parameters()),
            events=(*self.events, end),
            facts=(
                ("lr_course", RATE_COURSE),
                ("ema_course", DECAY_COURSE if self.average.decay is not None else "none"),
                ("kept", "the last weights: choosing among them would have to be paid for"),
            ),
        )
        return Trained(weights, report, weights)

    def record(self, secret: Secret) -> VoteRecord:
        """What was released."""
        block = self.course.block
        return VoteRecord(
            mechanism="pate",
            releases=self.mechanism.releases,
            planned=self.course.queries,
            teachers=self.course.teachers,
            aggregation=self.mechanism.aggregation,
            multiplier=self.mechanism.scale,
            unit=block.unit or "record",
            adjacency=block.adjacency or "replace_one",
            rng=RNG,
            hardening=HARDENING,
            commitment=secret.commitment,
            accesses=ACCESSES,
        )


def fit_by_votes(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Train under ``op.privacy``, PATE; leaves the generator, ``fit.json``, ``training.jsonl`` and ``privacy.json``."""
    secret, course = settle(context.secret, context.identity), VoteCourse.of(op)
    path: Path = context.out / TRAINING_LOG
    with intra_op_threads(op.training.threads), SignalLog(path) as log, closing(ReleaseMeter(context.meter)) as meter:
        gan, run = begun(op, course, inputs, secret, log, meter)
        trained = run_through(run, context.progress)
    write_report(context.out, PRIVACY_RECORD, run.record(secret))
    gan.write(context, trained.weights)
    write_report(context.out, FIT_REPORT, trained.report)


def begun(
    op: Fit, course: VoteCourse, inputs: Mapping[str, Artifact], secret: Secret, log: SignalLog, meter: ReleaseMeter
) -> tuple[TrainedGan, VoteRun]:  # fmt: skip
    """The start of a run: each purpose has a key of its own, so noise tells nothing of the parts."""
    rows, architecture, seed = rows_of(inputs, "train"), architecture_of(op), op.training.seed or 0
    with initial_weights(seed):
        gan = TrainedGan.fresh(op, {})
        form = (architecture, gan.content.shape, gan.context.width)
        student = build_critic(*form, spectral=architecture.spectral_norm or isinstance(course.objective, Hinge))
        critics = [build_critic(*form, spectral=False) for _ in range(course.teachers)]
    owners = parts_of(secret.key("partition"), len(rows), course.teachers)
    parts = [_records(gan, rows.take((owners == each).nonzero()[0])) for each in range(course.teachers)]
    mechanism = NoisyVotes(
        secret.key("noise"), aggregation=course.block.aggregation or "gnmax", scale=course.scale,
        planned=course.queries, meter=meter,
    )  # fmt: skip
    teachers = Teachers(critics, parts, course.objective, course.training.optimizer)
    law = public_conditions(gan.context, seed)
    return gan, VoteRun(course, gan.network, student, teachers, mechanism, law, log, seed)


def _records(gan: TrainedGan, part: Dataset) -> Records:
    """The records of one teacher, encoded by themselves: what is drawn for a record may depend on its place among them."""
    if len(part):
        return gan.records(part)
    return Records(torch.zeros(0, *gan.content.shape), torch.zeros(0, gan.context.width))


def run_through(run: VoteRun, progress: Progress) -> Trained:
    """All rounds of `run`, or as many as its monitors allow."""
    progress.start("training by votes", run.course.steps, "steps")
    for step in range(1, run.course.steps + 1):
        over = run.advance(step)
        progress.advance()
        if over:
            break
    return run.finish()


ACCESSES = (
    Access(what="noisy votes of teachers on disjoint records", charge="ledger"),
    Access(what="teachers' weights and losses", charge="none: they are not released, and nobody watches them"),
    Access(what="student, generator, averaged weights, monitors", charge="none: they see released votes alone"),
    Access(what="which teacher a record belongs to", charge="none: a secret coin, drawn before training"),
    Access(what="scales and vocabularies", charge="none: they come from the SRef"),
    Access(what="first weights", charge="none: they depend on the public seed alone"),
    Access(what="choice of the weights", charge="none: the last ones are kept"),
)
"""Every way in which training meets private records."""
