"""The ops of diffusion: fit, assess, and what the shared block kernels make of a sampler. Importing it loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthspec.backend.artifacts import FIGURES, FIT_REPORT, TRAINING_LOG, write_report
from synthspec.backend.blocks import Sampler, sampling_kernels
from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import Stream, draw_conditions, generator
from synthspec.backend.engines import learned_rows, rows_of
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.backend.scores import write_scores
from synthspec.ir.families import (
    DiffusionEngine,
    Distill,
    DpSgd,
    EdmSchedule,
)
from synthspec.ir.ops import Accelerate, Assess, Fit, Sample
from synthspec.ir.solvers import law_of
from synthspec_diffusers.acceleration.distilling import distil
from synthspec_diffusers.content import Content, encoded, fitted_content, read_content
from synthspec_diffusers.engine import SIGMA_DATA, WEIGHTS, build_network, parts, read_engine, trained_network
from synthspec_diffusers.heads import head_of
from synthspec_diffusers.path import Adaptive
from synthspec_diffusers.sampling import DiffusionSampler, Meter
from synthspec_diffusers.schedule import Process
from synthspec_diffusers.scoring import HOW, known
from synthspec_diffusers.training import Corruption, DiffusionLearner, Records
from synthspec_torch.acceleration.quantizing import quantize
from synthspec_torch.data.given import Given, given_of
from synthspec_torch.privacy.fitting import fit_privately
from synthspec_torch.privacy.support import draws_of
from synthspec_torch.privacy.training import PrivateCourse
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, train
from synthspec_torch.training.restarting import restarting
from synthspec_torch.training.seeding import initial_weights, intra_op_threads
from synthspec_torch.training.starting import start_from
from synthspec_torch.weights import save_weights


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """S405-4: train the denoiser; keep the averaged weights with the smallest `loss_val`, under a mechanism the last."""
    engine, rows, seed = parts(op)[0], rows_of(inputs, "train"), op.training.seed or 0
    content, given = fitted_content(op, rows), given_of(op, rows)
    records = _records(op, content, given, rows, generator(seed, Stream.TRAIN, 0, 1))
    sigma_data = _sigma_data(engine, content, None if isinstance(op.privacy, DpSgd) else records.x0)
    with intra_op_threads(op.training.threads):
        with initial_weights(seed):
            network = build_network(op, content, given)
        start_from(op, network, context.root, SIGMA_DATA)
        learning = partial(_learner, op, network, content, given, sigma_data, records)
        if isinstance(op.privacy, DpSgd):
            # The val split stays out of a private training: a validation would be a release.
            learner = learning(records.take(torch.arange(0)))
            learner.multiplicity, learner.placed = draws_of(op.privacy), content.placed
            private = PrivateCourse.of(op.training, op.stability, op.privacy, len(rows))
            trained = fit_privately(learner, private, context)
        else:
            val = _records(op, content, given, rows_of(inputs, "val"), generator(seed, Stream.VALIDATE, 0, 1))
            with SignalLog(context.out / TRAINING_LOG) as log:
                course = Course.of(op.training, op.stability, len(rows))
                trained = train(learning(val), course, log, context.progress, context.unfinished)
    save_weights(context.out / WEIGHTS, {**trained.weights, SIGMA_DATA: torch.tensor([sigma_data]).double()})
    content.write(context)
    write_report(context.out, FIT_REPORT, trained.report)


def _learner(
    op: Fit, network: nn.Module, content: Content, given: Given | None, sigma_data: float, train: Records, val: Records
) -> DiffusionLearner:
    engine, objective = parts(op)
    head, process = head_of(engine.noise_schedule, objective), Process(engine.noise_schedule)
    return DiffusionLearner(
        network,
        Corruption(process, head, objective.weighting, sigma_data, content.choices),
        train,
        val,
        drop_rate=op.drop_rate,
        null=None if given is None else given.null,
        seed=op.training.seed or 0,
    )


def load(op: Sample, inputs: Mapping[str, Artifact]) -> Sampler:
    """A sampler of the engine that `fit` made, or that an acceleration made of it."""
    engine, rows = read_engine(op, inputs), rows_of(inputs, "train")
    if op.solver is None:
        raise TypeError("a diffusion sample has a solver")
    calls, adaptive = op.solver.NFE // (2 if op.w_cfg else 1), law_of(op.solver.name).adaptive
    return DiffusionSampler(
        network=engine.network,
        meter=Meter(engine.network, engine.path.null),
        path=engine.path,
        adaptive=Adaptive(engine.schedule, engine.path, op.solver.tolerance or 0.0, calls) if adaptive else None,
        content=engine.content,
        given=engine.given,
        conditions=partial(draw_conditions, op, rows),
        seed=op.seed,
        threads=op.fit.training.threads,
    )


def assess(op: Assess, inputs: Mapping[str, Artifact], context: Context) -> None:
    """C40-516: how well the denoiser knows single records. Diffusion has no figures of its own."""
    engine, objective = parts(op.fit)
    content = read_content(op.fit, inputs["engine"])
    given = given_of(op.fit, learned_rows(inputs)) if op.fit.conditions else None
    network, sigma_data = trained_network(op.fit, inputs["engine"], content, given)
    head, process = head_of(engine.noise_schedule, objective), Process(engine.noise_schedule)
    corruption = Corruption(process, head, None, sigma_data, content.choices)

    def score(data: Dataset) -> NDArray[np.float64]:
        told = None if given is None else given.encode(data.columns, len(data))
        x0 = encoded(content, data.columns, generator(op.seed, Stream.VALIDATE, 0, 1))
        return known(network, corruption, Records(x0, told))

    context.progress.start("assess", 1, "attacks")
    with intra_op_threads(op.fit.training.threads):
        write_scores(op, inputs, context, score, HOW)
    context.progress.advance()
    write_report(context.out, FIGURES, ())


def _records(
    op: Fit, content: Content, given: Given | None, data: Dataset, rng: np.random.Generator
) -> Records:  # fmt: skip
    """Encoded records; under a mechanism as they are held, for every step draws where in its cell a value lies."""
    told = None if given is None else given.encode(data.columns, len(data))
    if isinstance(op.privacy, DpSgd):
        return Records(content.held(data.columns), told)
    return Records(encoded(content, data.columns, rng), told)


def _sigma_data(engine: DiffusionEngine, content: Content, x0: torch.Tensor | None) -> float:
    """As stated by the schedule, else measured: the standard deviation of all numbers of the train rows `x0` together.

    Under a mechanism, without `x0`, nothing is measured: that of the uniform law on what the SRef allows.
    """
    stated = engine.noise_schedule.sigma_data if isinstance(engine.noise_schedule, EdmSchedule) else None
    if stated is not None:
        return stated
    if x0 is None:
        return content.spread
    spread = x0.double().std(unbiased=False).item()
    return spread if spread > 0 else 1.0


def accelerate(op: Accelerate, inputs: Mapping[str, Artifact], context: Context) -> None:
    """P405-10: a student, or the same engine in fewer bits."""
    if isinstance(op.how, Distill):
        distil(op, inputs, context)
    else:
        quantize(op, inputs, context, (WEIGHTS,))


KERNELS: Mapping[str, Kernel] = {
    "accelerate": accelerate,
    "assess": assess,
    "fit": restarting(fit),
    **sampling_kernels(load),
}
