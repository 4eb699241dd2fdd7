"""The training of a spec as one op."""

from __future__ import annotations

from dataclasses import replace

from synthspec.accounting import available
from synthspec.ir.ops import Fit, KnownObjective, Mechanism
from synthspec.ir.privacy import accountant_of, is_auto, solved_multiplier, with_multiplier
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.schema import Schema
from synthspec.lower.needs import Needs
from synthspec.spec.engine import OtherArchitecture
from synthspec.spec.objective import OtherObjective
from synthspec.spec.privacy import DpNoise, DpSgd, NoMechanism, Pate, UnstatedMechanism
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
        schema=_transformed(resolved),
        engine=spec.engine,
        objective=objective,
        training=training,
        stability=spec.stability or Stability(),
        privacy=privacy,
        conditions=() if spec.conditioning is None else tuple(spec.conditioning.variables),
        drop_rate=0.0 if guidance is None else guidance.drop_rate,
    )


def _transformed(resolved: ResolvedSpec) -> Schema:
    """The schema as the engine learns it: each field with the way that it is put before the network (P405-7)."""
    kinds = resolved.spec.data.transform
    fields = resolved.schema.fields
    known = {name: kind for name, kind in kinds.items() if kind != "gmm"}
    changed = tuple(replace(f, transform=known[f.name]) if f.name in known else f for f in fields)
    return replace(resolved.schema, fields=changed) if known else resolved.schema


def _known_objective(resolved: ResolvedSpec, needs: Needs) -> KnownObjective | None:
    stated = resolved.spec.objective
    known: KnownObjective | None = None if isinstance(stated, OtherObjective) else stated
    return needs.of(known, "objective", "measure")


def _mechanism(resolved: ResolvedSpec, needs: Needs) -> Mechanism | None:
    stated = resolved.spec.privacy
    known: Mechanism | None = None if isinstance(stated, UnstatedMechanism) else stated
    if isinstance(known, DpNoise):
        # The training sees records that are drawn from what was released, and has nothing to protect (`statistics`).
        return NoMechanism(mechanism="none")
    if isinstance(known, DpSgd | Pate) and is_auto(known):
        known = _solved(known, needs)
    return needs.of(known, "privacy", "mechanism")


def _solved(block: DpSgd | Pate, needs: Needs) -> DpSgd | Pate:
    """`block` with the least noise that its budget allows.

    Without dp-accounting the noise stays ``auto``, which no backend runs: a looser bound would make another plan, with
    more noise than the same spec has elsewhere.
    """
    accountant, adjacency = accountant_of(block), block.adjacency
    if accountant is None or adjacency is None or not block.delta or not block.eps_budget or not available():
        return block
    multiplier = solved_multiplier(block)
    if multiplier is None:
        needs.fault(
            "P405-4.budget-exceeded",
            f"no noise keeps the plan within an eps_budget of {block.eps_budget:g}",
            "a waiver cannot make it private: raise the budget, or take fewer steps",
            ("privacy", "eps_budget"),
        )
        return block
    return with_multiplier(block, multiplier)
