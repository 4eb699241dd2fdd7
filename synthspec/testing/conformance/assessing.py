"""Laws of assessing: the figures that only an engine can give are those asked for, honest, and the same each time."""

from __future__ import annotations

from synthspec.backend.artifacts import FIGURES, read_figures
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
