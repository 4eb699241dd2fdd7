"""What a flow takes, and that everything else is refused with its reason."""

from dataclasses import replace

import pytest

from synthspec.ir.families import (
    Autoregressive,
    Convergence,
    FlowEngine,
    LSimple,
    Monitor,
    OtherArchitecture,
    Pate,
    Rollback,
    SplineCoupling,
    Stability,
)
from synthspec.ir.ops import Accelerate, Assess, Latency, Replay
from synthspec.ir.schema import Field
from synthspec.spec.sampling import Compile
from synthspec.testing import catalogue
from synthspec_torch.plugin import BACKEND

TABLE = replace(catalogue.fit("flow", "tabular"), drop_rate=0.0)


def changed(fit, role, **changes):
    fields = tuple(replace(field, **changes) if field.role == role else field for field in fit.schema.fields)
    return replace(fit, schema=replace(fit.schema, fields=fields))


def content(*fields):
    rest = tuple(field for field in TABLE.schema.fields if field.role != "content")
    return replace(TABLE, schema=replace(TABLE.schema, fields=(*fields, *rest)))


def without_times(fit):
    fields = tuple(field for field in fit.schema.fields if field.role != "time")
    return replace(fit, schema=replace(fit.schema, fields=fields))


def watching(signal, action="stop"):
    monitor = Monitor(signal=signal, trip=f"{signal} > 3", action=action)
    rollback = Rollback(to="best", max_rollbacks=1)
    return Stability(monitors=(monitor,), convergence=Convergence(signal="bpd_val", patience=2), rollback=rollback)


MIXED = content(
    Field(name="on", role="content", dtype="bool"),
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b"), nullable=True),
    Field(name="level", role="content", dtype="int8", enum=(1, 2)),
    Field(name="x", role="content", dtype="float32", nullable=True),
    Field(name="seen", role="content", dtype="timestamp"),
)
ACTNORMED = SplineCoupling(name="spline_coupling", transforms=2, hidden=(8,), actnorm={"init": "data"})


def engine_of(architecture, base_dist="normal"):
    return FlowEngine(family="flow", architecture=architecture, base_dist=base_dist)


def autoregressive(transforms=1, base_dist="normal"):
    return engine_of(Autoregressive(name="autoregressive", transforms=transforms, hidden=(8,)), base_dist)


SERIES = replace(catalogue.fit("flow", "timeseries"), drop_rate=0.0)


@pytest.mark.parametrize(
    "fit",
    [
        TABLE,
        replace(catalogue.fit("flow", "image"), drop_rate=0.0),
        without_times(SERIES),
        replace(TABLE, stability=watching("bpd_trend")),
        replace(TABLE, stability=watching("bpd", "skip")),
        replace(TABLE, conditions=()),
        MIXED,
        replace(MIXED, engine=autoregressive()),
        SERIES,
    ],
)
def test_what_is_supported_has_no_reasons(fit):
    drawn = catalogue.sample(fit)
    assess = Assess(fit=fit, metrics=("nll", "bpd", "inv_error"), reference="test", seed=1)
    for op in (fit, drawn, Latency(sample=drawn, requests=1, warmup=0), Replay(sample=drawn, blocks=(0,)), assess):
        assert BACKEND.supports(op) == ()


REFUSED = {
    "modality audio is not supported": replace(catalogue.fit("flow", "audio"), drop_rate=0.0),
    "drop_rate is for guidance": replace(TABLE, drop_rate=0.1),
    "measure l_simple is not supported": replace(TABLE, objective=LSimple(measure="l_simple")),
    "privacy mechanism pate is not supported": replace(TABLE, privacy=Pate(mechanism="pate")),
    "architecture glow is not supported": replace(
        TABLE, engine=TABLE.engine.model_copy(update={"architecture": OtherArchitecture(name="glow")})
    ),
    "no content to make": content(),
    "'note' is text": content(Field(name="note", role="content", dtype="string")),
    "'kind' is categorical without an enum": content(Field(name="kind", role="content", dtype="categorical")),
    "write transforms: 1": replace(MIXED, engine=autoregressive(transforms=2)),
    "base_dist student_t changes nothing": replace(MIXED, engine=autoregressive(base_dist="student_t")),
    "only actnorm init identity": replace(MIXED, engine=engine_of(ACTNORMED)),
    "has 4097 numbers": content(Field(name="x", role="content", dtype="float32", shape=(4097,))),
    "the condition 'label' has shape [2]": changed(TABLE, "condition", shape=(2,)),
    "the condition 'label' is categorical without an enum": changed(TABLE, "condition", enum=()),
    "the condition 'label' is of dtype timestamp": changed(TABLE, "condition", dtype="timestamp", enum=()),
    "the condition 'label' is nullable": changed(TABLE, "condition", dtype="float32", enum=(), nullable=True),
    "the condition 'depth' is no field": replace(TABLE, conditions=("depth",)),
    "signal 'kl' is not emitted": replace(TABLE, stability=watching("kl")),
    "precision bf16": replace(TABLE, training=TABLE.training.model_copy(update={"precision": "bf16"})),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_not_supported_is_said_once(reason):
    reasons = BACKEND.supports(REFUSED[reason])
    assert len(reasons) == 1, reasons
    assert reason in reasons[0]
    assert reasons == BACKEND.supports(Assess(fit=REFUSED[reason], metrics=("bpd",), reference="test", seed=1))


def test_guidance_other_figures_and_acceleration_are_refused():
    assert "diffusion" in BACKEND.supports(catalogue.sample(TABLE, w_cfg=1.0))[0]
    assert "no elbo" in BACKEND.supports(Assess(fit=TABLE, metrics=("elbo",), reference="test", seed=1))[0]
    assert "torch.compile builds kernels" in BACKEND.supports(Accelerate(fit=TABLE, how=Compile(kind="compile")))[0]
