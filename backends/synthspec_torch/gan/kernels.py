"""The ops of GANs: fit, and what the shared block kernels make of a sampler. Importing it loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG, write_report
from synthspec.backend.blocks import Sampler, sampling_kernels
from synthspec.backend.draws import draw_conditions
from synthspec.backend.engines import rows_of
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.ir.families import Adversarial, Hinge, Relativistic, WganGp
from synthspec.ir.ops import Fit, Sample
from synthspec_torch.gan.engine import TrainedGan, architecture_of
from synthspec_torch.gan.learner import GanLearner, Rules
from synthspec_torch.gan.losses import Objective
from synthspec_torch.gan.networks import build_critic
from synthspec_torch.gan.probe import Probe
from synthspec_torch.gan.sampling import GanSampler
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, train
from synthspec_torch.training.seeding import initial_weights, intra_op_threads


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """S405-2: train generator and critic; keep the averaged weights of the generator with the least `KID_val`."""
    rows, val, objective = rows_of(inputs, "train"), rows_of(inputs, "val"), _objective(op)
    course = Course.of(op.training, op.stability, len(rows), objective.critic_steps)
    with intra_op_threads(op.training.threads), SignalLog(context.out / TRAINING_LOG) as log:
        architecture = architecture_of(op)
        with initial_weights(course.seed):
            gan = TrainedGan.fresh(op, rows.columns)
            spectral = architecture.spectral_norm or isinstance(objective, Hinge)
            critic = build_critic(architecture, gan.content.shape, gan.context.width, spectral=spectral)
        records = gan.records(rows)
        probe = Probe(
            gan.content, records, gan.records(val), architecture.latent_dim, architecture.pac, course.seed
        )  # fmt: skip
        rules = Rules(objective, architecture.latent_dim, op.training.optimizer, op.training.grad_clip)
        learner = GanLearner(gan.network, critic, rules, records, probe, course.seed)
        trained = train(learner, course, log, context.progress)
    gan.write(context, trained.weights)
    write_report(context.out, FIT_REPORT, trained.report)


def load(op: Sample, inputs: Mapping[str, Artifact]) -> Sampler:
    """A sampler of the engine that `fit` made."""
    return GanSampler(
        gan=TrainedGan.read(op.fit, inputs["engine"]),
        latent=architecture_of(op.fit).latent_dim,
        conditions=partial(draw_conditions, op, rows_of(inputs, "train")),
        seed=op.seed,
        threads=op.fit.training.threads,
    )


def _objective(op: Fit) -> Objective:
    if not isinstance(op.objective, Adversarial | WganGp | Hinge | Relativistic):
        raise TypeError("this kernel trains on adversarial measures")
    return op.objective


KERNELS: Mapping[str, Kernel] = {"fit": fit, **sampling_kernels(load)}
