"""The kernels of a VAE on a few images: training, its signals and monitors, sampling, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from synthspec.backend.artifacts import (
    DATA,
    FIGURES,
    FIT_REPORT,
    SAMPLE_REPORT,
    TRAINING_LOG,
    FitReport,
    SampleReport,
    read_figures,
    read_report,
)
from synthspec.backend.dataset import Dataset, read_dataset, write_dataset
from synthspec.backend.protocol import DataError
from synthspec.ir.families import Convergence, ElboBeta, LSimple, Monitor, Pate, Stability, VaeConv, VaeEngine, VaeMlp
from synthspec.ir.ops import Accelerate, Assess, Latency
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sampling import Compile
from synthspec_torch.plugin import BACKEND
from synthspec_torch.vae.kernels import KERNELS, REFERENCE, WEIGHTS
from synthspec_torch.vae.support import grid_levels


def conv(**changes):
    settings = {"channels": (4, 8), "latent_dim": 3, "likelihood": "discretized_logistic"} | changes
    return VaeEngine(family="vae", architecture=VaeConv(name="conv", **settings))


def mlp(**changes):
    settings = {"hidden": (16,), "latent_dim": 3, "likelihood": "binomial"} | changes
    return VaeEngine(family="vae", architecture=VaeMlp(name="mlp", **settings))


def annealed(beta=1.0, **more):
    return ElboBeta(measure="elbo_beta", beta=beta, annealing={"name": "linear", "epochs": 2}, **more)


@pytest.fixture
def vae(fit_op):
    return replace(fit_op, engine=conv(), objective=annealed(free_bits=0.05))


@pytest.fixture
def drawn(sample_op, vae):
    return replace(sample_op, fit=vae, solver=None, w_cfg=0.0)


def observed(artifact, name):
    text = artifact.path(TRAINING_LOG).read_text(encoding="utf-8")
    found = (json.loads(line) for line in text.splitlines())
    return [line["signals"][name] for line in found if name in line["signals"]]


@pytest.mark.parametrize("engine", [conv(), conv(channels=(4, 8, 8), norm="layer"), mlp(norm="group")])
def test_an_engine_trains_samples_and_is_assessed(vae, drawn, inputs, run, engine):
    vae = replace(vae, engine=engine)
    drawn = replace(drawn, fit=vae)
    assert BACKEND.supports(drawn) == ()
    kernels = BACKEND.kernels()
    made = {"engine": run(kernels["fit"], vae, inputs, "fit"), **inputs}
    assert {WEIGHTS, REFERENCE} <= set(made["engine"].files)
    samples = run(kernels["sample"], drawn, made, "sample")
    pixels = read_dataset(samples.path(DATA))["pixels"]
    assert pixels.shape == (10, 1, 4, 4)
    assert np.array_equal(pixels, np.rint(pixels))
    assert len(np.unique(pixels)) > 3
    report = read_report(samples.path(SAMPLE_REPORT), SampleReport)
    assert (report.net_calls, report.net_evals_per_sample, report.steps) == (1, 1, 0)
    op = Assess(fit=vae, metrics=("bpd", "elbo", "iwae", "elbo_val_gain"), reference="test", seed=3)
    assert BACKEND.supports(op) == ()
    figures = {figure.name: figure for figure in read_figures(run(kernels["assess"], op, made, "assess").path(FIGURES))}
    assert list(figures) == list(op.metrics)
    assert figures["elbo"].value < figures["iwae"].value
    assert figures["bpd"].value == pytest.approx(-figures["iwae"].value / (16 * np.log(2)))
    assert (figures["elbo"].split, figures["elbo_val_gain"].split, figures["elbo"].n_real) == ("test", "val", 5)
    (other,) = read_figures(
        run(kernels["assess"], replace(op, metrics=("elbo",), reference="val"), made, "val").path(FIGURES)
    )
    assert other.split == "val"
    assert other.value != figures["elbo"].value
    again = run(kernels["assess"], op, made, "again")
    assert again.path(FIGURES).read_bytes() == run(kernels["assess"], op, made, "third").path(FIGURES).read_bytes()


def test_signals_are_logged_and_the_reported_elbo_has_beta_one(vae, inputs, run):
    vae = replace(vae, objective=annealed(beta=4.0))
    made = run(KERNELS["fit"], vae, inputs, "fit")
    assert observed(made, "beta") == pytest.approx([4 / 6, 8 / 6, 2, 16 / 6, 20 / 6, 4, 4, 4, 4])
    for elbo, recon, kl, loss in zip(
        *(observed(made, n) for n in ("elbo_val", "recon", "kl", "loss_val")), strict=True
    ):
        assert elbo == pytest.approx(recon - kl)
        assert loss >= -elbo
    assert observed(made, "loss_val")[-1] == pytest.approx(
        4 * observed(made, "kl")[-1] - observed(made, "recon")[-1], rel=1e-5
    )
    # loss + elbo = (beta - 1) kl without free bits.
    pressed = [loss + elbo for loss, elbo in zip(observed(made, "loss"), observed(made, "elbo"), strict=True)]
    assert pressed[0] < 0 < pressed[-1]
    assert len(observed(made, "grad_norm")) == len(observed(made, "elbo")) == 9
    assert 0 <= observed(made, "posterior_collapse_rate")[-1] <= 1


def test_no_weights_of_the_annealing_are_picked(vae, inputs, run):
    vae = replace(vae, objective=ElboBeta(measure="elbo_beta", beta=60.0, annealing={"name": "linear", "epochs": 2}))
    made = run(KERNELS["fit"], vae, inputs, "fit")
    report = read_report(made.path(FIT_REPORT), FitReport)
    assert report.best_step >= 6
    assert dict(report.facts)["best_elbo_val"] == max(observed(made, "elbo_val")[1:])
    first, best = (load_file(str(made.path(name))) for name in (REFERENCE, WEIGHTS))
    assert any(not np.array_equal(first[name], best[name]) for name in best)


def test_a_collapsed_posterior_is_answered_with_free_bits(vae, inputs, run):
    watch = Monitor(signal="kl", trip="kl < 0.5", window=2, action="raise_free_bits")
    training = vae.training.model_copy(update={"epochs": 30, "ema": None})
    pressed = replace(vae, engine=mlp(), objective=ElboBeta(measure="elbo_beta", beta=20.0), training=training)
    watched = replace(pressed, stability=Stability(monitors=(watch,)))
    assert BACKEND.supports(watched) == ()
    collapsed, helped = (run(KERNELS["fit"], op, inputs, name) for op, name in ((pressed, "a"), (watched, "b")))
    assert observed(collapsed, "kl")[-1] < 0.1
    events = [e for e in read_report(helped.path(FIT_REPORT), FitReport).events if e.action == "raise_free_bits"]
    assert events[0].detail == "kl < 0.5; free_bits 0 -> 0.05 nat"
    assert events[1].detail == "kl < 0.5; free_bits 0.05 -> 0.1 nat"
    assert observed(helped, "kl")[-1] > 0.4


def test_convergence_goes_by_the_rising_elbo(vae, inputs, run):
    training = vae.training.model_copy(update={"epochs": 40})
    patient = Stability(convergence=Convergence(signal="elbo_val", patience=2, min_delta=1e6))
    made = run(KERNELS["fit"], replace(vae, training=training, stability=patient), inputs, "fit")
    report = read_report(made.path(FIT_REPORT), FitReport)
    # Annealing ends with epoch 2, whose value is the first that counts; two more do not improve on it.
    assert (report.status, report.steps) == ("converged", 12)


def test_labels_are_dropped_for_a_share_of_the_rows_and_matter_to_the_rest(vae, drawn, inputs, run):
    kept = run(KERNELS["fit"], replace(vae, drop_rate=0.0), inputs, "kept")
    dropped = run(KERNELS["fit"], vae, inputs, "dropped")
    assert kept.path(WEIGHTS).read_bytes() != dropped.path(WEIGHTS).read_bytes()
    held = [replace(drawn, condition=(("digit", value),), variables=()) for value in ("a", "c")]
    made = [run(KERNELS["sample"], op, {"engine": kept, **inputs}, f"s{i}") for i, op in enumerate(held)]
    first, second = (read_dataset(each.path(DATA))["pixels"] for each in made)
    assert not np.array_equal(first, second)


def test_a_value_between_two_levels_is_a_fault_of_the_data(vae, inputs, run):
    columns = {name: np.array(column) for name, column in read_dataset(inputs["data"].path(DATA)).columns.items()}
    columns["pixels"][3, 0, 1, 2] = 2.4
    write_dataset(inputs["data"].folder, Dataset(columns))
    with pytest.raises(DataError, match="no multiple of its resolution 1") as fault:
        run(KERNELS["fit"], vae, inputs, "fit")
    assert fault.value.code == "data.off-grid"


def test_a_density_is_learned_where_values_have_no_resolution(vae, drawn, inputs, run):
    pixels = replace(vae.schema.field("pixels"), resolution=None)
    schema = Schema(modality="image", fields=(vae.schema.fields[0], pixels, vae.schema.fields[2]), pk=("rid",))
    vae = replace(vae, schema=schema, engine=conv(likelihood="gaussian"))
    assert BACKEND.supports(vae) == ()
    made = run(KERNELS["fit"], vae, inputs, "fit")
    samples = run(KERNELS["sample"], replace(drawn, fit=vae), {"engine": made, **inputs}, "sample")
    values = read_dataset(samples.path(DATA))["pixels"]
    assert values.min() >= 0
    assert values.max() <= 16
    assert not np.array_equal(values, np.rint(values))


@pytest.mark.parametrize(
    ("field", "levels"),
    [
        ({"dtype": "float32", "range": (0.0, 16.0), "resolution": 1.0}, 17),
        ({"dtype": "float32", "range": (0.0, 1.0), "resolution": 0.1}, 11),
        ({"dtype": "uint8", "range": (0.0, 255.0)}, 256),
        ({"dtype": "float32", "range": (0.0, 1.0)}, None),
    ],
)
def test_levels_come_from_range_and_resolution(field, levels):
    assert grid_levels(Field(name="x", role="content", **field)) == levels


def pixel(op, **changes):
    fields = tuple(replace(f, **changes) if f.name == "pixels" else f for f in op.schema.fields)
    return replace(op, schema=replace(op.schema, fields=fields))


REFUSED = [
    (lambda op: replace(op, engine=conv(groups=4, latent_dim=3)), "3 latents cannot be 4 groups"),
    (lambda op: replace(op, engine=conv(norm="batch")), "norm batch"),
    (lambda op: replace(op, engine=conv(likelihood="mixed")), "mixed is for tables"),
    (lambda op: replace(op, engine=conv(likelihood="gaussian")), "no likelihood of them: discretized_logistic is"),
    (lambda op: replace(op, engine=conv(likelihood="bernoulli")), "bernoulli is for two levels"),
    (lambda op: pixel(replace(op, engine=mlp()), range=(0.0, 400.0)), "up to 256 levels"),
    (lambda op: pixel(op, range=(0.0, 16.5)), "does not begin and end on a multiple"),
    (lambda op: pixel(op, resolution=None), "neither a resolution"),
    (lambda op: replace(op, objective=LSimple(measure="l_simple")), "measure l_simple"),
    (lambda op: replace(op, objective=ElboBeta(measure="elbo_beta")), "beta is missing"),
    (lambda op: replace(op, privacy=Pate(mechanism="pate")), "mechanism pate"),
    (lambda op: replace(op, schema=replace(op.schema, modality="audio")), "modality audio"),
    (
        lambda op: replace(op, stability=Stability(monitors=(Monitor(signal="bpd", trip="bpd > 1", action="stop"),))),
        "'bpd' is not emitted",
    ),
    (lambda op: Accelerate(fit=op, how=Compile(kind="compile")), "torch.compile builds kernels"),
    (lambda op: Assess(fit=op, metrics=("elbo", "inv_error"), reference="test", seed=1), "no inv_error"),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_each_thing_that_is_not_done_is_said(vae, change, reason):
    reasons = BACKEND.supports(change(vae))
    assert len(reasons) == 1, reasons
    assert reason in reasons[0]


def test_guidance_is_refused(drawn):
    (reason,) = BACKEND.supports(replace(drawn, w_cfg=0.5))
    assert reason.startswith("guidance (w_cfg) is for diffusion; a vae samples")
    assert BACKEND.supports(Latency(sample=drawn, requests=1, warmup=0)) == ()
