"""What a flow can take, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.families import AffineCoupling, Autoregressive, DpSgd, FlowEngine, Nll, SplineCoupling
from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Replay, Sample
from synthspec.ir.schema import Schema
from synthspec_torch.data.kinds import is_mixed, mixed_reasons, transform_reasons
from synthspec_torch.one_step import one_step_reasons
from synthspec_torch.privacy.support import declared_reasons, mechanism_reasons, private_training_reasons
from synthspec_torch.support import STEP_SIGNALS, context_reasons, monitor_reasons, training_reasons

BATCH_SIGNALS = STEP_SIGNALS | {"bpd"}
"""What a training emits at every step."""
MIXED_SIGNALS = frozenset({"loss_val", "bpd_val", "bpd_trend"})
"""What it emits once an epoch on columns of mixed types, of the averaged weights on the val split."""
EPOCH_SIGNALS = MIXED_SIGNALS | {"logdet_extreme"}
"""What it emits once an epoch, of the averaged weights on the val split."""
METRICS = ("nll", "bpd", "inv_error")
MODALITIES = ("image", "tabular", "timeseries")
LARGEST = 4096
"""Numbers that a record may have."""


def reasons(op: Fit | Accelerate | Sample | Latency | Replay | Assess) -> Iterator[str]:
    """Why `op`, which is about a flow, cannot be computed here."""
    return one_step_reasons(op, "flow", _fit_reasons, _assess_reasons, likelihood=True)


def _assess_reasons(op: Assess) -> Iterator[str]:
    yield from _fit_reasons(op.fit)
    for name in (name for name in op.metrics if name not in METRICS):
        yield f"a flow has no {name}: only {', '.join(METRICS)}"


def _fit_reasons(op: Fit) -> Iterator[str]:
    if isinstance(op.engine, FlowEngine):
        architecture = op.engine.architecture
        if not isinstance(architecture, SplineCoupling | AffineCoupling | Autoregressive):
            yield f"architecture {architecture.name} is not supported"
    if not isinstance(op.objective, Nll):
        yield f"measure {op.objective.measure} is not supported: only nll"
    yield from transform_reasons(op.schema, op.conditions)
    yield from mechanism_reasons(op.privacy, "dp-sgd")
    if op.drop_rate:
        yield "drop_rate is for guidance, and a flow has none"
    yield from _content_reasons(op.schema)
    if is_mixed(op.schema) and isinstance(op.engine, FlowEngine):
        yield from _table_reasons(op, op.engine)
    yield from context_reasons(op.schema, op.conditions)
    if not isinstance(op.privacy, DpSgd):
        yield from training_reasons(op.training)
        found = MIXED_SIGNALS if is_mixed(op.schema) else EPOCH_SIGNALS
        yield from monitor_reasons(op.stability, found, BATCH_SIGNALS)
        return
    yield from private_training_reasons(op.training, op.stability, block=op.privacy)
    yield from declared_reasons(op.schema, op.conditions)
    if getattr(getattr(op.engine.architecture, "actnorm", None), "init", "") == "data":
        yield "an actnorm that starts at the moments of a batch releases them: only init identity under dp-sgd"


def _content_reasons(schema: Schema) -> Iterator[str]:
    if schema.modality not in MODALITIES:
        yield f"modality {schema.modality} is not supported: only {', '.join(MODALITIES)}"
        return
    content = schema.with_role("content")
    if not content:
        yield "the SRef has no content to make"
    if is_mixed(schema):
        yield from mixed_reasons(schema)
        return
    width = sum(field.size for field in content)
    if width > LARGEST:
        yield f"a record has {width} numbers; a dense flow takes up to {LARGEST}"


def _table_reasons(op: Fit, engine: FlowEngine) -> Iterator[str]:
    """Why a table of mixed types cannot have this flow: its columns are put into cells first."""
    if op.schema.modality == "image":
        yield "an image flow makes numbers: no pixel is missing, enumerated or a category"
    if isinstance(engine.architecture, Autoregressive):
        if engine.architecture.transforms > 1:
            yield "on columns of mixed types an autoregressive flow is one map: write transforms: 1"
        if engine.base_dist != "normal":
            yield f"base_dist {engine.base_dist} changes nothing where maps are linear in pieces: write normal"
    elif getattr(getattr(engine.architecture, "actnorm", None), "init", "") == "data":
        yield "the scores of mixed columns have mean 0 and deviation 1 already: only actnorm init identity"
