"""Fewer bits a weight for VAEs, GANs and flows: figures beside those of the engine before, on the same noise (P405-10)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from synthspec.backend.artifacts import DATA, FIGURES, FIT_REPORT, FitReport, read_figures, read_report
from synthspec.backend.dataset import read_dataset
from synthspec.execute import CORE
from synthspec.ir.families import AffineCoupling, Autoregressive, FlowEngine, Quantize, VaeEngine, VaeMlp
from synthspec.ir.ops import Accelerate, Assess, Measure
from synthspec.ir.schema import Field
from synthspec.spec.evaluation import Features
from synthspec.testing import catalogue
from synthspec.testing.conformance.trial import Case, Trial, digests
from synthspec_torch.plugin import BACKEND
from synthspec_torch.weights import read_state

MIXED = (
    Field(name="on", role="content", dtype="bool"),
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c"), nullable=True),
    Field(name="count", role="content", dtype="int32", range=(0.0, 400.0)),
)
MIXED_VAE = VaeEngine(family="vae", architecture=VaeMlp(name="mlp", hidden=(16,), latent_dim=4, likelihood="mixed"))
MIXED_FLOW = FlowEngine(
    family="flow", architecture=Autoregressive(name="autoregressive", transforms=1, hidden=(16, 16))
)
AFFINE = AffineCoupling(name="affine_coupling", transforms=2, hidden=(16,), actnorm={"init": "data"})
ENGINES = {
    "vae-image": ("vae", "image", None),
    "vae-mixed": ("vae", "tabular", MIXED_VAE),
    "gan-image": ("gan", "image", None),
    "gan-table": ("gan", "tabular", None),
    "flow-image": ("flow", "image", FlowEngine(family="flow", architecture=AFFINE)),
    "flow-table": ("flow", "tabular", None),
    "flow-mixed": ("flow", "tabular", MIXED_FLOW),
}
OF_THE_ENGINE = {"vae": ("elbo",), "gan": (), "flow": ("nll", "inv_error")}


def fit_of(family, modality, engine):
    """Trained enough that its weights are no longer those it began with."""
    fit = catalogue.fit(family, modality)
    training = fit.training.model_copy(update={"steps": 40})
    fit = replace(fit, training=training, drop_rate=0.0 if family in ("gan", "flow") else fit.drop_rate)
    if engine in (MIXED_VAE, MIXED_FLOW):
        fit = replace(fit, schema=replace(fit.schema, fields=(*fit.schema.fields, *MIXED)))
    return replace(fit, engine=engine or fit.engine)


@pytest.fixture(scope="module", params=ENGINES)
def trial(request, tmp_path_factory):
    sample = catalogue.sample(fit_of(*ENGINES[request.param]), n=128)
    case = Case(target="synthspec_torch.plugin:BACKEND", sample=sample, records=400)
    return Trial(case, tmp_path_factory.mktemp(request.param))


def figures(trial, engine, samples):
    """What the engine says of itself, and the distance of its records of a table from real ones."""
    op = trial.op
    names = OF_THE_ENGINE[op.fit.engine.family]
    found = []
    if names:
        assess = Assess(fit=op.fit, metrics=names, reference="test", seed=5)
        assert BACKEND.supports(assess) == ()
        made = trial.run(assess, {"engine": engine, **trial.inputs})
        found += read_figures(made.path(FIGURES))
    if op.fit.schema.modality == "tabular":
        measure = Measure(
            schema=op.fit.schema, metrics=("W1",), reference="test", features=Features(), membership_attack=None,
            conditions=op.fit.conditions, w_cfg=None, seed=1,
        )  # fmt: skip
        before = trial.kernels
        trial.kernels = CORE.kernels()
        found += read_figures(trial.run(measure, {"samples": samples, **trial.inputs}).path(FIGURES))
        trial.kernels = before
    return {figure.name: figure for figure in found}


def rounded(trial, dtype):
    """The engine with weights of `dtype`, and its records from the noise of the engine before."""
    how = Quantize(kind="quantize", dtype=dtype)
    op = Accelerate(fit=trial.op.fit, how=how)
    assert BACKEND.supports(op) == ()
    made = trial.run(op, {"engine": trial.engine, **trial.inputs})
    drawn = replace(trial.op, made_by=(how,))
    assert BACKEND.supports(drawn) == ()
    return made, trial.run(drawn, {"engine": made, **trial.inputs})


@pytest.mark.parametrize("dtype", ["int8", "bf16"])
def test_a_rounded_engine_keeps_the_figures_of_the_one_before(trial, dtype):
    if trial.op.fit.engine.family == "flow" and dtype == "bf16":
        (reason,) = BACKEND.supports(Accelerate(fit=trial.op.fit, how=Quantize(kind="quantize", dtype="bf16")))
        assert "nll and bpd of a flow are not published of bf16 weights" in reason
        return
    engine, samples = rounded(trial, dtype)
    facts = dict(read_report(engine.path(FIT_REPORT), FitReport).facts)
    assert facts["rounded_tensors"] >= 1
    assert 0 < facts["largest_error"] < (1 / 127 if dtype == "int8" else 2**-8)
    names = [name for name in engine.files if name.startswith("weights/")]
    kinds = [tensor.dtype for name in names for tensor in read_state(engine.path(name)).values()]
    assert kinds.count(torch.int8 if dtype == "int8" else torch.bfloat16) == facts["rounded_tensors"]
    before, after = figures(trial, trial.engine, trial.samples), figures(trial, engine, samples)
    assert before.keys() == after.keys()
    for key, figure in after.items():
        if key == "inv_error":
            assert figure.value < 1e-4, "the rounded map is inverted as it is"
        elif figure.u is not None:
            assert abs(figure.value - before[key].value) < figure.u, key


@pytest.mark.parametrize("dtype", ["int8", "bf16"])
def test_records_move_by_little_and_not_by_nothing(trial, dtype):
    """From the same noise: the typical number of a record stays where it was, to a hundredth of its range."""
    if trial.op.fit.engine.family == "flow" and dtype == "bf16":
        return
    samples = rounded(trial, dtype)[1]
    assert digests(samples) != digests(trial.samples)
    one, other = read_dataset(trial.samples.path(DATA)), read_dataset(samples.path(DATA))
    for field in trial.op.fit.schema.with_role("content"):
        if field.range is not None and field.dtype.startswith("float"):
            low, high = field.range
            moved = np.abs(one[field.name].astype(float) - other[field.name].astype(float)) / (high - low)
            assert np.median(moved) < 0.01, field.name
