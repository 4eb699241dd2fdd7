"""The kernels of a GAN on a few records: training and its signals, rollback, sampling, tables of mixed types, refusals."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from synthspec.backend.artifacts import (
    DATA,
    FIT_REPORT,
    SAMPLE_REPORT,
    SPLIT,
    TRAINING_LOG,
    FitReport,
    SampleReport,
    read_report,
)
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact
from synthspec.ir.families import (
    Adversarial,
    Convergence,
    GanConv,
    GanEngine,
    GanMlp,
    Hinge,
    LSimple,
    Monitor,
    Optimizer,
    Pate,
    Relativistic,
    Rollback,
    Stability,
    Variable,
    WganGp,
)
from synthspec.ir.ops import Accelerate, Assess, Latency
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sampling import Compile
from synthspec_torch.gan.content import fitted
from synthspec_torch.gan.engine import WEIGHTS
from synthspec_torch.gan.kernels import KERNELS
from synthspec_torch.gan.learner import BETAS, GanLearner, Rules, game_optimizer
from synthspec_torch.gan.networks import build_critic, build_generator
from synthspec_torch.gan.probe import Probe, Records
from synthspec_torch.plugin import BACKEND
from synthspec_torch.training.seeding import Batch, batches

WGAN = WganGp(measure="wgan_gp", lambda_gp=10.0, critic_steps=2)
PAIRED = Relativistic(measure="rpgan", r1=0.1, r2=0.1)


def conv(**changes):
    return GanEngine(
        family="gan", architecture=GanConv(name="conv", **({"channels": (8, 4), "latent_dim": 4} | changes))
    )  # fmt: skip


def mlp(**changes):
    return GanEngine(family="gan", architecture=GanMlp(name="mlp", **({"hidden": (16,), "latent_dim": 4} | changes)))


@pytest.fixture
def gan(fit_op):
    return replace(fit_op, engine=conv(), objective=WGAN, drop_rate=0.0)


@pytest.fixture
def drawn(sample_op, gan):
    return replace(sample_op, fit=gan, solver=None, w_cfg=0.0)


def observed(artifact, name):
    text = artifact.path(TRAINING_LOG).read_text(encoding="utf-8")
    return [line["signals"][name] for line in map(json.loads, text.splitlines()) if name in line["signals"]]


def trained(gan, drawn, inputs, run, name="fit"):
    drawn = replace(drawn, fit=gan)
    assert BACKEND.supports(drawn) == ()
    return {"engine": run(KERNELS["fit"], gan, inputs, name), **inputs}, drawn


@pytest.mark.parametrize(
    ("engine", "objective"),
    [
        (conv(), WGAN),
        (conv(spectral_norm=True, norm="layer"), Adversarial(measure="gan", augmentation=("translate", "flip"))),
        (mlp(pac=4), Hinge(measure="hinge", generator_terms=("feature_matching",))),
        (conv(pac=2), PAIRED),
    ],
)
def test_an_engine_trains_and_samples(gan, drawn, inputs, run, engine, objective):
    made, drawn = trained(replace(gan, engine=engine, objective=objective), drawn, inputs, run)
    samples = run(KERNELS["sample"], drawn, made, "sample", workers=1)
    pixels = read_dataset(samples.path(DATA))["pixels"]
    assert pixels.shape == (10, 1, 4, 4)
    assert np.array_equal(pixels, np.rint(pixels))
    assert len(np.unique(pixels)) > 2
    report = read_report(samples.path(SAMPLE_REPORT), SampleReport)
    assert (report.net_calls, report.net_evals_per_sample, report.steps) == (1, 1, 0)
    more = run(KERNELS["sample"], drawn, made, "more", workers=4)
    assert samples.path(DATA).read_bytes() == more.path(DATA).read_bytes()
    again, _ = trained(drawn.fit, drawn, inputs, run, "again")
    for file in (WEIGHTS, TRAINING_LOG):
        assert again["engine"].path(file).read_bytes() == made["engine"].path(file).read_bytes()


def test_a_condition_is_held_for_every_record(gan, drawn, inputs, run):
    made, drawn = trained(gan, drawn, inputs, run)
    drawn = replace(drawn, condition=(("digit", "b"),), n=9, candidates=9)
    data = read_dataset(run(KERNELS["sample"], drawn, made, "sample").path(DATA))
    assert data["digit"].tolist() == [1] * 9


def test_a_round_counts_as_one_step_and_an_epoch_as_one_pass(gan, drawn, inputs, run):
    """20 records in batches of 8 are 3 batches; 3 epochs are 9 updates of the critic, so 5 rounds of 2."""
    made, _ = trained(gan, drawn, inputs, run)
    report = read_report(made["engine"].path(FIT_REPORT), FitReport)
    assert report.steps == 5
    assert len(observed(made["engine"], "loss_critic")) == 5
    assert len(observed(made["engine"], "KID_val")) == 3
    taken = [batch.draws for batch in batches(20, 8, 5, 5, 2)]
    assert [len(draws) for draws in taken] == [2] * 5
    assert sorted(torch.cat([taken[0][0], taken[0][1], taken[1][0]]).tolist()) == list(range(20))
    assert [batch.ends_epoch for batch in batches(20, 8, 5, 5, 2)] == [False, True, True, False, True]


def test_every_signal_that_is_promised_is_logged(gan, drawn, inputs, run):
    from synthspec.ir.signals import signals_of
    from synthspec_torch.gan.support import EPOCH, STEP

    made, _ = trained(gan, drawn, inputs, run)
    lines = [json.loads(line)["signals"] for line in made["engine"].path(TRAINING_LOG).read_text().splitlines()]
    logged = set().union(*lines) | {"step", "epoch"}
    assert logged == STEP | EPOCH | {"gp_norm"}
    assert logged <= set(signals_of("gan"))
    report = read_report(made["engine"].path(FIT_REPORT), FitReport)
    assert dict(report.facts)["best_KID_val"] == min(observed(made["engine"], "KID_val"))


def game(objective, *, pac=1):
    torch.manual_seed(0)
    architecture = mlp(pac=pac).architecture
    numbers = [Field(name=name, role="content", dtype="float64", unit="m", range=(-9.0, 9.0)) for name in ("u", "v")]
    schema = Schema(modality="tabular", fields=tuple(numbers), pk=())
    columns = {name: np.random.default_rng(3).standard_normal(40) for name in ("u", "v")}
    content = fitted(schema, columns, 0)
    generator = build_generator(architecture, (2,), 0, content.head())
    critic = build_critic(architecture, (2,), 0, spectral=isinstance(objective, Hinge))
    records = Records(content.encode(columns), torch.zeros(40, 0))
    probe = Probe(content, records, records.take(torch.arange(30)), generator.numbers, pac, 1)
    rules = Rules(objective, generator.numbers, Optimizer(name="adam", lr=0.01), None)
    return GanLearner(generator, critic, rules, records, probe, 1)


def weights(module):
    return [weight.detach().clone() for weight in module.parameters()]


def moved(before, module):
    return any(not torch.equal(old, new) for old, new in zip(before, module.parameters(), strict=True))


ALL = [Adversarial(measure="gan"), Hinge(measure="hinge"), WGAN, PAIRED]


@pytest.mark.parametrize("objective", ALL, ids=lambda each: each.measure)
def test_each_player_moves_in_its_own_turn_only(objective):
    learner = game(objective)
    rows = torch.arange(16)
    generator, critic = weights(learner.network), weights(learner.critic)
    learner.prepare(Batch(1, 1, rows, False, (rows,)), 0.01)
    assert moved(critic, learner.critic)
    assert not moved(generator, learner.network)
    assert all(weight.grad is None for weight in learner.network.parameters())
    critic = weights(learner.critic)
    learner.loss(rows).backward()
    assert not moved(critic, learner.critic)
    assert all(weight.grad is None and weight.requires_grad for weight in learner.critic.parameters())
    assert all(weight.grad is not None for weight in learner.network.parameters())


def test_adam_has_no_momentum_where_the_spec_is_silent():
    stated = Optimizer(name="adam", lr=0.1, betas=(0.5, 0.9))
    assert game_optimizer(stated) == stated
    assert game_optimizer(Optimizer(name="adam", lr=0.1)).betas == BETAS == (0.0, 0.9)
    assert game_optimizer(Optimizer(name="sgd", lr=0.1)).betas is None


@pytest.mark.parametrize("objective", [WGAN, PAIRED], ids=lambda each: each.measure)
def test_the_penalty_reaches_the_critics_weights(objective):
    """Without the graph of the gradient the penalty would be a constant."""
    plain = {"lambda_gp": 1e-12} if objective is WGAN else {"r1": 0.0, "r2": 0.0}
    found = []
    for each in (objective, objective.model_copy(update=plain)):
        learner = game(each)
        learner.critic_records(torch.arange(16)).mean().backward()
        found.append([weight.grad.clone() for weight in learner.weights if weight.grad is not None])
    assert any(not torch.allclose(one, other, rtol=1e-3) for one, other in zip(*found, strict=True))


def test_what_the_critic_loses_is_said_record_by_record():
    """One number a record, whose gradients add up to that of the sum: what a mechanism clips."""
    learner = game(WGAN)
    assert learner.critic_records(torch.arange(12)).shape == (12,)
    packed = game(Adversarial(measure="gan"), pac=4)
    assert packed.critic_records(torch.arange(10)).shape == (3,)


def test_a_critic_that_is_not_finite_is_not_updated_and_the_loop_hears_of_it():
    learner = game(WGAN)
    learner.train.x[3] = float("inf")
    before, rows = weights(learner.critic), torch.arange(8)
    learner.prepare(Batch(1, 1, rows, False, (rows,)), 0.01)
    assert not moved(before, learner.critic)
    assert not np.isfinite(learner.observed()["loss_critic"])


def test_a_rollback_restores_the_critic_its_optimiser_and_the_probe(gan, drawn, inputs, run):
    """The rollback of the second validation goes back before it: the third is as the second would have been."""
    always = Monitor(signal="KID_val", trip="step > 3", window=1, action="rollback")
    stability = Stability(monitors=(always,), rollback=Rollback(to="last", lr_factor=1.0, max_rollbacks=9))
    objective = WGAN.model_copy(update={"critic_steps": 1})
    made, _ = trained(replace(gan, objective=objective, stability=stability), drawn, inputs, run)
    report = read_report(made["engine"].path(FIT_REPORT), FitReport)
    assert [event.action for event in report.events] == ["rollback", "rollback", "budget"]
    learner = game(WGAN)
    kept = {name: part.state_dict() for name, part in learner.beside.items()}
    assert set(kept) == {"critic", "critic_optimizer", "probe"}
    learner.probe.signals(learner.network, learner.critic)
    assert learner.probe.state_dict() != kept["probe"]
    learner.probe.load_state_dict(kept["probe"])
    assert learner.probe.signals(learner.network, learner.critic)["critic_drift"] == 0.0


def test_critic_drift_counts_standard_errors_on_frozen_records():
    learner = game(WGAN)
    first = learner.probe.signals(learner.network, learner.critic)
    assert first["critic_drift"] == 0.0
    with torch.inference_mode():
        real = learner.critic(learner.probe.held.x, learner.probe.held.c)
    with torch.no_grad():
        learner.critic.score.bias += 0.5
    again = learner.probe.signals(learner.network, learner.critic)
    assert again["critic_drift"] == pytest.approx(0.5 / (real.std().item() / 30**0.5), rel=1e-4)
    assert again["real_fake_gap"] == pytest.approx(first["real_fake_gap"], abs=1e-5)
    assert again["critic_accuracy"] == first["critic_accuracy"]


def test_kid_is_near_nothing_for_the_records_themselves_and_large_for_one_spot():
    learner = game(WGAN)
    real = learner.train.x[torch.arange(64) % 30]

    network = learner.network
    network.forward = lambda z, c: real
    close = learner.probe.signals(network, learner.critic)
    network.forward = lambda z, c: torch.full_like(real, 3.0)
    far = learner.probe.signals(network, learner.critic)
    assert close["KID_val"] < 0.05 < 10 < far["KID_val"]
    assert close["mode_drop_val"] == 0.0
    assert far["mode_drop_val"] >= 0.8


def test_convergence_is_never_judged_on_the_adversarial_loss(gan, drawn, inputs, run):
    patient = Stability(convergence=Convergence(signal="KID_val", patience=1, min_delta=1e9))
    made, _ = trained(replace(gan, stability=patient), drawn, inputs, run)
    report = read_report(made["engine"].path(FIT_REPORT), FitReport)
    assert report.status == "converged"
    assert report.steps < 5


@pytest.fixture
def mixed(tmp_path, gan, sample_op):
    rng = np.random.default_rng(0)
    n = 300
    fields = (
        Field(name="rid", role="key", dtype="int64"),
        Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c"), nullable=True),
        Field(name="size", role="content", dtype="float32", unit="m", range=(0.0, 9.0)),
        Field(name="count", role="content", dtype="int32", range=(0.0, 99.0), nullable=False),
        Field(name="open", role="content", dtype="bool"),
        Field(name="when", role="content", dtype="timestamp"),
        Field(name="level", role="condition", dtype="float64", unit="m", range=(-3.0, 3.0)),
    )
    columns = {
        "rid": np.arange(n),
        "kind": rng.choice([-1, 0, 1, 2], n, p=[0.1, 0.5, 0.3, 0.1]),
        "size": rng.uniform(0, 9, n).astype(np.float32),
        "count": rng.poisson(20, n).astype(np.int32),
        "open": rng.integers(0, 2, n).astype(np.uint8),
        "when": (rng.integers(0, 86_400, n) * 10**9 + 10**18).astype(np.int64),
        "level": np.clip(rng.standard_normal(n), -3, 3),
    }
    data, split = tmp_path / "mixed", tmp_path / "rows"
    data.mkdir()
    split.mkdir()
    write_dataset(data, Dataset(columns))
    write_rows(split, Rows(train=np.arange(200), val=np.arange(200, 260), test=np.arange(260, 300)))
    op = replace(
        gan, schema=Schema(modality="tabular", fields=fields, pk=("rid",)), engine=mlp(pac=2), conditions=("level",),
    )  # fmt: skip
    given = (("level", Variable(interface="continuous", distribution="empirical")),)
    drawn = replace(sample_op, fit=op, variables=given, solver=None, w_cfg=0.0, n=200, candidates=200, block=64)
    return op, drawn, {"data": Artifact(data, (DATA,)), "split": Artifact(split, (SPLIT,))}


def test_a_table_of_mixed_types_comes_back_in_its_own_types(mixed, run):
    op, drawn, inputs = mixed
    made, drawn = trained(op, drawn, inputs, run)
    columns = read_dataset(run(KERNELS["sample"], drawn, made, "sample", workers=2).path(DATA))
    assert set(np.unique(columns["kind"])) <= {-1, 0, 1, 2}
    assert len(np.unique(columns["kind"])) >= 3
    assert set(np.unique(columns["open"])) == {0, 1}
    assert columns["when"].dtype == np.int64
    assert (columns["when"] % 10**9 == 0).all()
    assert ((columns["count"] >= 0) & (columns["count"] <= 99)).all()
    held = replace(drawn, condition=(("level", 1.5),), n=7, candidates=7)
    level = read_dataset(run(KERNELS["sample"], held, made, "held").path(DATA))["level"]
    assert level.tolist() == [1.5] * 7
    assert "weights/columns.safetensors" in made["engine"].files


def test_rows_of_a_series_are_learned_as_those_of_a_table(mixed, run):
    op, sample, inputs = mixed
    series = replace(op, schema=replace(op.schema, modality="timeseries"))
    made = []
    for fit, name in ((op, "table"), (series, "series")):
        engine = run(KERNELS["fit"], fit, inputs, f"fit-{name}")
        drawn = replace(sample, fit=fit)
        assert BACKEND.supports(drawn) == ()
        samples = run(KERNELS["sample"], drawn, {"engine": engine, **inputs}, f"sample-{name}")
        made.append((engine.path(WEIGHTS).read_bytes(), samples.path(DATA).read_bytes()))
    assert made[0] == made[1]


def test_the_weights_that_are_kept_are_the_averaged_ones(gan, drawn, inputs, run):
    one, _ = trained(gan, drawn, inputs, run, "averaged")
    raw = replace(gan, training=gan.training.model_copy(update={"ema": None}))
    other, _ = trained(raw, drawn, inputs, run, "raw")
    files = [load_file(str(made["engine"].path(WEIGHTS))) for made in (one, other)]
    assert any(not np.array_equal(files[0][name], files[1][name]) for name in files[1])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"engine": conv(norm="batch")}, "mixes the records"),
        ({"engine": conv(spectral_norm=True)}, "same slope twice"),
        ({"engine": conv(pac=3)}, "whole number of packs"),
        ({"engine": mlp(norm="instance")}, "nothing to normalise"),
        ({"objective": LSimple(measure="l_simple")}, "measure l_simple"),
        ({"objective": WGAN.model_copy(update={"generator_terms": ("identifiability",)})}, "identifiability"),
        ({"objective": WGAN.model_copy(update={"penalty_per": "batch"})}, "penalty_per record"),
        ({"privacy": Pate(mechanism="pate")}, "pate"),
        ({"drop_rate": 0.1}, "drop_rate"),
        (
            {"objective": Hinge(measure="hinge"), "stability": Stability(convergence=Convergence(signal="gp_norm"))},
            "gp",
        ),
        ({"stability": Stability(convergence=Convergence(signal="elbo_val"))}, "elbo_val"),
    ],
)
def test_what_it_does_not_do_is_refused_with_a_reason(gan, change, reason):
    assert BACKEND.supports(gan) == ()
    assert any(reason in text for text in BACKEND.supports(replace(gan, **change)))


def test_other_modalities_guidance_and_further_ops_are_refused(gan, drawn, mixed):
    for modality in ("audio", "text", "graph", "video"):
        schema = replace(gan.schema, modality=modality)
        assert any(modality in text for text in BACKEND.supports(replace(gan, schema=schema)))
    op = mixed[0]
    assert any("conv is for images" in text for text in BACKEND.supports(replace(op, engine=conv())))
    shown = replace(op, objective=WGAN.model_copy(update={"augmentation": ("flip",)}))
    assert any("of images" in text for text in BACKEND.supports(shown))
    assert any("w_cfg" in text for text in BACKEND.supports(replace(drawn, w_cfg=1.0)))
    assert BACKEND.supports(Latency(sample=drawn, requests=3, warmup=1)) == ()
    assert BACKEND.supports(Accelerate(fit=gan, how=Compile(kind="compile")))
    assert BACKEND.supports(Assess(fit=gan, metrics=("nll",), reference="test", seed=1))
