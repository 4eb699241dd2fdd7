"""What a GAN can take, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.backend.columns import find_field
from synthspec.ir.families import (
    Adversarial,
    DpSgd,
    GanConv,
    GanEngine,
    GanMlp,
    Hinge,
    NoMechanism,
    Pate,
    Relativistic,
    WganGp,
)
from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Replay, Sample
from synthspec.ir.schema import Schema
from synthspec_torch.data.kinds import mixed_reasons, transform_reasons
from synthspec_torch.gan.pate_support import vote_reasons
from synthspec_torch.one_step import one_step_reasons
from synthspec_torch.privacy.support import declared_reasons, mechanism_reasons, private_training_reasons
from synthspec_torch.support import STEP_SIGNALS, context_reasons, image_reasons, monitor_reasons, training_reasons

STEP = STEP_SIGNALS | {"loss_critic", "loss_generator"}
"""What a training emits at every round; `gp_norm` too where the measure has a penalty."""
EPOCH = frozenset(
    {"KID_val", "mode_drop_val", "critic_accuracy", "critic_drift", "critic_overfit", "real_fake_gap"}
)  # fmt: skip
"""What it emits once an epoch, on a frozen probe."""
MODALITIES = ("image", "tabular", "timeseries")


def reasons(op: Fit | Accelerate | Sample | Latency | Replay | Assess) -> Iterator[str]:
    """Why `op`, which is about a GAN, cannot be computed here."""
    return one_step_reasons(op, "gan", _fit_reasons, _assess_reasons)


def _assess_reasons(op: Assess) -> Iterator[str]:
    what = ", ".join((*op.metrics, *(["scores of records"] if op.scored else [])))
    yield f"a GAN has no likelihood and no code to assess: no {what}"


def _fit_reasons(op: Fit) -> Iterator[str]:
    if not isinstance(op.engine, GanEngine):
        yield f"family {op.engine.family} is not supported: only gan"
        return
    yield from transform_reasons(op.schema, op.conditions)
    yield from mechanism_reasons(op.privacy, "dp-sgd", "pate")
    if op.drop_rate:
        yield "drop_rate is for guidance, and a GAN has none"
    yield from _objective_reasons(op, op.engine)
    yield from _architecture_reasons(op, op.engine)
    yield from _content_reasons(op.schema)
    yield from context_reasons(op.schema, op.conditions)
    if isinstance(op.privacy, DpSgd):
        yield from _private_reasons(op, op.privacy)
        return
    if isinstance(op.privacy, Pate):
        yield from vote_reasons(op, op.privacy)
        return
    yield from training_reasons(op.training)
    penalised = isinstance(op.objective, WganGp | Relativistic)
    yield from monitor_reasons(op.stability, EPOCH, STEP | {"gp_norm"} if penalised else STEP)


def _private_reasons(op: Fit, block: DpSgd) -> Iterator[str]:
    objective, turn = op.objective, 1
    if isinstance(objective, Adversarial | WganGp | Hinge | Relativistic):
        turn = objective.critic_steps
        if objective.generator_terms:
            yield "under dp-sgd the generator is shown no real record: no generator_terms"
        if objective.augmentation:
            yield "augmentations draw by the place of a record in its batch: none under dp-sgd"
    if getattr(op.engine.architecture, "pac", 1) > 1:
        yield "packs show the critic several records at once: only pac 1 under dp-sgd"
    if block.steps is not None and block.steps % turn:
        yield f"{block.steps} releases are no whole number of rounds of {turn} critic updates"
    yield from private_training_reasons(op.training, op.stability, "loss_generator", block=block, turn=turn)
    yield from declared_reasons(op.schema, op.conditions)


def _objective_reasons(op: Fit, engine: GanEngine) -> Iterator[str]:
    objective = op.objective
    if not isinstance(objective, Adversarial | WganGp | Hinge | Relativistic):
        yield f"measure {objective.measure} is not supported: only gan, wgan_gp, hinge and rpgan"
        return
    if "identifiability" in objective.generator_terms:
        yield "the generator term identifiability is not supported: only feature_matching"
    if isinstance(objective, WganGp):
        if objective.penalty_per == "batch":
            yield "the penalty is part of each record's loss: only penalty_per record"
        if getattr(engine.architecture, "spectral_norm", False):
            yield "spectral_norm and a gradient penalty bound the same slope twice: leave one out"
    if objective.training_by_sampling != "none":
        yield from _balance_reasons(op)
    if objective.augmentation and op.schema.modality != "image":
        yield f"augmentations are of images: no {', '.join(objective.augmentation)} here"


def _balance_reasons(op: Fit) -> Iterator[str]:
    if not isinstance(op.privacy, NoMechanism):
        yield "training_by_sampling draws rare records more often, by private counts: none under a mechanism"
    if op.schema.modality == "image":
        yield "training_by_sampling is for tables: an image has no categorical field to draw by"
        return
    known = [field for name in op.conditions if (field := find_field(op.schema, name)) is not None]
    for field in known:
        if not field.enum and field.dtype != "bool":
            yield f"training_by_sampling knows the members of a condition, and {field.name!r} is a number"
    if not known and not any(field.dtype in ("categorical", "bool") for field in op.schema.with_role("content")):
        yield "training_by_sampling draws by categorical and bool fields, and the SRef has none: leave it out"


def _architecture_reasons(op: Fit, engine: GanEngine) -> Iterator[str]:
    architecture, modality = engine.architecture, op.schema.modality
    if not isinstance(architecture, GanMlp | GanConv):
        yield f"architecture {architecture.name} is not supported: only conv and mlp"
        return
    if isinstance(architecture, GanConv) and modality != "image":
        yield f"architecture conv is for images, and the SRef is of modality {modality}: write mlp"
    if architecture.norm == "batch":
        yield "norm batch is not supported: it mixes the records that a critic judges one by one; write layer or group"
    if architecture.norm == "instance" and isinstance(architecture, GanMlp):
        yield "norm instance has nothing to normalise over in an mlp: write layer or group"
    batch = op.training.batch_size
    if batch is not None and batch % architecture.pac:
        yield f"a batch of {batch} is no whole number of packs of {architecture.pac}"


def _content_reasons(schema: Schema) -> Iterator[str]:
    if schema.modality not in MODALITIES:
        yield f"modality {schema.modality} is not supported: only {', '.join(MODALITIES)}"
        return
    if schema.modality == "image":
        yield from image_reasons(schema)
        return
    yield from mixed_reasons(schema)
