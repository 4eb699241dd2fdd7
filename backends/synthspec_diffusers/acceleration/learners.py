"""What the three methods of distillation bring to the training loop."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import nn

from synthspec.backend.draws import Stream
from synthspec_diffusers.acceleration.steps import (
    Coefficients,
    pseudo_huber,
    student_estimate,
    teacher_steps,
    truncated,
    wanted,
)
from synthspec_diffusers.acceleration.teacher import Lesson
from synthspec_diffusers.path import Path
from synthspec_torch.training.average import Average
from synthspec_torch.training.learner import Learner
from synthspec_torch.training.seeding import torch_generator

CHUNK = 256
"""Records of one forward pass in a validation."""
TARGET_DECAY = 0.95
"""Of the average that a consistency model is its own target by (Song et al. 2023)."""


class StudentLearner(Learner):
    """A student on lessons: the mean over records and levels of a distance to what its teacher does."""

    criterion = "loss_val"

    def __init__(self, network: nn.Module, path: Path, train: Lesson, val: Lesson, seed: int) -> None:
        """`path`: the student's own, over its own grid."""
        self._network, self.path = network, path
        self.marks = Coefficients.of(path.grid)
        self.train_lesson, self.val_lesson = train, val
        self.draws = torch_generator(seed, Stream.TRAIN)
        self.seed = seed

    @property
    def network(self) -> nn.Module:
        return self._network

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        """The loss on the records `rows` of the lesson, each at a level drawn for it."""
        return self.errors(self._network, self.train_lesson.take(rows), self.draws).mean()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> Mapping[str, float]:
        """`loss_val` on held-out lessons, at the same levels and with the same noise each time."""
        frozen = torch_generator(self.seed, Stream.VALIDATE)
        parts = [slice(start, start + CHUNK) for start in range(0, len(self.val_lesson), CHUNK)]
        errors = [self.errors(network, self.val_lesson.take(part), frozen) for part in parts]
        return {"loss_val": torch.cat(errors).mean().item()}

    @abstractmethod
    def errors(self, network: nn.Module, lesson: Lesson, draws: torch.Generator) -> torch.Tensor:
        """The distance of each record of `lesson`, [n]: what a method of distillation is."""

    def _levels(self, count: int, draws: torch.Generator) -> torch.Tensor:
        """A level for each of `count` records, spread evenly."""
        levels = len(self.marks.times)
        return (torch.randperm(count, generator=draws) + int(torch.randint(levels, (1,), generator=draws))) % levels

    def _regressed(
        self, network: nn.Module, lesson: Lesson, x: torch.Tensor, landed: torch.Tensor, levels: torch.Tensor
    ) -> torch.Tensor:
        """The weighted squared error of the estimate that lands where the teacher did, [n]."""
        m = student_estimate(network, self.path, self.marks, x, levels, lesson.given)
        error = m - wanted(self.marks, x, landed, levels, levels + 1)
        return truncated(self.marks, levels) * error.square().flatten(1).mean(1)


class TeacherStudent(StudentLearner):
    """Regression on the teacher's own trajectories: from its state at one level of the student to that at the next.

    With one level these are the pairs (x_T, x_0).
    """

    def errors(self, network: nn.Module, lesson: Lesson, draws: torch.Generator) -> torch.Tensor:
        levels, rows = self._levels(len(lesson), draws), torch.arange(len(lesson))
        states = torch.cat([lesson.states, lesson.x0[None]])
        return self._regressed(network, lesson, states[levels, rows], states[levels + 1, rows], levels)


class Progressive(StudentLearner):
    """Salimans and Ho 2022: one step of the student does two of its teacher, from noised records."""

    def __init__(
        self, network: nn.Module, path: Path, train: Lesson, val: Lesson, seed: int, teacher: tuple[nn.Module, Path]
    ) -> None:
        """`teacher`: its network, and its path over twice as many levels as the student's."""
        super().__init__(network, path, train, val, seed)
        self.teacher = teacher

    def errors(self, network: nn.Module, lesson: Lesson, draws: torch.Generator) -> torch.Tensor:
        levels = self._levels(len(lesson), draws)
        a, s = self.marks.at(levels, lesson.x0)
        x = a * lesson.x0 + s * torch.randn(lesson.x0.shape, generator=draws)
        landed = teacher_steps(*self.teacher, x, 2 * levels, lesson.given, 2)
        return self._regressed(network, lesson, x, landed, levels)


class Consistency(StudentLearner):
    """Song et al. 2023: the estimates at both ends of a teacher's step agree; the target is an average without gradient."""

    def __init__(
        self, network: nn.Module, path: Path, train: Lesson, val: Lesson, seed: int, teacher: tuple[nn.Module, Path]
    ) -> None:
        """`teacher`: its network, and its path over the levels of `path`."""
        super().__init__(network, path, train, val, seed)
        self.teacher, self.target = teacher, Average(network, TARGET_DECAY)
        self.target.network.eval()

    @property
    def settled(self) -> bool:
        """Never: the target moves with the student, so no loss tells which weights are best, and the last ones are kept."""
        return False

    def loss(self, rows: torch.Tensor) -> torch.Tensor:
        self.target.update()
        return super().loss(rows)

    def errors(self, network: nn.Module, lesson: Lesson, draws: torch.Generator) -> torch.Tensor:
        levels = self._levels(len(lesson), draws)
        a, s = self.marks.at(levels, lesson.x0)
        x = a * lesson.x0 + s * torch.randn(lesson.x0.shape, generator=draws)
        landed = teacher_steps(*self.teacher, x, levels, lesson.given, 1)
        return pseudo_huber(
            student_estimate(network, self.path, self.marks, x, levels, lesson.given)
            - self._aim(landed, levels + 1, lesson.given)
        )

    @torch.no_grad()
    def _aim(self, landed: torch.Tensor, levels: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        """What the average says where the teacher landed; at the clean level the record itself, which no network is asked."""
        aim, asked = landed.clone(), (levels < len(self.marks.times)).nonzero().flatten()
        if len(asked):
            known = None if given is None else given[asked]
            aim[asked] = student_estimate(
                self.target.network, self.path, self.marks, landed[asked], levels[asked], known
            )
        return aim


def copied(network: nn.Module) -> nn.Module:
    """A student that starts as its teacher, free to learn."""
    return copy.deepcopy(network).requires_grad_(requires_grad=True)
