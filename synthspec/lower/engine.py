"""The training of a spec as one op."""

from __future__ import annotations

from synthspec.ir.ops import Fit, KnownObjective, Mechanism
from synthspec.ir.resolved import ResolvedSpec
from synthspec.lower.needs import Needs
from synthspec.spec.engine import OtherArchitecture
from synthspec.spec.objective import OtherObjective
from synthspec.spec.privacy import UnstatedMechanism
from synthspec.spec.training import Stability


def fit_op(resolved: ResolvedSpec, needs: Needs) -> Fit | None:
    """The `Fit` of a spec, or None with the faults in `needs`."""
    spec = resolved.spec
    objective = _known_objective(resolved, needs)
    privacy = _mechanism(resolved, needs)
    training = needs.of(spec.training, "training")
    if training is not None:
        needs.of(training.seed, "training", "seed")
    if isinstance(spec.engine.architecture, OtherArchitecture):
        needs.of(None, "engine", "architecture", "name")
    if needs.faults or objective is None or privacy is None or training is None:
        return None
    guidance = None if spec.conditioning is None else spec.conditioning.guidance
    return Fit(
        schema=resolved.schema,
        engine=spec.engine,
        objective=objective,
        training=training,
        stability=spec.stability or Stability(),
        privacy=privacy,
        conditions=() if spec.conditioning is None else tuple(spec.conditioning.variables),
        drop_rate=0.0 if guidance is None else guidance.drop_rate,
    )


def _known_objective(resolved: ResolvedSpec, needs: Needs) -> KnownObjective | None:
    stated = resolved.spec.objective
    known: KnownObjective | None = None if isinstance(stated, OtherObjective) else stated
    return needs.of(known, "objective", "measure")


def _mechanism(resolved: ResolvedSpec, needs: Needs) -> Mechanism | None:
    stated = resolved.spec.privacy
    known: Mechanism | None = None if isinstance(stated, UnstatedMechanism) else stated
    return needs.of(known, "privacy", "mechanism")
