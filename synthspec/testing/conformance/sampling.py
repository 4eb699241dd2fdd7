"""Laws of sampling: the same bytes however the work is shared out, records that fit the schema, counts that are true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from safetensors.numpy import load_file

from synthspec.backend.artifacts import (
    DATA,
    LATENCIES,
    LATENCY_REPORT,
    REPLAY_REPORT,
    SAMPLE_REPORT,
    LatencyReport,
    ReplayReport,
    SampleReport,
    read_report,
)
from synthspec.backend.blocks import LATENCY_COLUMN, unequal_records
from synthspec.backend.columns import column_dtype, made_fields, stored_members
from synthspec.backend.dataset import Column, Dataset, read_dataset, write_dataset
from synthspec.ir.ops import Latency, Replay
from synthspec.ir.schema import Field
from synthspec.ir.solvers import SOLVERS, evaluations
from synthspec.testing.conformance.trial import Trial, collected, digests, require


def sample_is_shard_invariant(trial: Trial) -> None:
    """One, two and four workers write the same bytes, reports included, and so does a batch of several blocks."""
    for workers, blocks in ((1, 1), (2, 1), (4, 1), (1, 3), (2, 2)):
        drawn = trial.sample(workers=workers, batch=blocks * trial.op.block)
        law = f"{workers} workers with batches of {blocks} blocks write the same bytes"
        require(digests(drawn) == digests(trial.samples), law, drawn.files)


def sample_has_the_prefix_property(trial: Trial) -> None:
    """Fewer records are the first of more: block b depends on (seed, b) alone, a cut block too."""
    op, whole = trial.op, read_dataset(trial.samples.path(DATA))
    for count in sorted({1, op.block, min(op.block + op.block // 2 + 1, op.candidates), op.candidates}):
        shorter = trial.records(n=count, candidates=count)
        require(shorter is not None, f"{count} records can be drawn where {op.candidates} can")
        if shorter is not None:
            first = whole.take(np.arange(count))
            require(len(shorter) == count, f"{count} records are drawn", len(shorter))
            require(not unequal_records(shorter, first), f"{count} records are the first {count} of more")


def sample_depends_on_the_seed(trial: Trial) -> None:
    """Another seed gives other content, and so does another block."""
    whole, other = read_dataset(trial.samples.path(DATA)), trial.records(seed=trial.op.seed + 1)
    names = [field.name for field in trial.op.fit.schema.with_role("content")]
    require(other is not None, "the seed decides nothing about support")
    if other is not None and names:
        content, changed = (Dataset({name: each[name] for name in names}) for each in (whole, other))
        require(unequal_records(content, changed), "another seed gives other records")
        size = min(trial.op.block, len(whole) - trial.op.block)
        if size > 0:
            rows = np.arange(size)
            require(unequal_records(content.take(rows), content.take(rows + trial.op.block)), "blocks differ")


def sample_fits_the_schema(trial: Trial) -> None:
    """Content and conditions are there, in dtype, shape, range and enum; nothing derived, nothing unknown."""
    schema, drawn = trial.op.fit.schema, read_dataset(trial.samples.path(DATA))
    wanted = {field.name for field in made_fields(trial.op.fit)}
    allowed = wanted | {field.name for field in schema.fields if field.role in ("key", "time")}
    require(wanted <= set(drawn.columns), "content and conditions are drawn", sorted(wanted - set(drawn.columns)))
    require(set(drawn.columns) <= allowed, "nothing else is drawn", sorted(set(drawn.columns) - allowed))
    for name, column in drawn.columns.items():
        field = schema.field(name)
        require(column.shape == (trial.op.candidates, *field.shape), f"{name} has its shape", column.shape)
        require(column.dtype == column_dtype(field), f"{name} has its dtype", column.dtype)
        _fits(field, column)


def _fits(field: Field, column: Column) -> None:
    if field.enum or field.dtype == "categorical":
        members = set(stored_members(field)) | ({-1.0} if field.nullable else set())
        strange = sorted(set(np.unique(column).tolist()) - members)
        require(not strange, f"{field.name} holds members of its enum", strange)
        return
    values = column[np.isfinite(column)] if field.nullable else column
    require(np.isfinite(values).all(), f"{field.name} is finite")
    if field.range is not None and values.size:
        low, high = np.asarray(field.range).astype(column.dtype)
        require(
            values.min() >= low and values.max() <= high, f"{field.name} keeps its range", (values.min(), values.max())
        )


def evaluations_are_those_of_the_solver(trial: Trial) -> None:
    """NFE as counted at the network is what the solver costs, and guidance doubles it (P405-8)."""
    report = trial.sample_report
    require(report.records == trial.op.candidates, "the report counts the records", report)
    if not trial.has_network:
        require(report.net_evals_per_sample == 0, "without a network nothing is evaluated", report)
        return
    _costs(trial, report, guided=trial.op.w_cfg > 0)
    for w_cfg in (0.0, 0.5):
        solver = trial.op.solver
        if solver is None or not trial.op.fit.conditions:
            return
        planned = replace(solver, NFE=_nfe(trial, w_cfg))
        op = replace(trial.op, w_cfg=w_cfg, solver=planned)
        if not trial.backend.supports(op):
            _costs(trial, read_report(trial.sample(op).path(SAMPLE_REPORT), SampleReport), guided=w_cfg > 0)


def _nfe(trial: Trial, w_cfg: float) -> int:
    """What the steps of the trial's solver cost under the guidance `w_cfg`."""
    solver, way = trial.op.solver, trial.op.guidance
    steps = 0 if solver is None else solver.steps
    return 0 if solver is None else evaluations(SOLVERS[solver.name], steps, guided=w_cfg > 0, schedule=way)


def _costs(trial: Trial, report: SampleReport, *, guided: bool) -> None:
    if trial.op.solver is None:
        return
    law, steps = SOLVERS[trial.op.solver.name], trial.op.solver.steps
    require(report.steps == steps, "as many steps as planned", report)
    nfe = evaluations(law, steps, guided=guided, schedule=trial.op.guidance)
    if law.adaptive:
        require(0 < report.net_evals_per_sample <= nfe, f"{law.name} keeps within {nfe} evaluations", report)
    else:
        require(report.net_evals_per_sample == nfe, f"{law.name} with {steps} steps evaluates {nfe} times", report)
    require(report.net_calls > 0, "calls of the network are counted", report)
    require((report.cfg_evals > 0) == guided, "guidance is what adds evaluations", report)


def replay_finds_what_changed(trial: Trial) -> None:
    """Replaying finds nothing in what was drawn, and exactly the record that someone changed."""
    op = trial.op
    blocks = tuple(range(-(-op.candidates // op.block)))
    report = _replayed(trial, blocks, read_dataset(trial.samples.path(DATA)))
    require(report.mismatches == 0, "a replay gives the same records", report)
    require(report.records == op.candidates and report.blocks == blocks, "all records are compared", report)
    content = op.fit.schema.with_role("content")[0].name
    columns = {name: np.array(column) for name, column in read_dataset(trial.samples.path(DATA)).columns.items()}
    columns[content][-1] = np.where(columns[content][-1] == 0, 1, 0).astype(columns[content].dtype)
    changed = Dataset(columns)
    last = _replayed(trial, blocks[-1:], changed)
    require(last.mismatches == 1, "a changed record is found", last)
    if len(blocks) > 1:
        require(_replayed(trial, blocks[:1], changed).mismatches == 0, "the first block was not changed")


def _replayed(trial: Trial, blocks: tuple[int, ...], samples: Dataset) -> ReplayReport:
    folder = trial.new_folder()
    write_dataset(folder, samples)
    made = trial.replay(Replay(sample=trial.op, blocks=blocks), collected(folder))
    return read_report(made.path(REPLAY_REPORT), ReplayReport)


def latency_is_timed_request_by_request(trial: Trial) -> None:
    """One positive time a request, the warm-up left out, each request a single record (C40-514)."""
    op = Latency(sample=trial.op, requests=4, warmup=1)
    made = trial.latency(op)
    times = load_file(str(made.path(LATENCIES)))
    require(set(times) == {LATENCY_COLUMN}, f"times are the column {LATENCY_COLUMN}", sorted(times))
    column = times[LATENCY_COLUMN]
    require(column.shape == (op.requests,) and column.dtype == np.float64, "one float64 a request", column.shape)
    require((column > 0).all() and np.isfinite(column).all(), "times are positive", column)
    report = read_report(made.path(LATENCY_REPORT), LatencyReport)
    require((report.requests, report.warmup, report.batch) == (4, 1, 1), "the report says what was done", report)
    require(report.threads >= 1 and report.device, "the report says on what", report)


def progress_adds_up(trial: Trial) -> None:
    """A kernel announces what it will do, and does no more than that."""
    for make in (trial.fit, trial.sample):
        make()
        phases = trial.phases.seen
        require(phases, "a kernel says how far it is")
        for label, total, done in phases:
            require(0 <= done <= total, f"{label} stays within what was announced", (done, total))
