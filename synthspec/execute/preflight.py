"""What stands in the way of a plan on this machine: all of it, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from synthspec.backend.protocol import Backend
from synthspec.diag import Diagnostic
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
    found = [problem for node in nodes for problem in _node_problems(node, backends)]
    names = dict.fromkeys(node.backend for node in nodes if node.backend in backends)
    found += [problem for name in names for problem in _install(backends[name])]
    return tuple(dict.fromkeys(found))


def _node_problems(node: PlanNode, backends: Mapping[str, Backend]) -> Iterable[Diagnostic]:
    if not node.backend:
        for reason in node.refusals or ("no backend takes it",):
            yield _unsupported(f"{node.id}: {reason}")
        return
    backend = backends.get(node.backend)
    if backend is None:
        installed = ", ".join(sorted(backends)) or "none"
        yield _unsupported(
            f"{node.id}: the plan names backend {node.backend!r}, which is not installed (installed: {installed})"
        )
        return
    if backend.version != node.backend_version:
        yield Diagnostic(
            code=CODE,
            message=f"the plan was made for {node.backend} {node.backend_version}, installed is {backend.version}",
            help="compile the spec again, or install that version",
        )
    for reason in backend.supports(node.op):
        yield _unsupported(f"{node.id}: {backend.name}: {reason}")


def _unsupported(reason: str) -> Diagnostic:
    return Diagnostic(
        code=CODE,
        message=f"not supported by any installed backend: {reason}",
        help="change the spec, or install a backend that can (`synthspec backends` lists the installed ones)",
    )


def _install(backend: Backend) -> Iterable[Diagnostic]:
    command = backend.missing()
    if command:
        yield Diagnostic(code=CODE, message=f"backend {backend.name!r} is not complete here", help=f"run: {command}")
