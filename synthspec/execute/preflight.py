"""What stands in the way of a plan on this machine: all of it, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from synthspec.backend.protocol import Backend
from synthspec.diag import Diagnostic
from synthspec.ir.ops import Accelerate, Compare, Judge, Sample
from synthspec.ir.plan import Plan, PlanNode

CODE = "engine.backend-unsupported"
STAGES = frozenset({"judge", "emit"})
"""Ops that are stages of their own: they come after the execution and make no artifact."""


def runnable(plan: Plan) -> tuple[PlanNode, ...]:
    """The nodes that an execution computes, in order."""
    return tuple(node for node in plan.nodes if node.op.op not in STAGES)


def problems(plan: Plan, backends: Mapping[str, Backend]) -> tuple[Diagnostic, ...]:
    """Everything that keeps `plan` from running with `backends`, each once; empty when it can run."""
    nodes = runnable(plan)
    if unjudged := _not_evaluated_again(plan):
        return (unjudged,)
    affected: dict[str, list[str]] = {}
    for node in nodes:
        for reason in _reasons(node, backends):
            affected.setdefault(reason, []).append(node.id)
    used = dict.fromkeys(node.backend for node in nodes if node.backend in backends)
    return (
        *(_unsupported(reason, names) for reason, names in affected.items()),
        *(found for name in used for found in _install(backends[name])),
    )


def unaligned(plan: Plan, batch: int | None) -> str:
    """Why no sample of `plan` can be drawn `batch` records at a time; empty when each can, and for None."""
    blocks = {node.op.block for node in plan.nodes if isinstance(node.op, Sample)}
    for block in sorted(blocks):
        if batch is not None and batch % block:
            least = batch - batch % block
            nearest = " or ".join(str(size) for size in (least, least + block) if size)
            return f"a worker takes whole blocks, and sampling.block is {block}: say {nearest}, not {batch}"
    return ""


def _not_evaluated_again(plan: Plan) -> Diagnostic | None:
    """P405-10: a plan that judges an accelerated engine measures it and its teacher, whoever wrote the plan."""
    made = [node.id for node in plan.nodes if isinstance(node.op, Accelerate)]
    judged = [edge.node for node in plan.nodes if isinstance(node.op, Judge) for edge in node.inputs]
    if not made or not any(isinstance(node.op, Judge) for node in plan.nodes):
        return None
    if any(isinstance(node.op, Compare) and node.id in judged for node in plan.nodes):
        return None
    return Diagnostic(
        code="P405-10.no-reevaluation",
        message=f"the plan judges what {', '.join(made)} makes without comparing it with its teacher",
        help="compile the spec again: every acceleration brings its evaluation with it",
    )


def _reasons(node: PlanNode, backends: Mapping[str, Backend]) -> Iterable[str]:
    if not node.backend:
        return node.refusals or (f"no backend takes {node.op.op!r}",)
    backend = backends.get(node.backend)
    if backend is None:
        installed = ", ".join(sorted(backends)) or "none"
        return (f"{node.backend}: the plan names it, but it is not installed (installed: {installed})",)
    if backend.version != node.backend_version:
        return (
            f"{node.backend}: the plan was made for version {node.backend_version}, installed is {backend.version}",
        )
    return tuple(f"{backend.name}: {reason}" for reason in backend.supports(node.op))


def _unsupported(reason: str, nodes: list[str]) -> Diagnostic:
    return Diagnostic(
        code=CODE,
        message=f"not supported by any installed backend: {reason} (needed for {', '.join(nodes)})",
        help="change the spec, or install a backend that can (`synthspec backends` lists the installed ones)",
    )


def _install(backend: Backend) -> Iterable[Diagnostic]:
    command = backend.missing()
    if command:
        yield Diagnostic(code=CODE, message=f"backend {backend.name!r} is not complete here", help=f"run: {command}")
