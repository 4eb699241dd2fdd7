"""PATE-GAN on a few records: what it leaves, what one record may change, kinds of content, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from synthspec.accounting import eps_total
from synthspec.backend.artifacts import DATA, FIT_REPORT, TRAINING_LOG, FitReport, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context, Identity
from synthspec.backend.releases import PRIVACY_RECORD, counted, read_record
from synthspec.ir.families import (
    Adversarial,
    Convergence,
    GanConv,
    GanEngine,
    GanMlp,
    Hinge,
    Monitor,
    Optimizer,
    Pate,
    Relativistic,
    Stability,
    Training,
    WganGp,
)
from synthspec.ir.privacy import planned_event
from synthspec.ir.schema import Field, Schema
from synthspec_torch.gan.engine import WEIGHTS
from synthspec_torch.gan.kernels import KERNELS
from synthspec_torch.gan.losses import critic_losses
from synthspec_torch.gan.networks import build_critic
from synthspec_torch.gan.pate import VoteCourse
from synthspec_torch.gan.probe import Records
from synthspec_torch.gan.teachers import Teachers, labelled_losses
from synthspec_torch.plugin import BACKEND

GAME = Adversarial(measure="gan", critic_steps=2)


def block(**changes):
    stated = {
        "mechanism": "pate", "unit": "record", "adjacency": "add_remove", "teachers": 4, "aggregation": "gnmax",
        "noise": {"multiplier": 9.0}, "queries": 14, "accountant": "pld", "delta": 1e-5, "eps_budget": 4.0, "ledger": "few",
    }  # fmt: skip
    return Pate.model_validate(stated | changes)


def engine(conv):
    shape = (
        GanConv(name="conv", channels=(8, 4), latent_dim=4) if conv else GanMlp(name="mlp", hidden=(8,), latent_dim=4)
    )
    return GanEngine(family="gan", architecture=shape)


@pytest.fixture
def fit(fit_op):
    training = Training(optimizer=Optimizer(name="adam", lr=1e-2), steps=4, batch_size=6, ema=0.9, seed=5)
    return replace(
        fit_op, engine=engine(conv=True), objective=GAME, drop_rate=0.0, privacy=block(), training=training
    )  # fmt: skip


@pytest.fixture
def made(tmp_path):
    """``made(op, inputs, name)`` trains with a secret and a meter of that name."""

    def call(op, inputs, name="fit", secret="secret"):
        assert BACKEND.supports(op) == ()
        out = tmp_path / name
        out.mkdir()
        quiet = type("Quiet", (), {"start": lambda *_: None, "advance": lambda *_: None})()
        KERNELS["fit"](op, inputs, Context(
            out=out, root=tmp_path, workers=1, progress=quiet, secret=tmp_path / secret, meter=tmp_path / f"{name}.meter",
            identity=Identity("a training", {}),
        ))  # fmt: skip
        return Artifact(out, tuple(sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())))

    return call


def test_what_was_planned_is_asked_counted_and_charged(fit, inputs, made, tmp_path):
    artifact = made(fit, inputs)
    record = read_record(artifact.path(PRIVACY_RECORD))
    assert (record.mechanism, record.releases, record.planned, record.teachers) == ("pate", 14, 14, 4)
    assert counted(tmp_path / "fit.meter") == 14
    assert record.event == planned_event(fit.privacy, 9.0)
    assert read_report(artifact.path(FIT_REPORT), FitReport).steps == 4
    assert eps_total(record.event, 1e-5, "analytic", "add_remove").eps < 4


@pytest.mark.parametrize(("steps", "queries"), [(4, 14), (5, 3), (7, 7), (1, 9)])
def test_queries_are_spread_over_the_steps_and_are_all_asked(fit, steps, queries):
    op = replace(fit, training=fit.training.model_copy(update={"steps": steps}), privacy=block(queries=queries))
    course = VoteCourse.of(op)
    due = [course.due(step) for step in range(1, steps + 1)]
    assert sum(due) == queries
    assert due[0] >= 1
    assert max(due) - min(due) <= 1


def test_the_secret_gives_the_same_bytes_and_another_one_gives_others(fit, inputs, made):
    one, again, other = made(fit, inputs), made(fit, inputs, "again"), made(fit, inputs, "other", secret="another")
    for file in (WEIGHTS, TRAINING_LOG, PRIVACY_RECORD):
        assert one.path(file).read_bytes() == again.path(file).read_bytes()
    assert one.path(WEIGHTS).read_bytes() != other.path(WEIGHTS).read_bytes()


def test_an_early_end_is_charged_for_what_was_asked(fit, inputs, made):
    monitor = Monitor(signal="step", trip="step >= 2", window=1, action="stop")
    artifact = made(replace(fit, stability=Stability(monitors=(monitor,))), inputs)
    record = read_record(artifact.path(PRIVACY_RECORD))
    assert (record.releases, record.planned) == (7, 14)
    assert read_report(artifact.path(FIT_REPORT), FitReport).status == "stopped"


def table(kind):
    fields = {
        "numbers": (Field(name="x", role="content", dtype="float32", range=(0.0, 4.0)),),
        "mixed": (
            Field(name="x", role="content", dtype="float32", range=(0.0, 4.0), nullable=True),
            Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c")),
        ),
    }[kind]
    return Schema(modality="tabular", fields=fields, pk=())


@pytest.mark.parametrize("kind", ["numbers", "mixed"])
@pytest.mark.parametrize("objective", [GAME, Hinge(measure="hinge")], ids=["gan", "hinge"])
def test_tables_are_made_with_fewer_records_than_teachers(fit, sample_op, made, run, tmp_path, kind, objective):
    rng = np.random.default_rng(0)
    columns = {"x": rng.uniform(0, 4, 9).astype(np.float32), "kind": rng.integers(0, 3, 9)}
    schema, folder = table(kind), tmp_path / "table"
    folder.mkdir()
    write_dataset(folder, Dataset({field.name: columns[field.name] for field in schema.fields}))
    write_rows(folder, Rows(train=np.arange(6), val=np.arange(6, 7), test=np.arange(7, 9)))
    held = {"data": Artifact(folder, (DATA,)), "split": Artifact(folder, ("split.safetensors",))}
    op = replace(fit, schema=schema, engine=engine(conv=False), conditions=(), objective=objective,
                 privacy=block(teachers=12, aggregation="laplace"))  # fmt: skip
    artifact = made(op, held)
    sample = replace(sample_op, fit=op, solver=None, w_cfg=0.0, variables=())
    drawn = read_dataset(run(KERNELS["sample"], sample, {"engine": artifact, **held}, "sample").path(DATA))
    assert len(drawn) == 10
    assert set(drawn.columns) == {field.name for field in schema.fields}


def parts_of(x, sizes):
    return [Records(part, torch.zeros(len(part), 0)) for part in torch.split(x, sizes)]


def taught(architecture, shape, x, sizes, k=3):
    """Teachers after a few updates beside a generator that makes noise."""
    torch.manual_seed(0)
    critics = [build_critic(architecture, shape, 0, spectral=False) for _ in range(k)]
    teachers = Teachers(critics, parts_of(x, sizes), GAME, Optimizer(name="adam", lr=1e-2))
    draws = torch.Generator().manual_seed(1)
    for _ in range(4):
        places = torch.rand((k, 5), generator=draws)
        teachers.learn(lambda z, c: z, places, torch.randn((k * 5, *shape), generator=draws), 1e-2)
    return teachers


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        (GanMlp(name="mlp", hidden=(8, 8), latent_dim=2, norm="layer"), (4,)),
        (GanConv(name="conv", channels=(4, 8), latent_dim=2, norm="group"), (1, 4, 4)),
    ],
)
def test_a_record_teaches_its_own_teacher_alone_to_the_last_bit(architecture, shape):
    x = torch.randn((12, *shape), generator=torch.Generator().manual_seed(2))
    changed = x.clone()
    changed[4] = float("nan")
    one = taught(architecture, shape, x, [4, 4, 4])
    removed, emptied = torch.cat([x[:4], x[5:]]), torch.cat([x[:4], x[8:]])
    for other, sizes in ((changed, [4, 4, 4]), (removed, [4, 3, 4]), (emptied, [4, 0, 4])):
        two = taught(architecture, shape, other, sizes)
        for name, weights in one.weights.items():
            assert torch.equal(weights[[0, 2]], two.weights[name][[0, 2]])
    probe = torch.randn((20, *shape), generator=torch.Generator().manual_seed(3))
    c = torch.zeros(20, 0)
    after = taught(architecture, shape, changed, [4, 4, 4])
    moved = one.votes(probe, c) - after.votes(probe, c)
    assert moved.abs().max() <= 1
    assert torch.equal(after.votes(probe, c).sum(1), torch.full((20,), 3))


def test_a_teacher_is_what_it_would_be_alone():
    architecture, shape = GanMlp(name="mlp", hidden=(8,), latent_dim=2), (3,)
    x = torch.randn((8, 3), generator=torch.Generator().manual_seed(2))
    torch.manual_seed(0)
    critics = [build_critic(architecture, shape, 0, spectral=False) for _ in range(2)]
    places, z = torch.tensor([[0.0, 0.9], [0.3, 0.6]]), torch.randn((4, 3), generator=torch.Generator().manual_seed(4))
    teachers = Teachers(critics, parts_of(x, [3, 5]), GAME, Optimizer(name="adam", lr=1e-2))
    teachers.learn(lambda z, c: z, places, z, 1e-2)
    alone = critics[1]
    optimizer = torch.optim.Adam(alone.parameters(), lr=1e-2)
    rows, c = 3 + (places[1] * 5).long(), torch.zeros(2, 0)
    critic_losses(GAME, alone(x[rows], c), alone(z[2:], c)).mean().backward()
    optimizer.step()
    for name, weight in alone.named_parameters():
        assert torch.allclose(teachers.weights[name][1], weight, atol=1e-6)


def test_labels_tell_a_critic_what_two_batches_would():
    scores = torch.randn(6, generator=torch.Generator().manual_seed(0))
    real = torch.tensor([True, False, True, True, False, False])
    for objective in (GAME, Hinge(measure="hinge")):
        by_label = labelled_losses(objective, scores, real).sum()
        assert by_label == pytest.approx(critic_losses(objective, scores[real], scores[~real]).sum().item(), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"teachers": "n/1000"}, "privacy.teachers"), ({"partition": "overlapping"}, "only disjoint"),
        ({"queries": None}, "privacy.queries"), ({"aggregation": None}, "aggregation"), ({"unit": "person"}, "unit person"),
        ({"noise": {"multiplier": "auto"}}, "multiplier in numbers"), ({"noise": None}, "multiplier in numbers"),
        ({"noise": {"multiplier": 3.0, "seed": 1}}, "secret seed"), ({"report": "data_dependent"}, "data_independent"),
        ({"adjacency": None}, "adjacency"),
    ],
)  # fmt: skip
def test_a_block_that_says_something_else_is_refused(fit, changes, reason):
    assert any(reason in said for said in BACKEND.supports(replace(fit, privacy=block(**changes))))


def test_a_training_that_would_look_at_records_is_refused(fit):
    def said(**changes):
        return " ".join(BACKEND.supports(replace(fit, **changes)))

    assert BACKEND.supports(fit) == ()
    assert "gan or hinge" in said(objective=WganGp(measure="wgan_gp", lambda_gp=1.0))
    assert "gan or hinge" in said(objective=Relativistic(measure="rpgan", r1=0.1, r2=0.1))
    assert "generator_terms" in said(objective=GAME.model_copy(update={"generator_terms": ("feature_matching",)}))
    assert "augmentations" in said(objective=GAME.model_copy(update={"augmentation": ("flip",)}))
    sampling = GAME.model_copy(update={"training_by_sampling": "log_frequency"})
    assert "none under a mechanism" in said(objective=sampling, schema=table("mixed"), conditions=())
    assert "training.epochs" in said(training=fit.training.model_copy(update={"epochs": 3, "steps": None}))
    assert "pac 1" in said(
        engine=GanEngine(family="gan", architecture=GanConv(name="conv", channels=(8,), latent_dim=2, pac=2))
    )
    for signal in ("KID_val", "loss", "grad_norm_released"):
        assert signal in said(stability=Stability(convergence=Convergence(signal=signal)))
    trip = Monitor(signal="votes_real", trip="votes_real > 0.9", window=3, action="rollback")
    assert "rollback" in said(stability=Stability(monitors=(trip,)))
    bare = Schema(modality="tabular", fields=(Field(name="x", role="content", dtype="float32"),), pk=())
    assert "no range" in said(schema=bare, engine=engine(conv=False), conditions=())
