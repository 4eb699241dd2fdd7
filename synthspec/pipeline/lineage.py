"""Where a released engine comes from (P405-10): what its training started from, and each acceleration with its parent, what
it took, and its evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.backend import artifacts
from synthspec.execute import Execution
from synthspec.ir import manifest_base as base
from synthspec.ir.evidence import Figure
from synthspec.ir.manifest_engine import LineageStep
from synthspec.ir.ops import Accelerate, Compare, Fit, Measure
from synthspec.ir.plan import Plan
from synthspec.ir.solvers import SolverPlan
from synthspec.spec.sampling import Distill, Quantize


def compared(plan: Plan, execution: Execution) -> tuple[Figure, ...]:
    """The figures of the engines that the released one was made from, and the differences; none without accelerations."""
    nodes = [node.id for node in plan.nodes if isinstance(node.op, Compare)]
    return tuple(
        figure
        for node in nodes
        for figure in artifacts.read_figures(execution.node(node).artifact.path(artifacts.FIGURES))
    )


def lineage(plan: Plan, execution: Execution) -> tuple[LineageStep, ...]:
    """The weights that training started from, then one step an acceleration, in order.

    `parent` is the digest of the file of weights, or of what the node of the parent engine made.
    """
    return (*_started(plan), *_steps(plan, execution))


def _started(plan: Plan) -> Iterator[LineageStep]:
    for node in plan.nodes:
        start = node.op.training.init_from if isinstance(node.op, Fit) else None
        if start is not None and start.sha256 is not None:
            stated = {"weights": start.weights, "run": start.run, "provenance": start.provenance, "id": start.id}
            yield LineageStep(
                operation="finetune",
                parent=base.Digest(sha256=start.sha256),
                parameters={name: value for name, value in stated.items() if value is not None},
                reevaluated=any(isinstance(each.op, Measure) for each in plan.nodes),
            )


def _steps(plan: Plan, execution: Execution) -> Iterator[LineageStep]:
    evaluated = [node.id for node in plan.nodes if isinstance(node.op, Compare)]
    for node in plan.nodes:
        if isinstance(node.op, Accelerate):
            parent = next(edge.node for edge in node.inputs if edge.port == "engine")
            parameters = dict(_parameters(node.op))
            for each in evaluated:
                parameters["evaluation_sha256"] = execution.node(each).record.digest
            yield LineageStep(
                operation=node.op.how.kind,
                parent=base.Digest(sha256=execution.node(parent).record.digest),
                parameters=parameters,
                reevaluated=bool(evaluated),
            )


def _parameters(op: Accelerate) -> Iterator[tuple[str, base.Parameter]]:
    match op.how:
        case Distill() as how:
            yield "method", how.method
            yield "data", "real" if how.data == "train" else "teacher-generated"
            yield "steps", how.steps
            yield "NFE_tgt", how.NFE
            if op.solver is not None:
                yield from _teacher(op, op.solver)
        case Quantize() as how:
            yield "dtype", how.dtype
        case _:
            pass


def _teacher(op: Accelerate, solver: SolverPlan) -> Iterator[tuple[str, base.Parameter]]:
    yield "NFE_src", solver.NFE
    yield "solver_src", solver.name
    yield "w_cfg_distilled", op.w_cfg
