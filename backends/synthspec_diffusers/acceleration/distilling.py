"""Distillation as an op: a student with the network of its teacher and its weights to begin with (P405-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from synthspec.backend.artifacts import FIT_REPORT, FitReport, write_report
from synthspec.backend.draws import Stream, draw_conditions, generator
from synthspec.backend.engines import rows_of
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import Distill, Stability
from synthspec.ir.ops import Accelerate, Sample
from synthspec_diffusers.acceleration.learners import (
    Consistency,
    Progressive,
    StudentLearner,
    TeacherStudent,
    copied,
)
from synthspec_diffusers.acceleration.teacher import BLOCK, Lesson, Teacher
from synthspec_diffusers.content import encoded
from synthspec_diffusers.engine import Engine, read_engine
from synthspec_diffusers.path import Path
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, Trained, train
from synthspec_torch.training.seeding import intra_op_threads

LESSONS = 2048
"""Records that a teacher makes for its student to learn on, at most."""
SHARE_VAL = 8
"""One record for so many is held out."""
LOG = "distillation.jsonl"


def distil(op: Accelerate, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Make the student that ``op.how`` asks for, and write it as `fit` writes an engine."""
    how, seed = op.how, op.fit.training.seed or 0
    if not isinstance(how, Distill) or op.solver is None:
        raise TypeError("a distillation is of an engine that has a solver")
    with intra_op_threads(op.fit.training.threads):
        engine = read_engine(_drawn(op, seed), inputs)
        teacher = _teacher(op, engine, inputs, seed)
        training = _Training(op, how, teacher, engine, inputs, context)
        with SignalLog(context.out / LOG) as log:
            rounds = training.rounds(log)
    engine.write(context, rounds[-1].weights)
    write_report(context.out, FIT_REPORT, _report(how, rounds))


def _drawn(op: Accelerate, seed: int) -> Sample:
    """What the teacher would be sampled by, over the whole law of its conditions."""
    return Sample(
        fit=op.fit,
        n=BLOCK,
        candidates=BLOCK,
        seed=seed,
        rng="philox",
        block=BLOCK,
        solver=op.solver,
        w_cfg=op.w_cfg,
        variables=op.variables,
        condition=(),
        guidance=op.guidance,
        made_by=op.after,
    )


def _teacher(op: Accelerate, engine: Engine, inputs: Mapping[str, Artifact], seed: int) -> Teacher:
    if op.solver is None:
        raise TypeError("a teacher has a solver")
    return Teacher(
        network=engine.network,
        schedule=engine.schedule,
        path=engine.path,
        steps=op.solver.steps,
        content=engine.content,
        given=engine.given,
        conditions=partial(draw_conditions, _drawn(op, seed), rows_of(inputs, "train")),
        seed=seed,
    )


@dataclass(frozen=True, slots=True)
class _Training:
    op: Accelerate
    how: Distill
    teacher: Teacher
    engine: Engine
    inputs: Mapping[str, Artifact]
    context: Context

    def rounds(self, log: SignalLog) -> list[Trained]:
        """One training, or for a progressive student one for each halving of the steps."""
        match self.how.method:
            case "teacher_student":
                learner = TeacherStudent(*self._begin(self.how.NFE), self._seed)
                return [self._train(learner, self.how.steps, log)]
            case "consistency":
                levels = self.how.NFE * max(1, self.teacher.steps // self.how.NFE)
                taught = self.engine.network, self.teacher.on(levels, "ddim")
                return [self._train(Consistency(*self._begin(levels), self._seed, taught), self.how.steps, log)]
            case "progressive":
                return self._halved(log)

    @property
    def _seed(self) -> int:
        return self.op.fit.training.seed or 0

    def _begin(self, levels: int) -> tuple[nn.Module, Path, Lesson, Lesson]:
        """A student over `levels` levels that starts as its teacher, and its lessons."""
        return copied(self.engine.network), self._own(levels), *self._lessons(levels)

    def _own(self, levels: int) -> Path:
        """The path of a student: unguided, and not clipped, for one step that does several may have to go beyond records."""
        return replace(self.teacher.on(levels, "ddim"), w_cfg=0.0, guidance=None, bound=None)

    def _lessons(self, levels: int) -> tuple[Lesson, Lesson]:
        """What is learned on and what is held out: of the teacher's making, or the splits train and val."""
        if self.how.data == "train":
            return self._real("train"), self._real("val")
        batch = self.op.fit.training.batch_size or BLOCK
        count = min(LESSONS, max(batch, self.how.steps * batch))
        lesson = self.teacher.lessons(count + -(-count // SHARE_VAL), levels)
        return lesson.take(slice(0, count)), lesson.take(slice(count, None))

    def _real(self, split: str) -> Lesson:
        rows = rows_of(self.inputs, "train" if split == "train" else "val")
        x0 = encoded(self.engine.content, rows.columns, generator(self._seed, Stream.DISTILL, 0, 1))
        given = None if self.engine.given is None else self.engine.given.encode(rows.columns, len(rows))
        return Lesson(x0, given, torch.empty(0, len(x0)))

    def _halved(self, log: SignalLog) -> list[Trained]:
        levels = halvings(self.teacher.steps, self.how.NFE)
        network, taught = self.engine.network, self.teacher.on(2 * levels[0], "ddim")
        lessons, rounds = self._lessons(levels[0]), []
        for count in levels:
            learner = Progressive(copied(network), self._own(count), *lessons, self._seed, (network, taught))
            rounds.append(self._train(learner, max(1, self.how.steps // len(levels)), log))
            # What is taught next is the average that was picked, not the weights where training ended.
            network = copied(network)
            network.load_state_dict(dict(rounds[-1].weights))
            network.eval().requires_grad_(requires_grad=False)
            taught = self._own(count)
        return rounds

    def _train(self, learner: StudentLearner, steps: int, log: SignalLog) -> Trained:
        training = self.op.fit.training.model_copy(update={"steps": steps, "epochs": None})
        course = Course.of(training, Stability(), len(learner.train_lesson))
        return train(learner, course, log, self.context.progress)


def halvings(steps: int, target: int) -> tuple[int, ...]:
    """The numbers of steps that students have in turn, ending at `target`; the first one's teacher goes twice its number."""
    counts = [target]
    while 4 * counts[0] <= steps:
        counts.insert(0, 2 * counts[0])
    return tuple(counts)


def _report(how: Distill, rounds: list[Trained]) -> FitReport:
    last = rounds[-1].report
    return replace(
        last,
        steps=sum(each.report.steps for each in rounds),
        events=tuple(event for each in rounds for event in each.report.events),
        facts=(*last.facts, ("method", how.method), ("rounds", len(rounds))),
    )
