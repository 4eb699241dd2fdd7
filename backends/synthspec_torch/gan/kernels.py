"""The ops of GANs: fit, and what the shared block kernels make of a sampler. Importing it loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG, write_report
from synthspec.backend.blocks import Sampler, sampling_kernels
from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import draw_conditions
from synthspec.backend.engines import rows_of
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.ir.families import Adversarial, DpSgd, Hinge, Pate, Relativistic, WganGp
from synthspec.ir.ops import Fit, Sample
from synthspec_torch.acceleration.quantizing import quantize
from synthspec_torch.gan.balance import LogFrequency
from synthspec_torch.gan.balanced import BalancedLearner
from synthspec_torch.gan.engine import WEIGHTS, TrainedGan, architecture_of
from synthspec_torch.gan.learner import GanLearner, Rules, game_optimizer
from synthspec_torch.gan.losses import Objective
from synthspec_torch.gan.networks import Critic, build_critic
from synthspec_torch.gan.pate import fit_by_votes
from synthspec_torch.gan.private import PrivateGan, public_conditions
from synthspec_torch.gan.probe import Probe
from synthspec_torch.gan.sampling import GanSampler
from synthspec_torch.privacy.fitting import fit_privately
from synthspec_torch.privacy.training import PrivateCourse
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, Trained, train
from synthspec_torch.training.restarting import restarting
from synthspec_torch.training.seeding import initial_weights, intra_op_threads
from synthspec_torch.training.starting import start_from


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """S405-2: train both; keep the averaged generator with the least `KID_val`, under a mechanism the last one."""
    if isinstance(op.privacy, Pate):
        fit_by_votes(op, inputs, context)
        return
    rows, objective, architecture, seed = rows_of(inputs, "train"), _objective(op), architecture_of(op), _seed(op)
    with intra_op_threads(op.training.threads):
        with initial_weights(seed):
            gan = TrainedGan.fresh(op, rows.columns)
            start_from(op, gan.network, context.root, "content.", "context.")
            spectral = architecture.spectral_norm or isinstance(objective, Hinge)
            critic = build_critic(architecture, gan.content.shape, gan.told, spectral=spectral)
        op = replace(op, training=op.training.model_copy(update={"optimizer": game_optimizer(op.training.optimizer)}))
        rules = Rules(objective, gan.network.numbers, op.training.optimizer, op.training.grad_clip)
        if isinstance(op.privacy, DpSgd):
            # The val split stays out of a private training: a probe of it would be a release.
            course = PrivateCourse.of(op.training, op.stability, op.privacy, len(rows))
            law, batch = public_conditions(gan.context, seed), max(1, round(course.normalizer))
            private = PrivateGan(
                gan.network, critic, rules, gan.held(rows), law, batch=batch, seed=seed, placed=gan.content.placed
            )
            trained = fit_privately(private, course, context)
        else:
            trained = _train(op, gan, critic, rules, rows, rows_of(inputs, "val"), context)
    gan.write(context, trained.weights)
    write_report(context.out, FIT_REPORT, trained.report)


def _train(
    op: Fit, gan: TrainedGan, critic: Critic, rules: Rules, rows: Dataset, val: Dataset, context: Context
) -> Trained:  # fmt: skip
    course = Course.of(op.training, op.stability, len(rows), rules.objective.critic_steps)
    records = gan.records(rows)
    probe = Probe(gan.content, records, gan.records(val), rules.latent, critic.pack, course.seed)
    players = gan.network, critic, rules, records, probe, course.seed
    learner = GanLearner(*players)
    if gan.balance is not None:
        law = LogFrequency(gan.balance, gan.balance.codes(records.x, rows.columns))
        learner = BalancedLearner(*players, law=law)
    with SignalLog(context.out / TRAINING_LOG) as log:
        return train(learner, course, log, context.progress, context.unfinished)


def _seed(op: Fit) -> int:
    if op.training.seed is None:
        raise TypeError("a training needs a seed")
    return op.training.seed


def load(op: Sample, inputs: Mapping[str, Artifact]) -> Sampler:
    """A sampler of the engine that `fit` made."""
    return GanSampler(
        gan=TrainedGan.read(op.fit, inputs["engine"]),
        conditions=partial(draw_conditions, op, rows_of(inputs, "train")),
        seed=op.seed,
        threads=op.fit.training.threads,
    )


def _objective(op: Fit) -> Objective:
    if not isinstance(op.objective, Adversarial | WganGp | Hinge | Relativistic):
        raise TypeError("this kernel trains on adversarial measures")
    return op.objective


KERNELS: Mapping[str, Kernel] = {
    "accelerate": partial(quantize, names=(WEIGHTS,)),
    "fit": restarting(fit),
    **sampling_kernels(load),
}
