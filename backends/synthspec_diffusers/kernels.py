"""The ops of image diffusion: fit, and what the shared block kernels make of a sampler. Importing it loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG, write_report
from synthspec.backend.blocks import Sampler, sampling_kernels
from synthspec.backend.draws import draw_conditions
from synthspec.backend.engines import rows_of
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.ir.families import DiffusionEngine, LSimple, UNet2d
from synthspec.ir.ops import Fit, Sample
from synthspec_diffusers.network import Denoiser
from synthspec_diffusers.sampling import DiffusionSampler, Meter, Path
from synthspec_diffusers.schedule import Grid, Levels
from synthspec_diffusers.training import Corruption, DiffusionLearner, Images
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.data.labels import Labels
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, train
from synthspec_torch.training.seeding import initial_weights, intra_op_threads
from synthspec_torch.weights import load_weights, save_weights

WEIGHTS = "weights/unet.safetensors"
"""The averaged weights at the best validation."""


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """S405-4: train the denoiser; keep the averaged weights with the smallest `loss_val`."""
    engine, objective = _parts(op)
    images, val = _images(op, inputs, "train"), _images(op, inputs, "val")
    course = Course.of(op.training, op.stability, len(images))
    with intra_op_threads(op.training.threads), SignalLog(context.out / TRAINING_LOG) as log:
        with initial_weights(course.seed):
            network = _network(op)
        labels = Labels.of(op.schema, op.conditions)
        learner = DiffusionLearner(
            network,
            Corruption(Levels.of(engine.noise_schedule), objective.head),
            images,
            val,
            drop_rate=op.drop_rate,
            null=labels.null if labels else 0,
            seed=course.seed,
        )
        trained = train(learner, course, log, context.progress)
    save_weights(context.out / WEIGHTS, trained.weights)
    write_report(context.out, FIT_REPORT, trained.report)


def load(op: Sample, inputs: Mapping[str, Artifact]) -> Sampler:
    """A sampler of the engine that `fit` made."""
    engine, objective = _parts(op.fit)
    if op.solver is None:
        raise TypeError("a diffusion sample has a solver")
    # The first weights are replaced at once; building them must not draw from the global generator.
    with initial_weights(0):
        network = _network(op.fit)
    network.load_state_dict(load_weights(inputs["engine"].path(WEIGHTS), network.state_dict()))
    network.eval().requires_grad_(requires_grad=False)
    labels = Labels.of(op.fit.schema, op.fit.conditions)
    null = labels.null if labels else None
    grid = Grid.of(Levels.of(engine.noise_schedule), op.solver.steps)
    return DiffusionSampler(
        network=network,
        meter=Meter(network, null),
        path=Path(grid, op.solver.name, objective.head, op.w_cfg, null, bound=1.0),
        codec=_codec(op.fit),
        labels=labels,
        conditions=partial(draw_conditions, op, rows_of(inputs, "train")),
        seed=op.seed,
        threads=op.fit.training.threads,
    )


def _parts(op: Fit) -> tuple[DiffusionEngine, LSimple]:
    if not isinstance(op.engine, DiffusionEngine) or not isinstance(op.objective, LSimple):
        raise TypeError("this kernel trains diffusion on l_simple")
    return op.engine, op.objective


def _network(op: Fit) -> Denoiser:
    architecture = _parts(op)[0].architecture
    if not isinstance(architecture, UNet2d):
        raise TypeError("this kernel builds unet2d")
    labels = Labels.of(op.schema, op.conditions)
    return Denoiser(architecture, _codec(op).shape, labels.null + 1 if labels else None)


def _codec(op: Fit) -> ImageCodec:
    return ImageCodec.of(op.schema.with_role("content")[0])


def _images(op: Fit, inputs: Mapping[str, Artifact], split: str) -> Images:
    data, codec = rows_of(inputs, split), _codec(op)
    labels = Labels.of(op.schema, op.conditions)
    codes = None if labels is None else torch.from_numpy(labels.encode(data.columns))
    return Images(codec.encode(data[codec.name]), codes)


KERNELS: Mapping[str, Kernel] = {"fit": fit, **sampling_kernels(load)}
