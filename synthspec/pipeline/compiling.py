"""From a checked spec to a plan: lower, then plan."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from synthspec import __version__
from synthspec.backend.discovery import installed
from synthspec.diag import Outcome, failure
from synthspec.execute import CORE
from synthspec.ir.plan import Plan, spec_digest
from synthspec.ir.resolved import CheckedSpec
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
        spec_digest=spec_digest(resolved.spec, resolved.sref),
        spec=resolved.spec,
        sref=resolved.sref,
        compiler=f"synthspec {__version__}",
        nodes=(),
        overrides=resolved.overrides,
        waivers=tuple(waiver.id for waiver in resolved.spec.waivers),
    )
    offers = installed()
    planned = plan(graph.value, offers, core_version=CORE.version, wanted=resolved.spec.engine.backend, header=header)
    return Outcome(planned.value, (*checked.warnings, *planned.diagnostics))


def based(plan_: Plan, base: Path, beside: Path) -> Plan:
    """`plan_` with its base folder, as seen from the folder `beside` where the plan file will lie."""
    return replace(plan_, base=Path(os.path.relpath(base.resolve(), beside.resolve())).as_posix())
