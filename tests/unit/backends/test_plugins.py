"""What the plugins take and refuse, and that asking loads no framework."""

import subprocess
import sys
from dataclasses import replace

import pytest

from synthspec.backend.protocol import Backend
from synthspec.ir.families import (
    Convergence,
    CosineSchedule,
    EdmSchedule,
    Elbo,
    Features,
    FlowEngine,
    FlowMatchingSchedule,
    IntervalGuidance,
    LSimple,
    Nll,
    SplineCoupling,
    Stability,
    TransformerDenoiser,
    UNet2d,
    Variable,
)
from synthspec.ir.ops import Embed, Export, Latency, Replay
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SolverPlan
from synthspec_diffusers.plugin import BACKEND as DIFFUSERS
from synthspec_torch.plugin import BACKEND as TORCH


def test_they_are_backends_with_their_kernels():
    torch_ops = {"accelerate", "assess", "embed", "fit", "latency", "replay", "sample"}
    for backend, ops in ((DIFFUSERS, torch_ops - {"embed"}), (TORCH, torch_ops)):
        assert isinstance(backend, Backend)
        assert set(backend.kernels()) == ops
        assert backend.missing() == ""
        assert {"torch", "numpy", "cpu"} <= set(backend.environment())


def test_loading_and_asking_imports_no_framework(fit_op):
    script = (
        "import sys, synthspec_torch.plugin as t, synthspec_diffusers.plugin as d\n"
        "for b in (t.BACKEND, d.BACKEND): b.missing(), b.environment(), b.name, b.version\n"
        "loaded = {'torch', 'diffusers', 'numpy', 'safetensors'} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_package_is_named_by_its_extra(monkeypatch):
    monkeypatch.setattr("synthspec.backend.environment.find_spec", lambda name: None if name == "torch" else object())
    assert DIFFUSERS.missing() == "pip install 'synthspec[diffusers]'"
    assert TORCH.missing() == "pip install 'synthspec[torch]'"


def test_what_is_supported_has_no_reasons(fit_op, sample_op):
    ops = (fit_op, sample_op, Latency(sample=sample_op, requests=1, warmup=0), Replay(sample=sample_op, blocks=(0,)))
    assert [DIFFUSERS.supports(op) for op in ops] == [()] * 4


def engine(fit, **changes):
    return replace(fit, engine=fit.engine.model_copy(update=changes))


def content(fit, **changes):
    schema = fit.schema
    fields = tuple(replace(field, **changes) if field.role == "content" else field for field in schema.fields)
    return replace(fit, schema=replace(schema, fields=fields))


def condition(fit, **changes):
    fields = tuple(replace(field, **changes) if field.name == "digit" else field for field in fit.schema.fields)
    return replace(fit, schema=replace(fit.schema, fields=fields))


FLOW = FlowEngine(family="flow", architecture=SplineCoupling(name="spline_coupling", transforms=1, hidden=(4,)))
REFUSED = {
    "family flow is not supported": lambda fit: replace(fit, engine=FLOW, objective=Nll(measure="nll")),
    "modality image is not supported: transformer": lambda fit: engine(
        fit, architecture=TransformerDenoiser(name="transformer", width=8, depth=1)
    ),
    "head v is not supported on edm": lambda fit: engine(fit, noise_schedule=EdmSchedule(name="edm")),
    "head eps says nothing": lambda fit: replace(
        engine(fit, noise_schedule=CosineSchedule(name="cosine", train_steps=100, zero_terminal_snr=True)),
        objective=LSimple(measure="l_simple", head="eps"),
    ),
    "attention has 1 entries for 2 levels": lambda fit: engine(
        fit, architecture=UNet2d(name="unet2d", channels=(8, 8), attention=(True,))
    ),
    "measure elbo is not supported": lambda fit: replace(fit, objective=Elbo(measure="elbo")),
    "modality video is not supported": lambda fit: replace(fit, schema=replace(fit.schema, modality="video")),
    "has no range": lambda fit: content(fit, range=None),
    "is of dtype bool": lambda fit: content(fit, dtype="bool"),
    "is nullable": lambda fit: content(fit, nullable=True),
    "has shape [4]": lambda fit: content(fit, shape=(4,)),
    "precision bf16": lambda fit: replace(fit, training=fit.training.model_copy(update={"precision": "bf16"})),
    "training.seed is missing": lambda fit: replace(fit, training=fit.training.model_copy(update={"seed": None})),
    "training.batch_size is missing": lambda fit: replace(
        fit, training=fit.training.model_copy(update={"batch_size": None})
    ),
    "neither epochs nor steps": lambda fit: replace(fit, training=fit.training.model_copy(update={"epochs": None})),
    "'ema_gap' is not emitted": lambda fit: replace(
        fit, stability=Stability(convergence=Convergence(signal="ema_gap", patience=2))
    ),
    "the condition 'digit' is categorical without an enum": lambda fit: condition(fit, enum=()),
    "the condition 'digit' is nullable": lambda fit: condition(fit, dtype="float32", enum=(), nullable=True),
    "the SRef has 0": lambda fit: content(fit, role="key"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_each_thing_that_cannot_be_trained_is_said(fit_op, sample_op, reason):
    changed = REFUSED[reason](fit_op)
    for op in (changed, replace(sample_op, fit=changed)):
        reasons = DIFFUSERS.supports(op)
        assert len(reasons) == 1, reasons
        assert reason in reasons[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda op: replace(op, solver=None), "names no solver"),
        (lambda op: replace(op, solver=SolverPlan(name="ddim", steps=101, NFE=202)), "101 solver steps"),
        (lambda op: replace(op, solver=SolverPlan(name="heun", steps=4, NFE=8)), "do not cost 8"),
        (lambda op: replace(op, solver=SolverPlan(name="heun_adaptive", steps=4, NFE=14)), "needs a tolerance"),
        (
            lambda op: replace(op, guidance=IntervalGuidance(name="interval", low=0.6, high=1.0)),
            "4 steps of dpmsolver++ do not cost 8",
        ),
        (
            lambda op: replace(
                op,
                fit=engine(op.fit, noise_schedule=FlowMatchingSchedule(name="flow_matching")),
                solver=SolverPlan(name="euler_maruyama", steps=4, NFE=8),
            ),
            "no step away",
        ),
        (lambda op: replace(op, fit=replace(op.fit, drop_rate=0.0)), "needs drop_rate > 0"),
        (lambda op: replace(op, fit=replace(op.fit, conditions=()), variables=()), "needs a condition"),
        (
            lambda op: replace(op, variables=(("digit", Variable(interface="categorical", distribution={"z": 1.0})),)),
            "names z",
        ),
    ],
)
def test_each_thing_that_cannot_be_sampled_is_said(sample_op, change, reason):
    reasons = DIFFUSERS.supports(change(sample_op))
    assert len(reasons) == 1, reasons
    assert reason in reasons[0]


def test_torch_refuses_the_families_of_other_backends(fit_op, sample_op):
    for op in (fit_op, sample_op, Latency(sample=sample_op, requests=1, warmup=0)):
        reasons = TORCH.supports(op)
        assert len(reasons) == 1
        assert "family diffusion is not supported here" in reasons[0]
    (reason,) = TORCH.supports(Export(schema=fit_op.schema, format="npz"))
    assert "`export` is not among its ops" in reason


def test_embedding_needs_weights_and_a_digest():
    def asked(channels=1, **features):
        pixels = Field(name="x", role="content", dtype="uint8", shape=(channels, 4, 4), range=(0, 255))
        return Embed(schema=Schema(modality="image", fields=(pixels,)), features=Features(**features))

    assert TORCH.supports(asked(name="inception", weights="w.safetensors", sha256="0" * 64)) == ()
    assert "sha256" in TORCH.supports(asked(name="inception", weights="w.safetensors"))[0]
    assert "no backend" in TORCH.supports(asked(name="embedded"))[0]
    assert "2 channels" in TORCH.supports(asked(2, name="inception", weights="w", sha256="0" * 64))[0]
