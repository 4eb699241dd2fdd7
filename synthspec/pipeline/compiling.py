"""From a checked spec to a plan: lower, then plan."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from synthspec import __version__
from synthspec.backend.discovery import installed
from synthspec.diag import Outcome, failure
from synthspec.execute import CORE
from synthspec.ir.ops import OpGraph
from synthspec.ir.plan import Plan, spec_digest
from synthspec.ir.resolved import CheckedSpec, ResolvedSpec
from synthspec.lower import Goal, lower, lower_draft
from synthspec.plan import plan


def compile_spec(checked: CheckedSpec) -> Outcome[Plan]:
    """The plan of a checked spec, with each op given to an installed backend, or to none with the reasons."""
    graph = lower(checked)
    if graph.value is None:
        return failure(graph.diagnostics)
    planned = _planned(checked.resolved, graph.value)
    return Outcome(planned.value, (*checked.warnings, *planned.diagnostics))


def compile_draft(resolved: ResolvedSpec, goal: Goal) -> Outcome[Plan]:
    """The plan of what leads to `goal`: it judges and emits nothing, so no run of it can be published."""
    graph = lower_draft(resolved, goal)
    return failure(graph.diagnostics) if graph.value is None else _planned(resolved, graph.value)


def _planned(resolved: ResolvedSpec, graph: OpGraph) -> Outcome[Plan]:
    header = Plan(
        name=resolved.spec.metadata.name,
        version=resolved.spec.metadata.version,
        spec_digest=spec_digest(resolved.spec, resolved.sref),
        spec=resolved.spec,
        sref=resolved.sref,
        compiler=f"synthspec {__version__}",
        nodes=(),
        overrides=resolved.overrides,
        waivers=tuple(waiver.id for waiver in resolved.spec.waivers),
    )
    offers = installed()
    return plan(graph, offers, core_version=CORE.version, wanted=resolved.spec.engine.backend, header=header)


def based(plan_: Plan, base: Path, beside: Path) -> Plan:
    """`plan_` with its base folder, as seen from the folder `beside` where the plan file will lie."""
    return replace(plan_, base=Path(os.path.relpath(base.resolve(), beside.resolve())).as_posix())
