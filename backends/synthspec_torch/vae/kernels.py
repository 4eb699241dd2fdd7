"""The ops of a VAE: fit, assess, and what the shared block kernels make of a sampler. Importing it loads torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, partial

import torch

from synthspec.backend.artifacts import FIGURES, FIT_REPORT, TRAINING_LOG, write_report
from synthspec.backend.blocks import Sampler, sampling_kernels
from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import draw_conditions
from synthspec.backend.engines import learned_rows, rows_of
from synthspec.backend.protocol import Artifact, Context, DataError, Kernel
from synthspec.backend.scores import write_scores
from synthspec.ir.families import DpSgd, Elbo, ElboBeta, VaeConv, VaeEngine, VaeMlp
from synthspec.ir.ops import Assess, Fit, Sample
from synthspec_torch.acceleration.quantizing import quantize
from synthspec_torch.data.given import Given, given_of
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.meter import Meter
from synthspec_torch.privacy.fitting import fit_privately
from synthspec_torch.privacy.training import PrivateCourse
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, train
from synthspec_torch.training.restarting import restarting
from synthspec_torch.training.seeding import initial_weights, intra_op_threads
from synthspec_torch.training.starting import start_from
from synthspec_torch.vae.assess import ELBO_DRAWS, Subject, figure
from synthspec_torch.vae.learner import VaeLearner
from synthspec_torch.vae.likelihoods import Grid, Likelihood, build_likelihood
from synthspec_torch.vae.networks import Vae, build_vae
from synthspec_torch.vae.objective import BetaCourse, Records
from synthspec_torch.vae.sampling import VaeSampler
from synthspec_torch.vae.support import grid_levels
from synthspec_torch.vae.tables import TableSubject, TableVae, TableVaeSampler
from synthspec_torch.weights import load_weights, save_weights

WEIGHTS = "weights/vae.safetensors"
"""The averaged weights with the greatest `elbo_val` once annealing is over."""
REFERENCE = "weights/first_epoch.safetensors"
"""Those of the first finished epoch: what `elbo_val_gain` is counted from."""


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """S405-1: train on ELBO_beta; keep the averaged weights with the greatest `elbo_val`, under a mechanism the last."""
    if op.schema.modality != "image":
        _fit_table(op, inputs, context)
        return
    rows = rows_of(inputs, "train")
    given = given_of(op, rows)
    records = _records(op, given, rows)
    with intra_op_threads(op.training.threads):
        if isinstance(op.privacy, DpSgd):
            # The val split stays out of a private training: a validation would be a release.
            private = PrivateCourse.of(op.training, op.stability, op.privacy, len(records))
            learner = _learner(op, given, records, records.take(slice(0, 0)), private.epoch_steps)
            start_from(op, learner.network, context.root)
            trained = fit_privately(learner, private, context)
        else:
            course = Course.of(op.training, op.stability, len(records))
            val = _records(op, given, rows_of(inputs, "val"))
            learner = _learner(op, given, records, val, math.ceil(len(records) / course.batch_size))
            start_from(op, learner.network, context.root)
            with SignalLog(context.out / TRAINING_LOG) as log:
                trained = train(learner, course, log, context.progress, context.unfinished)
    save_weights(context.out / WEIGHTS, trained.weights)
    save_weights(context.out / REFERENCE, trained.first)
    write_report(context.out, FIT_REPORT, trained.report)


def _fit_table(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    rows = rows_of(inputs, "train")
    with intra_op_threads(op.training.threads):
        vae = TableVae.fresh(op, rows, op.training.seed or 0)
        start_from(op, vae.network, context.root)
        records = vae.records(rows)
        if isinstance(op.privacy, DpSgd):
            # The val split stays out of a private training: a validation would be a release.
            private = PrivateCourse.of(op.training, op.stability, op.privacy, len(rows))
            none = records.take(slice(0, 0))
            learner = _learning(op, vae.network, vae.likelihood, vae.given, records, none, private.epoch_steps)
            trained = fit_privately(learner, private, context)
        else:
            course = Course.of(op.training, op.stability, len(rows))
            parts = records, vae.records(rows_of(inputs, "val"))
            steps = math.ceil(len(rows) / course.batch_size)
            learner = _learning(op, vae.network, vae.likelihood, vae.given, *parts, steps)
            with SignalLog(context.out / TRAINING_LOG) as log:
                trained = train(learner, course, log, context.progress, context.unfinished)
    vae.codec.write(context)
    save_weights(context.out / WEIGHTS, trained.weights)
    save_weights(context.out / REFERENCE, trained.first)
    write_report(context.out, FIT_REPORT, trained.report)


def _learner(op: Fit, given: Given | None, records: Records, val: Records, epoch_steps: int) -> VaeLearner:
    """A fresh network on `records`; its first weights depend on the seed alone."""
    with initial_weights(op.training.seed or 0):
        network = _network(op, given)
    return _learning(op, network, _likelihood(op), given, records, val, epoch_steps)


def _learning(
    op: Fit, network: Vae, likelihood: Likelihood, given: Given | None, records: Records, val: Records, epoch_steps: int
) -> VaeLearner:
    if not isinstance(op.objective, Elbo | ElboBeta) or op.training.seed is None:
        raise TypeError("this kernel trains on elbo and elbo_beta, from a seed")
    return VaeLearner(
        network,
        likelihood,
        records,
        val,
        beta=BetaCourse.of(op.objective, epoch_steps),
        free_bits=op.objective.free_bits,
        drop_rate=op.drop_rate,
        null=None if given is None else given.null,
        seed=op.training.seed,
    )


def load(op: Sample, inputs: Mapping[str, Artifact]) -> Sampler:
    """A sampler of the engine that `fit` made."""
    rows = rows_of(inputs, "train")
    given = given_of(op.fit, rows)
    if op.fit.schema.modality != "image":
        vae = TableVae.read(op.fit, inputs["engine"], WEIGHTS, given)
        return TableVaeSampler(
            vae=vae,
            meter=Meter(vae.network.decoder),
            latent=_architecture(op.fit).latent_dim,
            conditions=partial(draw_conditions, op, rows),
            seed=op.seed,
            threads=op.fit.training.threads,
        )
    network = _trained(op.fit, inputs["engine"], WEIGHTS, given)
    return VaeSampler(
        network=network,
        meter=Meter(network.decoder),
        likelihood=_likelihood(op.fit),
        latent=_architecture(op.fit).latent_dim,
        codec=_codec(op.fit),
        given=given,
        conditions=partial(draw_conditions, op, rows),
        seed=op.seed,
        threads=op.fit.training.threads,
    )


def assess(op: Assess, inputs: Mapping[str, Artifact], context: Context) -> None:
    """M40-5.7: the figures that need the weights."""
    given = given_of(op.fit, learned_rows(inputs)) if op.fit.conditions else None
    made = _table_subject if op.fit.schema.modality != "image" else _subject
    subject = made(op, inputs, given)
    context.progress.start("assess", len(op.metrics), "figures")
    figures = []
    with intra_op_threads(op.fit.training.threads):
        for name in op.metrics:
            figures.append(figure(name, subject))
            context.progress.advance(note=name)
        write_scores(op, inputs, context, subject.told, f"the ELBO, the mean over {ELBO_DRAWS} draws of z")
    write_report(context.out, FIGURES, tuple(figures))


def _table_subject(op: Assess, inputs: Mapping[str, Artifact], given: Given | None) -> Subject:
    now, first = (TableVae.read(op.fit, inputs["engine"], name, given) for name in (WEIGHTS, REFERENCE))
    return TableSubject(
        network=now.network,
        reference=first.network,
        likelihood=now.likelihood,
        encode=now.records,
        splits=cache(lambda split: now.records(rows_of(inputs, split))),
        split=op.reference,
        span=1.0,
        levels=None,
        given=", ".join(op.fit.conditions) or "nothing",
        seed=op.seed,
    )


def _subject(op: Assess, inputs: Mapping[str, Artifact], given: Given | None) -> Subject:
    codec = _codec(op.fit)
    return Subject(
        network=_trained(op.fit, inputs["engine"], WEIGHTS, given),
        reference=_trained(op.fit, inputs["engine"], REFERENCE, given),
        likelihood=_likelihood(op.fit),
        encode=partial(_records, op.fit, given),
        splits=cache(lambda split: _records(op.fit, given, rows_of(inputs, split))),
        split=op.reference,
        span=codec.hi - codec.lo,
        levels=_levels(op.fit),
        given=", ".join(op.fit.conditions) or "nothing",
        seed=op.seed,
    )


def _architecture(op: Fit) -> VaeMlp | VaeConv:
    if not isinstance(op.engine, VaeEngine) or not isinstance(op.engine.architecture, VaeMlp | VaeConv):
        raise TypeError("this kernel builds the VAEs mlp and conv")
    return op.engine.architecture


def _likelihood(op: Fit) -> Likelihood:
    name = _architecture(op).likelihood
    if name == "mixed":
        raise TypeError("this kernel knows no mixed likelihood")
    return build_likelihood(name, _levels(op))


def _levels(op: Fit) -> int | None:
    return grid_levels(op.schema.with_role("content")[0])


def _network(op: Fit, given: Given | None) -> Vae:
    told = None if given is None else given.embedding
    return build_vae(_architecture(op), _codec(op).shape, _likelihood(op).parameters, told)


def _trained(op: Fit, engine: Artifact, name: str, given: Given | None) -> Vae:
    # The first weights are replaced at once; building them must not draw from the global generator.
    with initial_weights(0):
        network = _network(op, given)
    network.load_state_dict(load_weights(engine.path(name), network.state_dict()))
    return network.eval().requires_grad_(requires_grad=False)


def _codec(op: Fit) -> ImageCodec:
    return ImageCodec.of(op.schema.with_role("content")[0])


def _records(op: Fit, given: Given | None, data: Dataset) -> Records:
    codec = _codec(op)
    x, likelihood = codec.encode(data[codec.name]), _likelihood(op)
    if isinstance(likelihood, Grid):
        _check_grid(codec, likelihood, x)
    return Records(x, None if given is None else given.encode(data.columns, len(data)))


def _check_grid(codec: ImageCodec, grid: Grid, x: torch.Tensor) -> None:
    """Masses are of levels: a value between two of them has none. Raises DataError for one."""
    off = (grid.values(grid.codes(x)) - x).abs() > 0.01 * grid.width
    if off.any():
        row = int(off.flatten(1).any(1).nonzero()[0])
        raise DataError(
            "data.off-grid",
            f"{codec.name} of row {row} is no multiple of its resolution {codec.resolution:g}",
            "round the data, or correct the resolution in the SRef",
        )


KERNELS: Mapping[str, Kernel] = {
    "accelerate": partial(quantize, names=(WEIGHTS,)),
    "assess": assess,
    "fit": restarting(fit),
    **sampling_kernels(load),
}
