"""What the VAE engine takes, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.families import DpSgd, Elbo, ElboBeta, VaeConv, VaeEngine, VaeMlp
from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Replay, Sample
from synthspec.ir.schema import Field
from synthspec_torch.data.kinds import mixed_reasons, transform_reasons
from synthspec_torch.one_step import one_step_reasons
from synthspec_torch.privacy.support import declared_reasons, mechanism_reasons, private_training_reasons
from synthspec_torch.support import (
    SEVERITY,
    STEP_SIGNALS,
    context_reasons,
    image_reasons,
    monitor_reasons,
    training_reasons,
)

BATCH_SIGNALS = STEP_SIGNALS | {"elbo", "beta"}
"""What a training emits at every step."""
EPOCH_SIGNALS = frozenset({"elbo_val", "kl", "loss_val", "posterior_collapse_rate", "recon"})
"""What it emits once an epoch, of the averaged weights on the val split."""
FIGURES = ("elbo", "iwae", "nll", "bpd", "posterior_collapse_rate", "recon_PSNR", "elbo_val_gain")
"""What the engine can say of itself."""
TABLES = ("tabular", "timeseries")
LEVELS_MAX = 256
"""Levels of a law that is given by its table of masses."""
_TABLED = ("bernoulli", "binomial", "categorical")


def reasons(op: Fit | Accelerate | Sample | Latency | Replay | Assess) -> Iterator[str]:
    """Why `op`, which is about a VAE, cannot be computed here."""
    return one_step_reasons(op, "vae", _fit_reasons, _assess_reasons)


def _assess_reasons(op: Assess) -> Iterator[str]:
    yield from _fit_reasons(op.fit)
    if "recon_PSNR" in op.metrics and op.fit.schema.modality in TABLES:
        yield "recon_PSNR is of pictures; a table of mixed types has no error in dB"
    for name in op.metrics:
        if name not in FIGURES:
            yield f"a VAE has no {name}: only {', '.join(FIGURES)}"


def grid_levels(field: Field) -> int | None:
    """How many values `field` can take within its range; None where they are not spaced by a resolution."""
    step = _step(field)
    if step is None or field.range is None:
        return None
    return round((field.range[1] - field.range[0]) / step) + 1


def _step(field: Field) -> float | None:
    return field.resolution or (1.0 if field.dtype.startswith(("int", "uint")) else None)


def _fit_reasons(op: Fit) -> Iterator[str]:
    if not isinstance(op.engine, VaeEngine):
        yield f"family {op.engine.family} is not supported: only vae"
        return
    if not isinstance(op.objective, Elbo | ElboBeta):
        yield f"measure {op.objective.measure} is not supported: only elbo and elbo_beta"
    elif isinstance(op.objective, ElboBeta) and op.objective.beta is None:
        yield "objective.beta is missing"
    yield from transform_reasons(op.schema, op.conditions)
    yield from mechanism_reasons(op.privacy, "dp-sgd")
    yield from _content_reasons(op)
    yield from context_reasons(op.schema, op.conditions)
    if not isinstance(op.privacy, DpSgd):
        yield from training_reasons(op.training)
        yield from monitor_reasons(op.stability, EPOCH_SIGNALS, BATCH_SIGNALS, SEVERITY)
    else:
        yield from private_training_reasons(op.training, op.stability, "beta", block=op.privacy)
        yield from declared_reasons(op.schema, op.conditions)
        if isinstance(op.objective, Elbo | ElboBeta) and op.objective.free_bits:
            yield "free_bits are on the batch mean, and under dp-sgd no loss may look at several records"
    yield from _architecture_reasons(op, op.engine)


def _content_reasons(op: Fit) -> Iterator[str]:
    if op.schema.modality == "image":
        yield from image_reasons(op.schema)
    elif op.schema.modality not in TABLES:
        yield f"modality {op.schema.modality} is not supported: only {', '.join(('image', *TABLES))}"
    else:
        yield from mixed_reasons(op.schema)


def _architecture_reasons(op: Fit, engine: VaeEngine) -> Iterator[str]:
    architecture = engine.architecture
    if not isinstance(architecture, VaeMlp | VaeConv):
        yield f"architecture {architecture.name} is not supported: only conv and mlp"
        return
    if architecture.groups > architecture.latent_dim:
        yield f"{architecture.latent_dim} latents cannot be {architecture.groups} groups"
    elif architecture.groups > 1 and isinstance(op.privacy, DpSgd):
        yield f"{architecture.groups} groups of latents are not supported under dp-sgd: only 1"
    if architecture.norm in ("batch", "instance"):
        yield f"norm {architecture.norm} is not supported: only none, layer and group"
    if op.schema.modality in TABLES:
        if architecture.likelihood != "mixed":
            yield f"likelihood {architecture.likelihood} is of values of one kind; the columns of a table take mixed"
        if not isinstance(architecture, VaeMlp):
            yield f"architecture {architecture.name} is for images; a table takes mlp"
        return
    contents = op.schema.with_role("content")
    if op.schema.modality == "image" and len(contents) == 1 and contents[0].range is not None:
        yield from _likelihood_reasons(architecture.likelihood, contents[0])


def _likelihood_reasons(name: str, field: Field) -> Iterator[str]:
    """Why the values of `field` cannot have the law `name`: each law must be normalised on what the values are."""
    levels, step = grid_levels(field), _step(field)
    if name == "mixed":
        yield "likelihood mixed is for tables: only laws of one kind of value"
    elif name == "gaussian":
        if levels is not None:
            law = "bernoulli" if levels == 2 else "discretized_logistic"
            yield f"{field.name!r} has {levels} levels, and a gaussian density on levels is no likelihood of them: {law} is"
    elif levels is None:
        yield f"likelihood {name} needs levels; {field.name!r} has neither a resolution nor a whole-number dtype"
    elif levels < 2:
        yield f"{field.name!r} has a single level, so there is nothing to learn"
    elif step is not None and any(abs(end / step - round(end / step)) > 1e-6 for end in field.range or ()):
        yield f"the range of {field.name!r} does not begin and end on a multiple of its resolution {step:g}"
    elif name == "bernoulli" and levels != 2:
        yield f"likelihood bernoulli is for two levels; {field.name!r} has {levels}"
    elif name in _TABLED and levels > LEVELS_MAX:
        yield f"likelihood {name} takes up to {LEVELS_MAX} levels; {field.name!r} has {levels}"
