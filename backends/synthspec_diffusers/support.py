"""What diffusion can take, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.backend.conditions import condition_reasons
from synthspec.ir.families import (
    DiffusionEngine,
    DpSgd,
    EdmSchedule,
    FlowMatchingSchedule,
    LSimple,
    MlpDenoiser,
    TransformerDenoiser,
    UNet2d,
)
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.schema import Schema
from synthspec.ir.solvers import evaluations, law_of
from synthspec_diffusers.acceleration.support import sampled_as_taught
from synthspec_torch.data.kinds import mixed_reasons, transform_reasons
from synthspec_torch.privacy.support import declared_reasons, mechanism_reasons, private_training_reasons
from synthspec_torch.support import context_reasons, image_reasons, monitor_reasons, training_reasons

EPOCH_SIGNALS = frozenset({"loss_val", "head_r2"})
"""What a training emits once an epoch, of the averaged weights on the val split."""
ARCHITECTURES = {
    "unet2d": ("image",),
    "mlp": ("image", "tabular", "timeseries"),
    "transformer": ("tabular", "timeseries"),
}
"""The modalities that each denoiser is built for."""
LARGEST = 2**16
"""Numbers that a series may have."""


def fit_reasons(op: Fit) -> Iterator[str]:
    """Why `op` cannot be trained."""
    if not isinstance(op.engine, DiffusionEngine):
        yield f"family {op.engine.family} is not supported: only diffusion"
        return
    yield from _architecture_reasons(op.engine, op.schema)
    yield from _objective_reasons(op, op.engine)
    yield from transform_reasons(op.schema, op.conditions, series=op.schema.modality == "timeseries")
    yield from mechanism_reasons(op.privacy, "dp-sgd")
    yield from _content_reasons(op.schema)
    yield from context_reasons(op.schema, op.conditions)
    if not isinstance(op.privacy, DpSgd):
        yield from training_reasons(op.training)
        yield from monitor_reasons(op.stability, EPOCH_SIGNALS)
        return
    yield from private_training_reasons(op.training, op.stability, block=op.privacy)
    yield from declared_reasons(op.schema, op.conditions)


def sample_reasons(op: Sample) -> Iterator[str]:
    """Why `op` cannot be drawn."""
    yield from fit_reasons(op.fit)
    yield from condition_reasons(op)
    if op.w_cfg and not op.fit.conditions:
        yield "guidance needs a condition; the engine has none"
    if op.w_cfg and not op.fit.drop_rate:
        yield "guidance needs drop_rate > 0; the engine never saw a record without its condition"
    if isinstance(op.fit.engine, DiffusionEngine):
        yield from _solver_reasons(op, op.fit.engine)


def _solver_reasons(op: Sample, engine: DiffusionEngine) -> Iterator[str]:
    schedule = engine.noise_schedule
    if op.solver is None:
        yield "sampling names no solver"
        return
    law, steps = law_of(op.solver.name), op.solver.steps
    yield from sampled_as_taught(op)
    times = getattr(schedule, "train_steps", None)
    if times is not None and steps > times and not law.adaptive:
        yield f"{steps} solver steps on a noise schedule of {times}"
    spent = evaluations(law, steps, guided=op.w_cfg > 0, schedule=op.guidance)
    if spent > op.solver.NFE or (spent < op.solver.NFE and not law.adaptive):
        yield f"{steps} steps of {law.name} do not cost {op.solver.NFE} evaluations"
    ends_in_noise = isinstance(schedule, FlowMatchingSchedule) or getattr(schedule, "zero_terminal_snr", False)
    if ends_in_noise and not law.everywhere:
        yield f"{law.name} has no step away from where no signal is left"
    if law.adaptive and not op.solver.tolerance:
        yield f"{law.name} needs a tolerance"


def _architecture_reasons(engine: DiffusionEngine, schema: Schema) -> Iterator[str]:
    architecture = engine.architecture
    if not isinstance(architecture, UNet2d | MlpDenoiser | TransformerDenoiser):
        yield f"architecture {architecture.name} is not supported: only {', '.join(ARCHITECTURES)}"
        return
    takes = ARCHITECTURES[architecture.name]
    if schema.modality not in takes:
        yield f"modality {schema.modality} is not supported: {architecture.name} takes only {' and '.join(takes)}"
    if isinstance(architecture, UNet2d):
        levels = len(architecture.channels)
        if architecture.attention is not None and len(architecture.attention) != levels:
            yield f"attention has {len(architecture.attention)} entries for {levels} levels of channels"
    if isinstance(architecture, TransformerDenoiser) and architecture.width % architecture.heads:
        yield f"a width of {architecture.width} is not shared evenly by {architecture.heads} heads"


def _objective_reasons(op: Fit, engine: DiffusionEngine) -> Iterator[str]:
    objective, schedule = op.objective, engine.noise_schedule
    if not isinstance(objective, LSimple):
        yield f"measure {objective.measure} is not supported: only l_simple"
        return
    owed = {"edm": "x0", "flow_matching": "v"}.get(schedule.name, objective.head)
    if objective.head != owed:
        yield f"head {objective.head} is not supported on {schedule.name}: only {owed}"
    if isinstance(schedule, EdmSchedule | FlowMatchingSchedule) or not schedule.zero_terminal_snr:
        return
    if objective.head == "eps":
        yield "head eps says nothing of a record where zero_terminal_snr leaves no signal"
    if schedule.train_steps < 2:
        yield "zero_terminal_snr needs a schedule of at least two steps"


def _content_reasons(schema: Schema) -> Iterator[str]:
    match schema.modality:
        case "image":
            yield from image_reasons(schema)
        case "tabular":
            times = [field.name for field in schema.with_role("time")]
            if times:
                yield f"nothing here gives a row of a table its place in time ({', '.join(times)})"
            yield from mixed_reasons(schema)
        case "timeseries":
            yield from _series_reasons(schema)
        case _:
            pass  # the architecture has said that it does not take it


def _series_reasons(schema: Schema) -> Iterator[str]:
    times = [field.name for field in schema.with_role("time")]
    content = schema.with_role("content")
    if times:
        yield f"a record is a whole series here, and nothing gives a row its place in time ({', '.join(times)})"
    if not content:
        yield "the SRef has no content to make"
    lengths = {field.shape[-1] if field.shape else 0 for field in content}
    for field in content:
        if len(field.shape) not in (1, 2):
            yield f"{field.name!r} has shape {list(field.shape)}; a series is [length] or [channels, length]"
        if field.dtype in ("bool", "categorical", "string", "timestamp") or field.enum:
            yield f"{field.name!r} is no measured number; a series engine makes numbers"
        if field.nullable:
            yield f"{field.name!r} is nullable; a series engine makes whole series"
    if len(lengths) > 1:
        yield f"series of one record have one length, not {', '.join(map(str, sorted(lengths)))}"
    if sum(field.size for field in content) > LARGEST:
        yield f"a record has {sum(field.size for field in content)} numbers; series here have up to {LARGEST}"
