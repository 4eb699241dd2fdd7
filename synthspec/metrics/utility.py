"""What TSTR and TRTR share: a model trained on one set of records and scored on the real split no engine has seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench, Part
from synthspec.metrics.classifier import labels
from synthspec.metrics.columns import flat
from synthspec.metrics.figures import Z95, UnmeasurableError, details
from synthspec.metrics.intervals import clopper_pearson
from synthspec.metrics.learners import boosted_classifier, boosted_regressor, one_thread, readable, support_vectors
from synthspec.metrics.request import Array

LEAST = 50
SEEDS = 5
_MOST = 5000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Task:
    """What is predicted from what: inputs by part, targets by part, and how a model is made and scored."""

    name: str
    score: str
    """``accuracy`` or ``R2``."""
    learner: str
    make: Callable[[], Any]
    inputs: Callable[[Part], Array]
    target: Callable[[Part], Array]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trained:
    """Scores on the same real records of models trained on bootstrap draws of one part."""

    each: Array
    """The mean score of each of the test records over the models: shape (n,)."""
    models: Array
    """The score of each model: shape (5,)."""
    n_train: int

    @property
    def u(self) -> float:
        """Test records and training draws together."""
        return math.hypot(self.each.std(ddof=1) / math.sqrt(len(self.each)), self.models.std(ddof=1) / math.sqrt(SEEDS))


def task_of(bench: Bench) -> Task:
    """The prediction that the request declares: its target field, else the condition class from the content.

    Raises:
        UnmeasurableError: nothing is declared to be predicted.

    """
    if bench.request.target:
        return _of_field(bench, bench.request.target)
    if not bench.request.classes:
        raise UnmeasurableError("no target is declared: neither a condition class nor a target field")
    picture = bench.request.modality in {"image", "video"}
    return Task(
        name="condition",
        score="accuracy",
        learner="svc-rbf" if picture else "gradient_boosting",
        make=support_vectors if picture else boosted_classifier,
        inputs=bench.space if picture else lambda part: flat(bench, part),
        target=lambda part: labels(bench, part).astype(np.float64),
    )


def _of_field(bench: Bench, name: str) -> Task:
    names = [field.name for field in bench.request.fields]
    if name not in names or bench.content(bench.reference).ndim != 2 or len(names) < 2:
        raise UnmeasurableError(f"the target {name} is no column beside others")
    place = names.index(name)
    category = bool(bench.request.fields[place].levels)
    others = np.arange(len(names)) != place
    return Task(
        name=name,
        score="accuracy" if category else "R2",
        learner="gradient_boosting",
        make=boosted_classifier if category else boosted_regressor,
        inputs=lambda part: flat(bench, part)[:, others],
        target=lambda part: flat(bench, part)[:, place],
    )


def trained_on(bench: Bench, task: Task, part: Part) -> Trained:
    """Five models, each trained on as many records drawn from `part` with replacement, scored on the reference split.

    TSTR and TRTR train on equally many records: the smaller of the synthetic and the training set, at most 5000.

    Raises:
        UnmeasurableError: fewer than 50 records on a side; a gap or a single value in the target; or the reference is
            the training split, on which no model can be judged.

    """
    if bench.reference == "train":
        raise UnmeasurableError("a model is scored on records that neither it nor the engine has seen, not on train")
    sizes = [len(bench.sample(p)) for p in ("synthetic", "train") if p == part or bench.request.train is not None]
    n = min(*sizes, _MOST) if len(sizes) > 1 else min(sizes[0], _MOST)
    inputs, target = task.inputs(part), _whole(task.target(part), part)
    held_x, held_y = task.inputs(bench.reference), _whole(task.target(bench.reference), bench.reference)
    if min(n, len(held_y)) < LEAST:
        raise UnmeasurableError(f"{n} records to train on and {len(held_y)} to test on; {LEAST} of each are needed")
    rng = bench.rng(f"utility/{part}")
    scores = np.stack(
        [_scored(task, inputs, target, rng.integers(len(target), size=n), held_x, held_y) for _ in range(SEEDS)]
    )
    return Trained(each=scores.mean(axis=0), models=scores.mean(axis=1), n_train=n)


def utility(bench: Bench, name: str, part: Part, null: float | None, **more: float) -> Figure:
    """The figure of `trained_on`: mean score over five models, u of test records and training draws together."""
    task = task_of(bench)
    found = bench.once(f"utility/{part}", lambda: trained_on(bench, task, part))
    value, u = float(found.each.mean()), found.u
    lower, upper = value - Z95 * u, value + Z95 * u
    if task.score == "accuracy":  # five models that are all right do not make it certain
        exact = clopper_pearson(round(value * len(found.each)), len(found.each))
        lower, upper = max(0.0, min(lower, exact[0])), min(1.0, max(upper, exact[1]))
    return Figure(
        name=name,
        label=f"{name}[{task.score} of {task.learner}, target {task.name}]",
        value=value,
        u=u,
        lower=lower,
        upper=upper,
        method="analytic",
        n_real=len(found.each),
        n_syn=len(bench.sample("synthetic")) if part == "synthetic" else None,
        split=bench.reference,
        null=null,
        details=details(
            score=task.score,
            target=task.name,
            learner=task.learner,
            models=SEEDS,
            n_train=found.n_train,
            worst_model=float(found.models.min()),
            floor=_floor(task, bench),
            **more,
            seed=bench.request.seed,
        ),
    )


def _scored(task: Task, inputs: Array, target: Array, rows: Any, held_x: Array, held_y: Array) -> Array:  # noqa: ANN401
    """What each held-out record scores under one model: shape (n,), with the score as its mean."""
    if len(np.unique(target[rows])) < 2:
        return _constant(task, float(target[rows][0]), held_y)
    learned, judged = readable(inputs[rows], held_x)
    with one_thread():
        told = np.asarray(task.make().fit(learned, target[rows]).predict(judged), dtype=np.float64)
    return _each(task, told, held_y)


def _constant(task: Task, told: float, held: Array) -> Array:
    """A part that shows one value alone teaches to say that value."""
    return _each(task, np.full(len(held), told), held)


def _each(task: Task, told: Array, held: Array) -> Array:
    if task.score == "accuracy":
        return np.asarray(told == held, dtype=np.float64)
    spread = float(held.var())
    if spread <= 0:
        raise UnmeasurableError(f"{task.name} never varies in the reference split")
    return np.asarray(1 - np.square(told - held) / spread)


def _floor(task: Task, bench: Bench) -> float:
    """What the best constant answer scores on the reference split."""
    if task.score == "R2":
        return 0.0
    _, counts = np.unique(task.target(bench.reference), return_counts=True)
    return float(counts.max() / counts.sum())


def _whole(target: Array, part: str) -> Array:
    if np.isnan(target).any() or ((target < 0).any() and np.issubdtype(target.dtype, np.integer)):
        raise UnmeasurableError(f"the target has gaps in the {part} records")
    return target
