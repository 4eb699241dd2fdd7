"""App C `generation.timepath`: what the manifest says of the time base and of the arrival times (P405-5, P405-6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthspec.backend.artifacts import read_report
from synthspec.backend.timepath import ALIGN_REPORT, ARRIVE_REPORT, AlignReport, ArriveReport
from synthspec.execute import Execution
from synthspec.ir.manifest_engine import TimePath
from synthspec.ir.ops import Align, Arrive
from synthspec.ir.plan import Plan


def timepath_of(plan: Plan, execution: Execution) -> TimePath | None:
    """The group from the reports of `align` and `arrive`; None where no time base was fitted."""
    names = {type(node.op): node.id for node in plan.nodes}
    if Align not in names:
        return None
    align = read_report(execution.node(names[Align]).artifact.path(ALIGN_REPORT), AlignReport)
    arrival: dict[str, Any] = {}
    if Arrive in names:
        found = read_report(execution.node(names[Arrive]).artifact.path(ARRIVE_REPORT), ArriveReport)
        arrival = {
            "c_ref": found.c_ref0,
            "T_arr_form1": found.T_arr_form1,
            "T_arr_form2": found.T_arr_form2,
            "delta_form": found.delta_form,
            "L_gamma": found.L_gamma,
        }
    return TimePath(
        ts_timezone=align.timezone,
        tau_mono_origin=f"tau_mono = {align.tau_ref!r} s at {align.t_ref} + offset",
        offset=align.offset.value,
        skew=align.skew.value,
        J=align.J.rms,
        J_p95=align.J.p95,
        J_pp=align.J.peak_to_peak,
        u_offset=align.offset.u,
        u_skew=align.skew.u,
        J_upper=align.J_upper,
        window=align.window,
        method=align.method,
        strategy=align.strategy,
        leap_seconds=align.leap_seconds,
        clock_steps=len(align.steps),
        gaps=len(align.gaps),
        **arrival,
    )


def write_timepath(folder: Path, execution: Execution) -> None:
    """Put ``align.json`` and ``arrive.json`` into `folder`, as far as a run has them: every window, step and segment."""
    for node in execution.nodes:
        for name in (ALIGN_REPORT, ARRIVE_REPORT):
            if name in node.artifact.files:
                (folder / name).write_bytes(node.artifact.path(name).read_bytes())
