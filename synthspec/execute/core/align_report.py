"""What is recorded of a time base: the report, and the figures tau_mono_decreases and J."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthspec.backend.artifacts import DimCheck
from synthspec.backend.dataset import Column
from synthspec.backend.timepath import (
    LEAP_SECONDS,
    AlignReport,
    GapRecord,
    Known,
    Residual,
    StepRecord,
    WindowRecord,
)
from synthspec.execute.core.clock import Clock, TimeAxis
from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Align
from synthspec.timebase import ClockFit, Estimate, Gap, Step, Window, find_gaps, find_steps
from synthspec.timebase.base import TOLD
from synthspec.timebase.line import F64
from synthspec.units import parse_unit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alignment:
    """What the report is made from."""

    op: Align
    axis: TimeAxis
    fit: ClockFit
    clock: Clock
    """The training readings."""
    whole: Clock
    """All readings of the reference data."""
    real: Column
    made: Column
    not_recovered: int
    quantum: int
    spacings: int


def report(done: Alignment) -> AlignReport:
    """The record of `done`; times in s of tau_mono."""
    fit, clock, whole, main = done.fit, done.clock, done.whole, done.fit.main
    window = done.op.timebase.fit.window.si
    return AlignReport(
        timezone=done.op.timezone,
        leap_seconds=LEAP_SECONDS,
        t_ref=f"{np.datetime_as_string(np.datetime64(clock.t_ref, 'ns'))}Z",
        tau_ref=clock.tau_ref,
        method=fit.method,
        strategy=fit.strategy,
        window=window,
        tol_skew_lo=TOLD * main.line.skew.u,
        tol_jitter_lo=abs(main.line.skew.value) * window,
        offset=_known(fit.used.offset),
        skew=_known(fit.used.skew),
        fitted_skew=_known(main.line.skew),
        robust_skew=_known(main.check.skew),
        J=Residual(
            n=fit.jitter.n,
            rms=fit.jitter.rms,
            p50=fit.jitter.p50,
            p95=fit.jitter.p95,
            peak_to_peak=fit.jitter.peak_to_peak,
        ),
        J_u=fit.jitter.u,
        J_upper=fit.jitter.upper,
        begin=clock.tau_ref + main.begin,
        end=clock.tau_ref + main.end,
        windows=tuple(_window(each, clock.tau_ref) for stretch in fit.stretches for each in stretch.windows),
        largest_seam=fit.largest_seam,
        steps=tuple(_step(step, whole.tau_ref) for step in find_steps(whole.tau, whole.error)),
        gaps=tuple(_gap(gap, whole.tau_ref) for gap in find_gaps(whole.tau)),
        unfitted=fit.unfitted,
        readings=len(clock.tau),
        real_records=len(done.real),
        real_decreases=_decreases(done.real),
        made_records=len(done.made),
        made_decreases=_decreases(done.made),
        not_recovered=done.not_recovered,
        quantum=done.quantum,
        spacings=done.spacings,
        dim_checks=(_dim_check(done.op),),
    )


def _known(found: Estimate) -> Known:
    return Known(value=found.value, u=found.u, lower=found.lower, upper=found.upper)


def _window(window: Window, tau_ref: float) -> WindowRecord:
    value, u = window.line.at(window.begin)
    return WindowRecord(
        begin=tau_ref + window.begin,
        end=tau_ref + window.end,
        offset=_known(Estimate.normal(value, u)),
        skew=_known(window.line.skew),
        J=_residual(window.line.residuals),
    )


def _residual(residuals: F64) -> Residual:
    absolute = np.abs(residuals)
    return Residual(
        n=len(residuals),
        rms=float(np.sqrt((residuals**2).sum() / (len(residuals) - 2))),
        p50=float(np.quantile(absolute, 0.5)),
        p95=float(np.quantile(absolute, 0.95)),
        peak_to_peak=float(np.ptp(residuals)),
    )


def _step(step: Step, tau_ref: float) -> StepRecord:
    return StepRecord(before=tau_ref + step.before, after=tau_ref + step.after, size=step.size, u=step.u)


def _gap(gap: Gap, tau_ref: float) -> GapRecord:
    return GapRecord(before=tau_ref + gap.before, after=tau_ref + gap.after)


def _decreases(column: Column) -> int:
    """C40-517: how often tau_mono goes back from one record to the next, in the order of the records."""
    return int(np.less(column[1:], column[:-1]).sum())


def _dim_check(op: Align) -> DimCheck:
    found = parse_unit(op.schema.field(op.timebase.train_on).unit or "s").dimension
    expr = f"{op.timebase.publish_on} - (t_ref + offset + (1 + skew) * ({op.timebase.train_on} - tau_ref))"
    return DimCheck(expr=expr, dimension=str(found), ok=found == parse_unit("s").dimension)


def figures(found: AlignReport, done: Alignment) -> tuple[Figure, ...]:
    """tau_mono_decreases, counted over the reference data and over what was made; J in s, judged at its upper bound."""
    decreases = float(found.real_decreases + found.made_decreases)
    return (
        Figure(
            name="tau_mono_decreases",
            label=f"tau_mono_decreases[{done.op.timebase.train_on}]",
            value=decreases,
            u=0.0,
            lower=decreases,
            upper=decreases,
            method="exact",
            n_real=found.real_records,
            n_syn=found.made_records,
            details=(("real", found.real_decreases), ("synthetic", found.made_decreases)),
        ),
        Figure(
            name="J",
            label=f"J[rms,{found.method},{found.strategy},{found.window:g} s windows]",
            value=found.J.rms,
            unit="s",
            u=found.J_u,
            lower=done.fit.jitter.lower,
            upper=found.J_upper,
            method="analytic",
            n_real=found.J.n,
            split="train",
            details=_details(found),
        ),
    )


def _details(found: AlignReport) -> tuple[tuple[str, str | int | float], ...]:
    return (
        ("J_p50_s", found.J.p50),
        ("J_p95_s", found.J.p95),
        ("J_pp_s", found.J.peak_to_peak),
        ("offset_s", found.offset.value),
        ("u_offset_s", found.offset.u),
        ("skew", found.skew.value),
        ("u_skew", found.skew.u),
        ("other_method_skew", found.robust_skew.value),
        ("strategy", found.strategy),
        ("windows", len(found.windows)),
        ("largest_seam_s", found.largest_seam),
        ("clock_steps", len(found.steps)),
        ("largest_step_s", max((abs(step.size) for step in found.steps), default=0.0)),
        ("gaps", len(found.gaps)),
        ("longest_gap_s", max((gap.after - gap.before for gap in found.gaps), default=0.0)),
        ("not_recovered", found.not_recovered),
    )
