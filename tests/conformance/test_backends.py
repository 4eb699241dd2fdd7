"""The kit that third parties use, on the backends that come with SynthSpec."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import pytest

from synthspec.backend.discovery import installed
from synthspec.ir.families import (
    AffineCoupling,
    Autoregressive,
    DiffusionEngine,
    EdmSchedule,
    FlowEngine,
    FlowMatchingSchedule,
    LSimple,
    MlpDenoiser,
    TransformerDenoiser,
    VaeEngine,
    VaeMlp,
    Variable,
)
from synthspec.ir.schema import Field, Schema
from synthspec.testing import catalogue, conformance

NULL = "synthspec.backend.null:BACKEND"
REFERENCE = "synthspec.backend.reference:BACKEND"
TORCH = "synthspec_torch.plugin:BACKEND"
DIFFUSERS = "synthspec_diffusers.plugin:BACKEND"


def case(target, family, modality, **options):
    return conformance.Case(target=target, sample=catalogue.sample(catalogue.fit(family, modality), **options))


def flow(modality, architecture=None, base_dist="normal"):
    """A flow has no guidance, so it drops no conditions."""
    made = case(TORCH, "flow", modality, n=40, block=16)
    fit = replace(made.sample.fit, drop_rate=0.0)
    if architecture is not None:
        fit = replace(fit, engine=FlowEngine(family="flow", architecture=architecture, base_dist=base_dist))
    return replace(made, sample=replace(made.sample, fit=fit))


def denoiser(modality, architecture, schedule, solver):
    """Diffusion over tables, and over series as one field of the shape [channels, length]."""
    made = case(DIFFUSERS, "diffusion", modality, solver=solver, n=40, block=16, steps=3)
    fit = made.sample.fit
    engine = DiffusionEngine(family="diffusion", architecture=architecture, noise_schedule=schedule)
    objective = LSimple(measure="l_simple", head="x0" if schedule.name == "edm" else "v")
    if modality == "timeseries":
        power = Field(name="power", role="content", dtype="float32", shape=(2, 70), unit="mW", range=(0.0, 20.0))
        state = Field(name="state", role="condition", dtype="categorical", enum=("on", "off"))
        fields = (Field(name="rid", role="key", dtype="int64"), power, state)
        fit = replace(fit, schema=Schema(modality=modality, fields=fields, pk=("rid",)), conditions=("state",))
        variable = Variable(interface="categorical", distribution="empirical")
        made = replace(made, sample=replace(made.sample, variables=(("state", variable),)))
    fit = replace(fit, engine=engine, objective=objective)
    tolerance = 0.1 if solver == "heun_adaptive" else None
    plan = replace(made.sample.solver, tolerance=tolerance)
    return replace(made, sample=replace(made.sample, fit=fit, solver=plan))


def without_drops(made):
    """A GAN has no guidance, so it drops no conditions."""
    return replace(made, sample=replace(made.sample, fit=replace(made.sample.fit, drop_rate=0.0)))


def without_conditions(made):
    fit = replace(made.sample.fit, conditions=(), drop_rate=0.0)
    return replace(made, sample=replace(made.sample, fit=fit, variables=()))


def told_a_number(made):
    """With a number among its conditions."""
    fit = made.sample.fit
    load = Field(name="load", role="condition", dtype="float64", unit="dB", range=(-10.0, 10.0))
    fit = replace(
        fit, schema=replace(fit.schema, fields=(*fit.schema.fields, load)), conditions=(*fit.conditions, load.name)
    )
    variable = (load.name, Variable(interface="continuous", distribution="empirical"))
    return replace(made, sample=replace(made.sample, fit=fit, variables=(*made.sample.variables, variable)))


MIXED_VAE = VaeEngine(
    family="vae",
    architecture=VaeMlp(name="mlp", hidden=(16,), latent_dim=4, likelihood="mixed", groups=2),
)


def mixed(made, engine=None):
    """With columns of further kinds."""
    fit = made.sample.fit
    further = (
        Field(name="on", role="content", dtype="bool"),
        Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c"), nullable=True),
        Field(name="count", role="content", dtype="int32", range=(0.0, 400.0)),
        Field(name="share", role="content", dtype="float32", range=(0.0, 1.0), nullable=True),
    )
    schema = replace(fit.schema, fields=(*fit.schema.fields, *further))
    return replace(made, sample=replace(made.sample, fit=replace(fit, schema=schema, engine=engine or fit.engine)))


CASES = [
    *(
        case(NULL, family, modality)
        for family, modality in zip(catalogue.FAMILIES * 2, catalogue.MODALITIES, strict=False)
    ),
    case(REFERENCE, "diffusion", "tabular", solver="ddpm"),
    case(REFERENCE, "diffusion", "image", solver="ddim", w_cfg=0.5),
    case(REFERENCE, "diffusion", "image", solver="dpmsolver++"),
    without_conditions(case(REFERENCE, "diffusion", "tabular")),
]
if find_spec("torch") and find_spec("diffusers") and "diffusers" in installed():
    CASES.append(case(DIFFUSERS, "diffusion", "image", solver="dpmsolver++", n=40, block=16, steps=3))
    CASES += [
        told_a_number(case(DIFFUSERS, "diffusion", "image", solver="ddim", n=40, block=16, steps=3)),
        denoiser("tabular", MlpDenoiser(name="mlp", hidden=(16, 16)), EdmSchedule(name="edm"), "heun"),
        denoiser(
            "tabular",
            TransformerDenoiser(name="transformer", width=8, depth=1, heads=2),
            FlowMatchingSchedule(name="flow_matching"),
            "heun_adaptive",
        ),
        denoiser(
            "timeseries",
            TransformerDenoiser(name="transformer", width=8, depth=1, heads=2),
            EdmSchedule(name="edm"),
            "dpmsolver++_sde",
        ),
    ]
if find_spec("torch") and "torch" in installed():
    CASES.append(case(TORCH, "vae", "image", n=40, block=16))
    CASES += [
        told_a_number(case(TORCH, "vae", "image", n=40, block=16)),
        told_a_number(mixed(case(TORCH, "vae", "tabular", n=40, block=16), MIXED_VAE)),
        without_drops(case(TORCH, "gan", "image", n=40, block=16)),
        without_conditions(case(TORCH, "gan", "tabular", n=40, block=16)),
        mixed(case(TORCH, "vae", "tabular", n=40, block=16), MIXED_VAE),
    ]

if find_spec("torch") and find_spec("zuko") and "torch" in installed():
    CASES += [
        flow("tabular"),
        flow("image", AffineCoupling(name="affine_coupling", transforms=2, hidden=(8,), actnorm={"init": "data"})),
        without_conditions(
            flow("tabular", Autoregressive(name="autoregressive", transforms=2, hidden=(8,)), base_dist="student_t")
        ),
        mixed(flow("tabular", Autoregressive(name="autoregressive", transforms=1, hidden=(8, 8)))),
        mixed(flow("tabular", AffineCoupling(name="affine_coupling", transforms=2, hidden=(8,)))),
    ]


@pytest.fixture(scope="module", params=CASES, ids=str)
def trial(request, tmp_path_factory):
    return conformance.Trial(request.param, tmp_path_factory.mktemp("trial"))


@pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.name_of)
def test_backend(trial, check):
    check(trial)
