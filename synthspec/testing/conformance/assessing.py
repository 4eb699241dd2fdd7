"""Laws of assessing: the figures that only an engine can give are those asked for, honest, and the same each time."""

from __future__ import annotations

import numpy as np

from synthspec.backend.artifacts import FIGURES, SCORES, SPLIT, read_figures
from synthspec.backend.dataset import read_rows
from synthspec.backend.scores import candidates, read_scores
from synthspec.ir.figures import OF_THE_ENGINE
from synthspec.ir.ops import Assess
from synthspec.testing.conformance.trial import Trial, digests, require


def figures_are_those_asked_for(trial: Trial) -> None:
    """One figure a metric, on the split asked for; without a value it says why; between its bounds; repeatable."""
    fit = trial.op.fit
    ops = [Assess(fit=fit, metrics=(name,), reference="test", seed=1) for name in sorted(OF_THE_ENGINE)]
    taken = tuple(op.metrics[0] for op in ops if not trial.backend.supports(op))
    if not taken:
        return
    op = Assess(fit=fit, metrics=taken, reference="test", seed=1)
    one, other = (trial.run(op, {"engine": trial.engine, **trial.inputs}) for _ in range(2))
    require(digests(one) == digests(other), "the same engine is assessed the same")
    figures = read_figures(one.path(FIGURES))
    require(sorted(figure.name for figure in figures) == sorted(taken), "figures are those asked for", figures)
    for figure in figures:
        require(figure.value is not None or figure.reason, f"{figure.name} has a value or a reason", figure)
        require(figure.split in (None, "val", op.reference), f"{figure.name} is of the split asked for", figure.split)
        if figure.value is not None:
            require(figure.lower is None or figure.lower <= figure.value, f"{figure.name} is above its lower bound")
            require(figure.upper is None or figure.upper >= figure.value, f"{figure.name} is below its upper bound")


def scores_are_of_the_records_that_are_attacked(trial: Trial) -> None:
    """Of each split that is scored exactly the candidates, one number each, the same each time; or no scores at all."""
    op = Assess(fit=trial.op.fit, metrics=(), reference="test", scored=("train", "val"), seed=3)
    if trial.backend.supports(op):
        return
    one, other = (trial.run(op, {"engine": trial.engine, **trial.inputs}) for _ in range(2))
    require(digests(one) == digests(other), "the same engine scores the same")
    if SCORES not in one.files:
        return
    found, rows = read_scores(one.path(SCORES)), read_rows(trial.inputs["split"].path(SPLIT))
    require(set(found) == set(op.scored), "scores are of the splits asked for", tuple(found))
    for split, scores in found.items():
        wanted = candidates(op.seed, split, len(rows.of(split)))
        require(np.array_equal(scores.rows, wanted), f"the {split} records that are scored are those attacked")
        require(scores.values.shape == wanted.shape, "each has one score", scores.values.shape)
        require(not np.isnan(scores.values).any(), "every score is a number")
        require(scores.how, "scores say what they are")
