"""What engines say of single records (C40-516): who knows the train rows by heart tells them, who saw none tells none."""

from dataclasses import replace

import numpy as np
import pytest

from synthspec.backend.artifacts import FIGURES, SCORES, read_figures
from synthspec.backend.dataset import Dataset, Rows, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context
from synthspec.backend.scores import CANDIDATES, candidates, read_scores
from synthspec.ir.families import (
    AffineCoupling,
    CosineSchedule,
    DiffusionEngine,
    EdmSchedule,
    ElboBeta,
    FlowEngine,
    LSimple,
    MlpDenoiser,
    Nll,
    NoMechanism,
    Optimizer,
    Stability,
    Training,
    VaeEngine,
    VaeMlp,
)
from synthspec.ir.ops import Assess, Fit
from synthspec.ir.schema import Field, Schema
from synthspec.metrics import ATTACKS, Request, Sample, measure
from synthspec.metrics import Field as Column
from synthspec.metrics.membership.scoring import score

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from synthspec_diffusers.kernels import KERNELS as DIFFUSION  # noqa: E402
from synthspec_diffusers.schedule import Process  # noqa: E402
from synthspec_diffusers.scoring import LEVELS, known  # noqa: E402
from synthspec_diffusers.training import Corruption, Records  # noqa: E402
from synthspec_torch.flow.kernels import KERNELS as FLOW  # noqa: E402
from synthspec_torch.vae.kernels import KERNELS as VAE  # noqa: E402

ROWS, COLUMNS, SEED = 200, 12, 3
NAMES = tuple(f"x{i}" for i in range(COLUMNS))
SCHEMA = Schema(
    modality="tabular",
    fields=(
        Field(name="rid", role="key", dtype="int64"),
        *(Field(name=name, role="content", dtype="float32", range=(-20.0, 20.0)) for name in NAMES),
    ),
    pk=("rid",),
)
VAE_ENGINE = VaeEngine(
    family="vae", architecture=VaeMlp(name="mlp", hidden=(64,), latent_dim=6, likelihood="mixed")
)  # fmt: skip
FLOW_ENGINE = FlowEngine(
    family="flow", architecture=AffineCoupling(name="affine_coupling", transforms=3, hidden=(64, 64))
)
DENOISER = DiffusionEngine(
    family="diffusion",
    backend="diffusers",
    architecture=MlpDenoiser(name="mlp", hidden=(128, 128)),
    noise_schedule=EdmSchedule(name="edm"),
)
FAMILIES = {
    "vae": (VAE, VAE_ENGINE, ElboBeta(measure="elbo_beta", beta=1.0), 120),
    "flow": (FLOW, FLOW_ENGINE, Nll(measure="nll"), 80),
    "diffusion": (DIFFUSION, DENOISER, LSimple(measure="l_simple", head="x0"), 150),
}


class Quiet:
    def start(self, label, total, unit):
        pass

    def advance(self, count=1, note=""):
        pass


def artifact(folder):
    return Artifact(folder, tuple(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())))


def world(folder, seed=0, rows=ROWS):
    """Three splits of one law; the middle one validates, and here it is the train rows: training stops at no overfit."""
    x = np.random.default_rng(seed).standard_normal((3 * rows, COLUMNS)).astype(np.float32)
    x[rows : 2 * rows] = x[:rows]
    for name in ("data", "split"):
        (folder / name).mkdir(parents=True)
    columns = {name: x[:, i].copy() for i, name in enumerate(NAMES)}
    write_dataset(folder / "data", Dataset({"rid": np.arange(3 * rows), **columns}))
    places = np.arange(3 * rows).reshape(3, rows)
    write_rows(folder / "split", Rows(train=places[0], val=places[1], test=places[2]))
    return {name: artifact(folder / name) for name in ("data", "split")}, x


def call(kernel, op, inputs, folder, name, workers=1):
    out = folder / name
    out.mkdir()
    kernel(op, inputs, Context(out=out, root=folder, workers=workers, progress=Quiet()))
    return artifact(out)


def fit_of(family, epochs, seed=5, lr=3e-3):
    _, engine, objective, _ = FAMILIES[family]
    return Fit(
        schema=SCHEMA,
        engine=engine,
        objective=objective,
        training=Training(optimizer=Optimizer(name="adamw", lr=lr), epochs=epochs, batch_size=50, ema=0.99, seed=seed),
        stability=Stability(),
        privacy=NoMechanism(mechanism="none"),
        conditions=(),
        drop_rate=0.0,
    )


def told(family, folder, fit, inputs, scored=("train", "test"), name=""):
    kernels = FAMILIES[family][0]
    engine = call(kernels["fit"], fit, inputs, folder, f"fit{name}")
    op = Assess(fit=fit, metrics=(), reference="test", scored=scored, seed=SEED)
    return engine, op, call(kernels["assess"], op, {"engine": engine, **inputs}, folder, f"assess{name}")


def risk(x, found, rows=ROWS):
    """MI of records that tell nothing, beside what the engine said."""
    r = np.random.default_rng(9)
    return measure(("MI",), Request(
        modality="tabular", fields=tuple(Column(name=name, low=-20.0, high=20.0) for name in NAMES), seed=SEED,
        train=Sample(content=x[:rows]), val=Sample(content=r.standard_normal((rows, COLUMNS))),
        test=Sample(content=x[2 * rows :]), synthetic=Sample(content=r.standard_normal((400, COLUMNS))),
        members="train", non_members="test", scores=found, knows="engine",
    ))[0]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_an_engine_that_knows_200_rows_by_heart_tells_them_though_its_records_tell_nothing(tmp_path, family):
    inputs, x = world(tmp_path)
    _, _, made = told(family, tmp_path, fit_of(family, FAMILIES[family][3]), inputs)
    figure = risk(x, read_scores(made.path(SCORES)))
    assert figure.detail("engine_loss.lower") > 0
    assert figure.detail("worst_attack") == "engine_loss"
    assert figure.lower == figure.detail("engine_loss.lower")
    assert max(figure.detail(f"{name}.lower") for name in ATTACKS if name != "engine_loss") <= 0


@pytest.mark.parametrize("family", FAMILIES)
def test_an_engine_that_saw_neither_tells_nothing(tmp_path, family):
    """Twenty times members and others that the engine never saw: they are exchangeable, so its bounds cover 0."""
    inputs, _ = world(tmp_path)
    fit = fit_of(family, 10)
    engine = call(FAMILIES[family][0]["fit"], fit, inputs, tmp_path, "fit")
    op = Assess(fit=fit, metrics=(), reference="test", scored=("train", "test"), seed=SEED)
    outside, areas = 0, []
    for seed in range(20):
        folder = tmp_path / f"{seed}"
        fresh, _ = world(folder, seed=100 + seed, rows=120)
        found = read_scores(
            call(FAMILIES[family][0]["assess"], op, {"engine": engine, **fresh}, folder, "a").path(SCORES)
        )
        values = np.concatenate([found["train"].values, found["test"].values])
        is_member, choosing = np.arange(240) < 120, np.arange(240) % 2 == 0
        result = score("engine_loss", values, is_member, choosing, 0.05 / len(ATTACKS))
        areas.append(result.auc)
        outside += result.lower > 0 or result.upper < 0
    # 40 bounds at one in 140 each; the area under the curve has the standard deviation of Mann and Whitney.
    assert outside <= 2
    assert abs(np.mean(areas) - 0.5) < 4 * np.sqrt(241 / (12 * 120 * 120)) / np.sqrt(20)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_belong_to_the_records_of_their_rows(tmp_path, family):
    """The same record has the same score wherever it stands, and another one another: nothing is a row off."""
    inputs, _ = world(tmp_path)
    engine, op, made = told(family, tmp_path, fit_of(family, 2), inputs, scored=("train", "val"))
    found = read_scores(made.path(SCORES))
    # Row i of val is row i of train; the two are looked at in different orders.
    by_row = {split: found[split].values[np.argsort(found[split].rows)] for split in ("train", "val")}
    assert not np.array_equal(found["train"].rows, found["val"].rows)
    np.testing.assert_allclose(by_row["train"], by_row["val"], rtol=1e-5, atol=1e-5)
    assert len(np.unique(np.round(by_row["train"], 4))) > 0.9 * ROWS
    again = call(FAMILIES[family][0]["assess"], op, {"engine": engine, **inputs}, tmp_path, "again", workers=3)
    assert again.path(SCORES).read_bytes() == made.path(SCORES).read_bytes()
    assert read_figures(made.path(FIGURES)) == ()


@pytest.mark.parametrize("family", FAMILIES)
def test_no_attack_means_no_scores(tmp_path, family):
    inputs, _ = world(tmp_path, rows=60)
    _, _, made = told(family, tmp_path, fit_of(family, 1), inputs, scored=())
    assert made.files == (FIGURES,)


def test_the_likelihood_of_a_flow_is_what_its_records_are_scored_by(tmp_path):
    inputs, _ = world(tmp_path, rows=60)
    fit = fit_of("flow", 2)
    engine = call(FLOW["fit"], fit, inputs, tmp_path, "fit")
    op = Assess(fit=fit, metrics=("nll",), reference="test", scored=("test",), seed=SEED)
    made = call(FLOW["assess"], op, {"engine": engine, **inputs}, tmp_path, "assess")
    scores = read_scores(made.path(SCORES))["test"]
    assert -scores.values.mean() == pytest.approx(read_figures(made.path(FIGURES))[0].value, rel=1e-9)


def test_the_elbo_of_a_vae_is_what_its_records_are_scored_by(tmp_path):
    inputs, _ = world(tmp_path, rows=60)
    fit = fit_of("vae", 2)
    engine = call(VAE["fit"], fit, inputs, tmp_path, "fit")
    op = Assess(fit=fit, metrics=("elbo",), reference="test", scored=("test",), seed=SEED)
    made = call(VAE["assess"], op, {"engine": engine, **inputs}, tmp_path, "assess")
    scores, (figure,) = read_scores(made.path(SCORES))["test"], read_figures(made.path(FIGURES))
    # Both are means of 20 draws of z, by other numbers.
    assert scores.values.mean() == pytest.approx(figure.value, abs=0.5)


@pytest.mark.parametrize("head", ["eps", "x0", "v"])
def test_a_denoiser_is_scored_by_how_far_it_moves_a_record(head):
    """The exact denoiser of the law N(0, 1) moves a x_0 by s^2 x_0: its score is -ln x_0^2 up to a constant."""
    process = Process(CosineSchedule(name="cosine", train_steps=100))
    x0 = torch.linspace(0.1, 3.0, 7).view(-1, 1)

    def exact(x, times, given):
        a, s = process._a[times][:, None], process._s[times][:, None]
        mean = a * x
        return {"x0": mean, "eps": (x - a * mean) / s, "v": a * (x - a * mean) / s - s * mean}[head]

    scores = known(exact, Corruption(process, head), Records(x0, None))
    wanted = -np.log(x0.numpy().astype(float)[:, 0] ** 2)
    np.testing.assert_allclose(scores - scores[0], wanted - wanted[0], atol=1e-3)
    assert len(LEVELS) == 3


def test_who_is_looked_at_follows_from_seed_split_and_size():
    rows = candidates(7, "train", 5000)
    assert len(rows) == CANDIDATES == len(np.unique(rows))
    assert not np.array_equal(rows, candidates(7, "val", 5000))
    assert not np.array_equal(rows, candidates(8, "train", 5000))
    assert sorted(candidates(7, "val", 50)) == list(range(50))


def test_only_those_are_scored(tmp_path):
    """Of a large split the engine is shown `CANDIDATES` records."""
    from synthspec.backend.scores import write_scores

    many = CANDIDATES + 500
    for name in ("data", "split"):
        (tmp_path / name).mkdir()
    write_dataset(tmp_path / "data", Dataset({"x": np.arange(float(many + 3))}))
    rows = Rows(train=np.arange(3, many + 3), val=np.arange(3), test=np.zeros(0, np.int64))
    write_rows(tmp_path / "split", rows)
    inputs = {name: artifact(tmp_path / name) for name in ("data", "split")}
    shown = []

    def first_column(data):
        shown.append(len(data))
        return data["x"].astype(np.float64)

    op = Assess(fit=fit_of("vae", 1), metrics=(), reference="test", scored=("train", "test"), seed=SEED)
    out = tmp_path / "out"
    out.mkdir()
    write_scores(op, inputs, Context(out=out, root=tmp_path, workers=1, progress=Quiet()), first_column, "x")
    found = read_scores(out / SCORES)
    assert shown == [CANDIDATES]
    assert np.array_equal(found["train"].values, found["train"].rows + 3.0)
    assert (len(found["test"].rows), found["train"].how) == (0, "x")
    assert replace(op, scored=()) != op
