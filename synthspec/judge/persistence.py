"""P405-8: whether a plan holds what a repetition needs. The figure behind half of C40-519."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.plan import Plan


def unpersisted(plan: Plan) -> Figure:
    """How many of the facts that P405-8 names are missing from `plan`: seeds, rng, solver and NFE."""
    facts = [fact for node in plan.nodes for fact in _facts(node.op)]
    missing = sorted(name for name, there in facts if not there)
    return Figure(
        name="unpersisted",
        label="unpersisted[P405-8]",
        value=float(len(missing)) if facts else None,
        method="exact",
        details=(("checked", len(facts)), ("missing", ", ".join(missing))),
        reason="" if facts else "the plan neither trains nor samples",
    )


def _facts(op: object) -> list[tuple[str, bool]]:
    match op:
        case Fit():
            return [("training.seed", op.training.seed is not None)]
        case Sample():
            facts = [("sampling.seed", op.seed is not None), ("sampling.rng", bool(op.rng))]
            if op.fit.engine.family == "diffusion":
                facts += [("sampling.solver", op.solver is not None), ("sampling.NFE", op.solver is not None)]
            return facts
        case _:
            return []
