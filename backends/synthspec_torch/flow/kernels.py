"""The ops of flows: fit, assess, and what the shared block kernels make of a sampler. Importing it loads torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch

from synthspec.backend.artifacts import FIGURES, FIT_REPORT, TRAINING_LOG, write_report
from synthspec.backend.blocks import Sampler, sampling_kernels
from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import draw_conditions
from synthspec.backend.engines import rows_of
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.backend.scores import write_scores
from synthspec.ir.evidence import Figure
from synthspec.ir.families import DpSgd
from synthspec.ir.ops import Assess, Fit, Sample
from synthspec_torch.acceleration.quantizing import quantize
from synthspec_torch.data.kinds import is_mixed
from synthspec_torch.flow import tables
from synthspec_torch.flow.engine import WEIGHTS, TrainedFlow
from synthspec_torch.flow.inversion import inversion
from synthspec_torch.flow.likelihood import DRAWS, Likelihood
from synthspec_torch.flow.mixed import MixedLearner, MixedRecords
from synthspec_torch.flow.sampling import FlowSampler
from synthspec_torch.flow.tables import TableFlow, TableSampler
from synthspec_torch.flow.training import FlowLearner
from synthspec_torch.privacy.fitting import fit_privately
from synthspec_torch.privacy.training import PrivateCourse
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, Trained, train
from synthspec_torch.training.restarting import restarting
from synthspec_torch.training.seeding import batches, intra_op_threads
from synthspec_torch.training.starting import start_from


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """S405-3: train the flow; keep the averaged weights with the smallest `bpd_val`, under a mechanism the last."""
    if is_mixed(op.schema):
        _fit_table(op, inputs, context)
        return
    rows = rows_of(inputs, "train")
    with intra_op_threads(op.training.threads):
        flow = TrainedFlow.fresh(op, rows.columns, op.training.seed or 0)
        start_from(op, flow.network, context.root, "content.", "context.")
        if isinstance(op.privacy, DpSgd):
            # The val split stays out of a private training: a validation would be a release.
            records = flow.records(rows)
            learner = FlowLearner(
                flow.network, flow.cells, records, records.take(torch.arange(0)), op.training.seed or 0
            )
            private = PrivateCourse.of(op.training, op.stability, op.privacy, len(rows))
            trained = fit_privately(learner, private, context)
        else:
            trained = _train(op, flow, rows, rows_of(inputs, "val"), context)
    flow.write(context, trained.weights)
    write_report(context.out, FIT_REPORT, trained.report)


def _fit_table(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    rows, seed = rows_of(inputs, "train"), op.training.seed or 0
    with intra_op_threads(op.training.threads):
        flow = TableFlow.fresh(op, rows.columns, seed)
        start_from(op, flow.network, context.root, "context.")
        records = flow.records(rows)
        if isinstance(op.privacy, DpSgd):
            # The val split stays out of a private training: a validation would be a release.
            private = PrivateCourse.of(op.training, op.stability, op.privacy, len(rows))
            learner = MixedLearner(flow.network, records, records.take(slice(0, 0)), seed)
            trained = fit_privately(learner, private, context)
        else:
            trained = _train_table(op, flow, records, rows_of(inputs, "val"), context)
    flow.write(context, trained.weights)
    write_report(context.out, FIT_REPORT, trained.report)


def _train_table(op: Fit, flow: TableFlow, records: MixedRecords, val: Dataset, context: Context) -> Trained:
    course = Course.of(op.training, op.stability, len(records))
    # What is dropped out of the network's layers is drawn from the global generator: it starts at the seed, too.
    with SignalLog(context.out / TRAINING_LOG) as log, torch.random.fork_rng(devices=[]):
        torch.manual_seed(course.seed)
        learner = MixedLearner(flow.network, records, flow.records(val), course.seed)
        return train(learner, course, log, context.progress, context.unfinished)


def _train(op: Fit, flow: TrainedFlow, rows: Dataset, val: Dataset, context: Context) -> Trained:
    course = Course.of(op.training, op.stability, len(rows))
    learner = FlowLearner(flow.network, flow.cells, flow.records(rows), flow.records(val), course.seed)
    by_data = getattr(getattr(op.engine.architecture, "actnorm", None), "init", "") == "data"
    if by_data and op.training.init_from is None:
        learner.start_at(next(batches(course.records, course.batch_size, 1, course.seed)).rows)
    with SignalLog(context.out / TRAINING_LOG) as log:
        return train(learner, course, log, context.progress, context.unfinished)


def load(op: Sample, inputs: Mapping[str, Artifact]) -> Sampler:
    """A sampler of the engine that `fit` made."""
    if is_mixed(op.fit.schema):
        return TableSampler(
            flow=TableFlow.read(op.fit, inputs["engine"]),
            conditions=partial(draw_conditions, op, rows_of(inputs, "train")),
            seed=op.seed,
            threads=op.fit.training.threads,
        )
    return FlowSampler(
        flow=TrainedFlow.read(op.fit, inputs["engine"]),
        conditions=partial(draw_conditions, op, rows_of(inputs, "train")),
        seed=op.seed,
        threads=op.fit.training.threads,
    )


def assess(op: Assess, inputs: Mapping[str, Artifact], context: Context) -> None:
    """C40-512: nll, bpd and inv_error on the reference split, as far as they are asked for; C40-516: scores of records."""
    context.progress.start("assess", len(op.metrics), "figures")
    with intra_op_threads(op.fit.training.threads):
        likelihood, inverted = _said_by(op, inputs)
        rows = rows_of(inputs, op.reference)
        found = likelihood(rows) if {"nll", "bpd"} & set(op.metrics) else None
        figures: list[Figure] = []
        for name in op.metrics:
            if name == "inv_error":
                figures.append(inverted(rows))
            elif found is not None:
                figures.append(found.figure(name, op.reference))
            context.progress.advance(note=name)
        how = f"minus the nll, the mean over {DRAWS} places in their cells where records are spread"
        write_scores(op, inputs, context, lambda data: -likelihood(data).nats.mean(0).numpy(), how)
    write_report(context.out, FIGURES, tuple(figures))


def _said_by(
    op: Assess, inputs: Mapping[str, Artifact]
) -> tuple[Callable[[Dataset], Likelihood], Callable[[Dataset], Figure]]:
    """What gives the likelihood of records, and what gives their inv_error."""
    if is_mixed(op.fit.schema):
        table = TableFlow.read(op.fit, inputs["engine"])
        return (
            lambda data: tables.likelihood(table, table.records(data), op.seed),
            lambda data: tables.inversion(table, table.records(data), op.seed),
        )
    flow = TrainedFlow.read(op.fit, inputs["engine"])
    return (
        lambda data: Likelihood.of(flow, flow.records(data), op.seed),
        lambda data: inversion(flow, flow.records(data), op.seed),
    )


KERNELS: Mapping[str, Kernel] = {
    "accelerate": partial(quantize, names=(WEIGHTS,)),
    "fit": restarting(fit),
    "assess": assess,
    **sampling_kernels(load),
}
