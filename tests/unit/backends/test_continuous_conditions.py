"""Engines whose conditions are numbers: what is asked for is made, by VAEs of pictures and tables and by the U-Net."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from synthspec.backend.artifacts import DATA, FIGURES, SAMPLE_REPORT, SCORES, SampleReport, read_figures, read_report  # noqa: E402
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows  # noqa: E402
from synthspec.backend.protocol import Artifact  # noqa: E402
from synthspec.backend.scores import read_scores  # noqa: E402
from synthspec.ir.families import (  # noqa: E402
    CosineSchedule,
    DiffusionEngine,
    DpSgd,
    Elbo,
    LSimple,
    NoMechanism,
    Optimizer,
    Quantize,
    Stability,
    Training,
    UNet2d,
    VaeConv,
    VaeEngine,
    VaeMlp,
    Variable,
)
from synthspec.ir.ops import Accelerate, Assess, Fit, Sample  # noqa: E402
from synthspec.ir.schema import Field, Schema  # noqa: E402
from synthspec.ir.solvers import SolverPlan  # noqa: E402
from synthspec_torch.plugin import BACKEND as TORCH  # noqa: E402

SHAPE, NOISE, SLOPE, STEP = (1, 2, 2), 0.4, 2.0, 0.5
TRAIN, REST = 400, 100
LOAD = Field(name="load", role="condition", dtype="float64", unit="dB", range=(9.0, 11.0))
SIDE = Field(name="side", role="condition", dtype="categorical", enum=("left", "right"))
KEY = Field(name="rid", role="key", dtype="int64")
PICTURE = Field(name="x", role="content", dtype="float64", shape=SHAPE, range=(-6.0, 6.0))
NUMBER = Field(name="x", role="content", dtype="float64", range=(-6.0, 6.0))
IMAGE = Schema(modality="image", fields=(KEY, PICTURE, LOAD, SIDE), pk=("rid",))
TABLE = Schema(modality="tabular", fields=(KEY, NUMBER, LOAD, SIDE), pk=("rid",))


def vae(architecture):
    return VaeEngine(family="vae", architecture=architecture), Elbo(measure="elbo")


UNET = (
    DiffusionEngine(
        family="diffusion",
        backend="diffusers",
        architecture=UNet2d(name="unet2d", channels=(16,), layers_per_block=1, attention=(False,)),
        noise_schedule=CosineSchedule(name="cosine", train_steps=100),
    ),
    LSimple(measure="l_simple", head="v"),
)
ENGINES = {
    "conv": (IMAGE, *vae(VaeConv(name="conv", channels=(8,), latent_dim=2, likelihood="gaussian")), 30),
    "mlp": (IMAGE, *vae(VaeMlp(name="mlp", hidden=(24,), latent_dim=2, likelihood="gaussian")), 40),
    "groups": (TABLE, *vae(VaeMlp(name="mlp", hidden=(24,), latent_dim=2, likelihood="mixed", groups=2)), 40),
    "unet": (IMAGE, *UNET, 30),
}
needs_diffusers = pytest.mark.skipif(not find_spec("diffusers"), reason="diffusers is not installed")
EACH = [pytest.param(name, marks=[needs_diffusers] if name == "unet" else []) for name in ENGINES]


def expected(load, side):
    """The mean of x under a condition: x = SLOPE (load - 10) +- STEP + noise."""
    return SLOPE * (load - 10.0) + STEP * (2 * side - 1)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """The inputs of an op, by modality."""
    made = {}
    for schema in (IMAGE, TABLE):
        rng, n = np.random.default_rng(4), TRAIN + 2 * REST
        load, side = rng.uniform(9, 11, n), rng.integers(0, 2, n)
        shape = schema.field("x").shape
        noise = NOISE * rng.standard_normal((n, *shape))
        x = expected(load, side).reshape(n, *[1] * len(shape)) + noise
        folder = tmp_path_factory.mktemp(schema.modality)
        for name in ("data", "split"):
            (folder / name).mkdir()
        write_dataset(folder / "data", Dataset({"rid": np.arange(n), "x": x, "load": load, "side": side}))
        rows = np.split(np.arange(n), [TRAIN, TRAIN + REST])
        write_rows(folder / "split", Rows(*rows))
        made[schema.modality] = {
            "data": Artifact(folder / "data", (DATA,)),
            "split": Artifact(folder / "split", ("split.safetensors",)),
        }
    return made


def fit_of(name, epochs=2, **changes):
    schema, engine, objective, _ = ENGINES[name]
    made = Fit(
        schema=schema, engine=engine, objective=objective, stability=Stability(), privacy=NoMechanism(mechanism="none"),
        training=Training(optimizer=Optimizer(name="adam", lr=1e-2), epochs=epochs, batch_size=40, ema=0.99, seed=5),
        conditions=("load", "side"), drop_rate=0.1 if name == "unet" else 0.0,
    )  # fmt: skip
    return replace(made, **changes)


def sample_of(fit, w_cfg=0.0, n=40, **held):
    """`n` records, those conditions `held` that are given and the others uniform."""
    laws = {"load": Variable(interface="continuous", distribution="uniform"),
            "side": Variable(interface="categorical", distribution="uniform")}  # fmt: skip
    solver = (
        SolverPlan(name="dpmsolver++", steps=8, NFE=16 if w_cfg else 8) if fit.engine.family == "diffusion" else None
    )
    return Sample(
        fit=fit, n=n, candidates=n, seed=7, rng="philox", block=16 if n < 200 else 200, solver=solver, w_cfg=w_cfg,
        variables=tuple((name, law) for name, law in laws.items() if name not in held), condition=tuple(held.items()),
    )  # fmt: skip


def backend_of(fit):
    if fit.engine.family == "vae":
        return TORCH
    from synthspec_diffusers.plugin import BACKEND

    return BACKEND


@pytest.fixture
def made(run, worlds):
    """``made(op, name, **inputs)``: the artifact of an op that its backend takes."""

    def call(op, name, workers=1, **further):
        fit = op if isinstance(op, Fit) else op.fit
        assert backend_of(fit).supports(op) == ()
        return run(backend_of(fit).kernels()[op.op], op, worlds[fit.schema.modality] | further, name, workers)

    return call


@pytest.mark.parametrize("name", EACH)
def test_an_engine_of_numbers_repeats_itself_and_says_what_it_was_asked(name, made):
    fit = fit_of(name)
    engine, again = made(fit, "engine"), made(fit, "again")
    assert all(engine.path(file).read_bytes() == again.path(file).read_bytes() for file in engine.files)
    op = sample_of(fit, w_cfg=0.5 if name == "unet" else 0.0, side="right")
    drawn = [made(op, f"drawn{workers}", workers, engine=engine) for workers in (1, 3)]
    assert drawn[0].path(DATA).read_bytes() == drawn[1].path(DATA).read_bytes()
    data = read_dataset(drawn[0].path(DATA))
    assert set(data.columns) == {"x", "load", "side"}
    assert (data["side"] == 1).all()
    assert 9 <= data["load"].min() < 9.5 < 10.5 < data["load"].max() <= 11
    other = read_dataset(made(sample_of(fit, side="right", load=9.25), "other", engine=engine).path(DATA))
    assert (other["load"] == 9.25).all()
    assert not np.array_equal(other["x"], data["x"])
    rounded = Accelerate(fit=fit, how=Quantize(kind="quantize", dtype="int8"))
    small = made(rounded, "small", engine=engine)
    light = replace(op, made_by=(rounded.how,))
    assert read_dataset(made(light, "light", engine=small).path(DATA))["x"].shape == data["x"].shape


@needs_diffusers
def test_guidance_asks_for_the_condition_of_no_condition_once_a_step(made):
    fit = fit_of("unet")
    engine = made(fit, "engine")
    plain, guided = (made(sample_of(fit, w_cfg=w), f"w{w}", engine=engine) for w in (0.0, 1.0))
    reports = [read_report(each.path(SAMPLE_REPORT), SampleReport) for each in (plain, guided)]
    assert [(each.net_evals_per_sample, each.cfg_evals) for each in reports] == [(8, 0), (16, 8)]


@needs_diffusers
def test_a_guided_estimate_goes_from_that_of_no_condition_through_that_of_the_number():
    from synthspec.ir.families import LinearSchedule
    from synthspec_diffusers.network import Denoiser
    from synthspec_diffusers.path import Path, estimate
    from synthspec_diffusers.schedule import Grid

    torch.manual_seed(0)
    network = Denoiser(UNET[0].architecture, SHAPE, 3, labelled=False).eval()
    x, given, null = torch.randn(5, *SHAPE), torch.cat([torch.randn(5, 2), torch.ones(5, 1)], 1), torch.zeros(3)
    path = Path(Grid.along(LinearSchedule(name="linear", train_steps=50), 5), "ddim", "v", 0.0, null, None)
    with torch.no_grad():
        plain, none, guided = (
            estimate(network, way, 2, x, told)
            for way, told in ((path, given), (path, null.expand(5, -1)), (replace(path, w_cfg=1.5), given))
        )
    assert not torch.allclose(plain, none, atol=1e-3)
    assert torch.allclose(guided, plain + 1.5 * (plain - none), atol=1e-5)


def shown(made_learner, batches=40):
    """The conditions that the network of a learner is shown, over some batches of all its rows."""
    seen = []
    network = made_learner.network
    hook = (getattr(network, "encoder", network)).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[-1]))
    for _ in range(batches):
        made_learner.loss(torch.arange(len(made_learner.train_records)))
    hook.remove()
    return torch.stack(seen)


def test_a_vae_is_shown_a_share_of_its_rows_without_their_numbers():
    from synthspec_torch.vae.learner import VaeLearner
    from synthspec_torch.vae.likelihoods import build_likelihood
    from synthspec_torch.vae.networks import build_vae
    from synthspec_torch.vae.objective import BetaCourse, Records

    torch.manual_seed(0)
    given = torch.cat([torch.randn(50, 1), torch.ones(50, 1)], 1)
    network = build_vae(ENGINES["mlp"][1].architecture, SHAPE, 2, lambda width: torch.nn.Linear(2, width, bias=False))
    records = Records(torch.zeros(50, *SHAPE), given)
    learner = VaeLearner(
        network, build_likelihood("gaussian", None), records, records, beta=BetaCourse(1.0), free_bits=0.0, drop_rate=0.3,
        null=torch.zeros(2), seed=1,
    )  # fmt: skip
    told = shown(learner)
    rest = (told == 0).all(2)
    assert rest.float().mean().item() == pytest.approx(0.3, abs=0.04)
    kept = network.seen(given).detach()
    assert torch.allclose(told[~rest], kept.expand(len(told), -1, -1)[~rest])


@pytest.mark.parametrize("name", ["conv", "groups"])
def test_a_private_engine_of_numbers_needs_their_ranges(name):
    block = DpSgd.model_validate({
        "mechanism": "dp-sgd", "unit": "record", "adjacency": "zero_out", "steps": 4, "normalizer": 8.0, "delta": 1e-5,
        "sampling": {"scheme": "poisson", "rate": 0.5, "on_empty": "noise_only"}, "noise": {"multiplier": 0.8},
        "clip": {"norm": 0.5, "per": "record", "scope": "flat"}, "accountant": "pld", "eps_budget": 100.0,
    })  # fmt: skip
    engine = ENGINES[name][1]
    one = engine.model_copy(update={"architecture": engine.architecture.model_copy(update={"groups": 1})})
    private = fit_of(
        name, engine=one, privacy=block, training=Training(optimizer=Optimizer(name="adam", lr=1e-3), seed=2)
    )
    assert TORCH.supports(private) == ()
    open_ended = tuple(replace(field, range=None) if field.name == "load" else field for field in private.schema.fields)
    (reason,) = TORCH.supports(replace(private, schema=replace(private.schema, fields=open_ended)))
    assert reason == "'load' has no range, and under a mechanism none is taken from the data"


def figure(artifact):
    return {each.name: each for each in read_figures(artifact.path(FIGURES))}


@pytest.mark.slow
@pytest.mark.parametrize("name", EACH)
def test_a_trained_engine_makes_the_law_under_the_number_that_it_is_told(name, made, worlds):
    """x is normal around a line in the load: means and spreads of samples at three loads are those of the closed form."""
    fit = fit_of(name, ENGINES[name][3])
    engine = made(fit, "engine")
    for load in (9.4, 10.0, 10.6):
        drawn = made(sample_of(fit, n=400, load=load, side="right"), f"at{load}", engine=engine)
        x = read_dataset(drawn.path(DATA))["x"]
        assert x.mean() == pytest.approx(expected(load, 1), abs=0.2)
        assert x.std() == pytest.approx(NOISE, rel=0.5)
    if name == "unet":
        _guidance_sharpens(fit, engine, made)
    else:
        _bounds_are_of_the_conditional_law(fit, engine, made, worlds)


def _guidance_sharpens(fit, engine, made):
    """Guided samples lie on the far side of the conditional mean, seen from the mean of all records."""
    plain, guided = (
        read_dataset(made(sample_of(fit, w, n=400, load=10.6, side="right"), f"w{w}", engine=engine).path(DATA))[
            "x"
        ].mean()
        for w in (0.0, 1.0)
    )
    assert 0 < plain + 0.2 < guided


def _bounds_are_of_the_conditional_law(fit, engine, made, worlds):
    """No engine is better than the entropy of the noise, and one that is told comes near; scores are under own conditions."""
    op = Assess(fit=fit, metrics=("bpd", "elbo"), reference="test", scored=("train", "val"), seed=1)
    assessed = made(op, "assessed", engine=engine)
    noise = 0.5 * math.log2(2 * math.pi * math.e * NOISE**2)
    bits = figure(assessed)["bpd"]
    assert bits.upper > noise - 0.05
    assert bits.lower < noise + 0.2
    data = read_dataset(worlds[fit.schema.modality]["data"].path(DATA)).columns
    swapped = Dataset({**data, "load": 20.0 - data["load"]})
    folder = assessed.folder.parent / "swapped"
    folder.mkdir()
    write_dataset(folder, swapped)
    lied = made(op, "lied", engine=engine, data=Artifact(folder, (DATA,)))
    assert figure(lied)["bpd"].value > bits.value + 1.0
    told, untold = (read_scores(each.path(SCORES))["train"].values for each in (assessed, lied))
    assert told.mean() > untold.mean() + 1.0
