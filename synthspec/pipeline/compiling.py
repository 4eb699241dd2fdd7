"""From a checked spec to a plan: lower, then plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synthspec import __version__
from synthspec.backend.discovery import installed
from synthspec.diag import Outcome, failure
from synthspec.execute import CORE_VERSION
from synthspec.ir.canonical import digest, to_json
from synthspec.ir.plan import Plan
from synthspec.ir.resolved import CheckedSpec, ResolvedSpec
from synthspec.lower import lower
from synthspec.plan import plan


def compile_spec(checked: CheckedSpec) -> Outcome[Plan]:
    """The plan of a checked spec, with each op given to an installed backend, or to none with the reasons."""
    resolved = checked.resolved
    graph = lower(checked)
    if graph.value is None:
        return failure(graph.diagnostics)
    header = Plan(
        name=resolved.spec.metadata.name,
        version=resolved.spec.metadata.version,
        spec_digest=spec_digest(resolved),
        compiler=f"synthspec {__version__}",
        nodes=(),
        overrides=resolved.overrides,
        waivers=tuple(waiver.id for waiver in resolved.spec.waivers),
    )
    offers = installed().backends
    planned = plan(graph.value, offers, core_version=CORE_VERSION, wanted=resolved.spec.engine.backend, header=header)
    return Outcome(planned.value, (*checked.warnings, *planned.diagnostics))


def spec_digest(resolved: ResolvedSpec) -> str:
    """The digest of what a spec and its SRef mean: the same in any layout, spelling of a unit, or order of keys."""
    return digest("synthspec.spec.v1", [to_json(resolved.spec), to_json(resolved.sref)])


def based(plan_: Plan, base: Path, beside: Path) -> Plan:
    """`plan_` with its base folder, as seen from the folder `beside` where the plan file will lie."""
    import os

    return replace(plan_, base=Path(os.path.relpath(base.resolve(), beside.resolve())).as_posix())
