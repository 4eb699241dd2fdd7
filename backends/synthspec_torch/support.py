"""What the torch engines can take, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.backend.columns import find_field
from synthspec.ir.families import Stability, Training
from synthspec.ir.schema import Field, Schema

STEP_SIGNALS = frozenset({"step", "epoch", "lr", "loss", "grad_norm"})
"""What every training loop emits at every step. `grad_norm` is the global L2 norm before clipping."""
SEVERITY = ("skip", "raise_free_bits", "scale_lr", "rollback", "stop")
"""Actions of monitors; `raise_free_bits` is of VAEs alone.

When several fire at one observation the most severe acts; the others stay tripped.
"""
COMMON_ACTIONS = tuple(action for action in SEVERITY if action != "raise_free_bits")
LABELS_MAX = 4096
"""Combinations of conditions that one embedding table is allowed to have."""


def image_reasons(schema: Schema) -> Iterator[str]:
    """Why the content of `schema` is not one image that can be mapped onto [-1, 1]."""
    if schema.modality != "image":
        yield f"modality {schema.modality} is not supported: only image"
        return
    contents = schema.with_role("content")
    if len(contents) != 1:
        yield f"an image engine makes one content field; the SRef has {len(contents)}"
    for field in contents:
        yield from _pixel_reasons(field)


def clip_reasons(schema: Schema) -> Iterator[str]:
    """Why the content of `schema` is not one clip that can be mapped onto [-1, 1]."""
    contents = schema.with_role("content")
    if schema.modality != "video" or len(contents) != 1:
        yield f"a clip is the one content field of a schema of modality video; this is {schema.modality}"
        return
    (field,) = contents
    if len(field.shape) != 4:
        yield f"{field.name!r} has shape {list(field.shape)}; a clip is [frames, channels, height, width]"
    yield from _value_reasons(field)


def _pixel_reasons(field: Field) -> Iterator[str]:
    if len(field.shape) not in (2, 3):
        yield f"{field.name!r} has shape {list(field.shape)}; an image is [channels, height, width]"
    yield from _value_reasons(field)


def _value_reasons(field: Field) -> Iterator[str]:
    if field.range is None:
        yield f"{field.name!r} has no range to scale the network's [-1, 1] by"
    if field.dtype in ("categorical", "string", "timestamp", "bool"):
        yield f"{field.name!r} is of dtype {field.dtype}; an image engine makes numbers"
    if field.nullable:
        yield f"{field.name!r} is nullable; an image engine makes no missing pixels"


def context_reasons(schema: Schema, names: tuple[str, ...]) -> Iterator[str]:
    """Why a network cannot be told the conditions `names`."""
    for name in names:
        field = find_field(schema, name)
        if field is None:
            yield f"the condition {name!r} is no field of the SRef"
        elif field.shape:
            yield f"the condition {name!r} has shape {list(field.shape)}; a condition is one value"
        elif field.dtype in ("string", "timestamp"):
            yield f"the condition {name!r} is of dtype {field.dtype}; only numbers and members of an enum are"
        elif field.dtype == "categorical" and not field.enum:
            yield f"the condition {name!r} is categorical without an enum"
        elif field.nullable and not field.enum:
            yield f"the condition {name!r} is nullable, and a missing number has no place among the others"


def is_label(schema: Schema, names: tuple[str, ...]) -> bool:
    """Whether the conditions `names` are told as one class label: all are categories, of up to `LABELS_MAX` combinations."""
    fields = [schema.field(name) for name in names]
    total = math.prod(len(field.enum) for field in fields)
    return all(field.dtype == "categorical" for field in fields) and 0 < total <= LABELS_MAX


def training_reasons(training: Training) -> Iterator[str]:
    """Why a training loop cannot keep to `training`."""
    if training.precision != "fp32":
        yield f"precision {training.precision} is not supported: only fp32"
    if training.seed is None:
        yield "training.seed is missing"
    if training.batch_size is None:
        yield "training.batch_size is missing"
    if training.steps is None and training.epochs is None:
        yield "training has neither epochs nor steps"


def monitor_reasons(
    stability: Stability,
    epoch_signals: frozenset[str],
    step_signals: frozenset[str] = STEP_SIGNALS,
    actions: tuple[str, ...] = COMMON_ACTIONS,
) -> Iterator[str]:
    """Why the monitors cannot be kept by an engine that emits `step_signals` and, once an epoch, `epoch_signals`."""
    known = step_signals | epoch_signals
    watched = {monitor.signal for monitor in stability.monitors}
    if stability.convergence:
        watched.add(stability.convergence.signal)
    for name in sorted(watched - known):
        yield f"signal {name!r} is not emitted: only {', '.join(sorted(known))}"
    for monitor in stability.monitors:
        if monitor.action not in actions:
            yield f"action {monitor.action!r} means nothing to this engine: only {', '.join(actions)}"
        if monitor.action == "skip" and monitor.signal in epoch_signals:
            yield f"{monitor.signal!r} comes after the update; there is none left to skip"
