"""The kit that third parties use, on the backends that come with SynthSpec."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import pytest

from synthspec.backend.discovery import installed
from synthspec.ir.families import AffineCoupling, Autoregressive, FlowEngine
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


def without_conditions(made):
    fit = replace(made.sample.fit, conditions=(), drop_rate=0.0)
    return replace(made, sample=replace(made.sample, fit=fit, variables=()))


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
if find_spec("torch") and "torch" in installed():
    CASES.append(case(TORCH, "vae", "image", n=40, block=16))

if find_spec("torch") and find_spec("zuko") and "torch" in installed():
    CASES += [
        flow("tabular"),
        flow("image", AffineCoupling(name="affine_coupling", transforms=2, hidden=(8,), actnorm={"init": "data"})),
        without_conditions(
            flow("tabular", Autoregressive(name="autoregressive", transforms=2, hidden=(8,)), base_dist="student_t")
        ),
    ]


@pytest.fixture(scope="module", params=CASES, ids=str)
def trial(request, tmp_path_factory):
    return conformance.Trial(request.param, tmp_path_factory.mktemp("trial"))


@pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.name_of)
def test_backend(trial, check):
    check(trial)
