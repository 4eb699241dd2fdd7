"""Tables of mixed types under DP-SGD, in every family: begun from the SRef alone, trained by releases, drawn in their types."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context
from synthspec.backend.releases import PRIVACY_RECORD
from synthspec.ir.families import (
    AffineCoupling,
    Autoregressive,
    DiffusionEngine,
    EdmSchedule,
    FlowEngine,
    FlowMatchingSchedule,
    GanEngine,
    GanMlp,
    LSimple,
    MlpDenoiser,
    Nll,
    NoMechanism,
    Optimizer,
    Relativistic,
    Stability,
    Training,
    TransformerDenoiser,
    Variable,
    WganGp,
)
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SolverPlan
from synthspec_torch.data.given import given_of
from synthspec_torch.data.mixed import MixedCodec
from synthspec_torch.flow.tables import TableFlow
from synthspec_torch.gan.engine import TrainedGan
from synthspec_torch.plugin import BACKEND as TORCH

SPLIT = "split.safetensors"
N = 80
FIELDS = (
    Field(name="rid", role="key", dtype="int64"),
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c"), nullable=True),
    Field(name="amount", role="content", dtype="int32", range=(0.0, 5000.0)),
    Field(name="level", role="content", dtype="float64", range=(-3.0, 3.0), nullable=True),
    Field(name="on", role="content", dtype="bool"),
    Field(name="site", role="condition", dtype="categorical", enum=("north", "south")),
)
SCHEMA = Schema(modality="tabular", fields=FIELDS, pk=("rid",))
PAIRS = Relativistic(measure="rpgan", r1=0.1, r2=0.1, critic_steps=2)
WGAN = WganGp(measure="wgan_gp", lambda_gp=10.0, critic_steps=2)
CRITIC = GanEngine(family="gan", architecture=GanMlp(name="mlp", hidden=(8,), latent_dim=3))


def flow(architecture):
    return FlowEngine(family="flow", architecture=architecture), Nll(measure="nll")


def denoiser(architecture, schedule, head):
    engine = DiffusionEngine(
        family="diffusion", backend="diffusers", architecture=architecture, noise_schedule=schedule
    )
    return engine, LSimple(measure="l_simple", head=head)


ENGINES = {
    "flow-cells": flow(Autoregressive(name="autoregressive", transforms=1, hidden=(8,), bins=6)),
    "flow-scores": flow(AffineCoupling(name="affine_coupling", transforms=2, hidden=(8,))),
    "gan-penalty": (CRITIC, WGAN),
    "gan-pairs": (CRITIC, PAIRS),
}
if find_spec("diffusers"):
    ENGINES["diffusion-mlp"] = denoiser(MlpDenoiser(name="mlp", hidden=(8,)), EdmSchedule(name="edm"), "x0")
    ENGINES["diffusion-transformer"] = denoiser(
        TransformerDenoiser(name="transformer", width=8, depth=1, heads=2),
        FlowMatchingSchedule(name="flow_matching"),
        "v",
    )


@pytest.fixture(params=sorted(ENGINES))
def fit(request, kit):
    engine, objective = ENGINES[request.param]
    diffusion = engine.family == "diffusion"
    return Fit(
        schema=SCHEMA, engine=engine, objective=objective, training=Training(optimizer=Optimizer(name="adam", lr=1e-3), seed=2),
        stability=Stability(), privacy=kit.block(multiplicity=2 if diffusion else 1), conditions=("site",),
        drop_rate=0.1 if diffusion else 0.0,
    )  # fmt: skip


def sampled(fit):
    solver = SolverPlan(name="euler", steps=3, NFE=3) if fit.engine.family == "diffusion" else None
    given = (("site", Variable(interface="categorical", distribution="uniform")),)
    return Sample(
        fit=fit, n=40, candidates=40, seed=7, rng="philox", block=16, solver=solver, w_cfg=0.0, variables=given, condition=(),
    )  # fmt: skip


def backend(fit):
    if fit.engine.family == "diffusion":
        from synthspec_diffusers.plugin import BACKEND

        return BACKEND
    return TORCH


def world(folder):
    rng = np.random.default_rng(0)
    columns = {
        "rid": np.arange(N), "kind": rng.integers(-1, 3, N), "amount": (rng.exponential(60, N).astype(np.int32)),
        "level": np.where(rng.random(N) < 0.2, np.nan, rng.uniform(-3, 3, N)), "on": rng.integers(0, 2, N).astype(np.uint8),
        "site": rng.integers(0, 2, N),
    }  # fmt: skip
    data, split = folder / "data", folder / "split"
    data.mkdir()
    split.mkdir()
    write_dataset(data, Dataset(columns))
    write_rows(split, Rows(train=np.arange(60), val=np.arange(60, 70), test=np.arange(70, N)))
    return {"data": Artifact(data, (DATA,)), "split": Artifact(split, (SPLIT,))}


class Silent:
    def start(self, label, total, unit):
        pass

    def advance(self, count=1, note=""):
        pass


def made(folder, name, kernel, op, inputs):
    out = folder / name
    out.mkdir()
    kernel(op, inputs, Context(out=out, root=folder, workers=1, progress=Silent()))
    return Artifact(out, tuple(path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if path.is_file()))


def test_a_private_table_trains_by_counted_releases_and_is_drawn_back_in_its_types(fit, tmp_path):
    drawn, inputs, kernels = sampled(fit), world(tmp_path), backend(fit).kernels()
    assert backend(fit).supports(fit) == ()
    assert backend(fit).supports(drawn) == ()
    engine = made(tmp_path, "fit", kernels["fit"], fit, inputs)
    record = engine.path(PRIVACY_RECORD).read_text(encoding="utf-8")
    assert '"releases":6' in record.replace(" ", "")
    data = read_dataset(made(tmp_path, "sample", kernels["sample"], drawn, {"engine": engine, **inputs}).path(DATA))
    assert set(np.unique(data["kind"])) <= {-1, 0, 1, 2}
    assert set(np.unique(data["on"])) <= {0, 1}
    assert data["amount"].dtype == np.int32
    assert ((data["amount"] >= 0) & (data["amount"] <= 5000)).all()
    level = data["level"][~np.isnan(data["level"])]
    assert ((level >= -3) & (level <= 3)).all()


def test_nothing_that_a_training_starts_from_is_read_from_records(fit):
    """There are none to read: cells, scales, first shares and first weights come without a single column."""
    if fit.engine.family == "flow":
        begun = TableFlow.fresh(fit, {}, 1)
        columns = begun.codec.columns
    elif fit.engine.family == "gan":
        with torch.random.fork_rng(devices=[]):
            columns = TrainedGan.fresh(fit, {}).content.layout.codec.columns
    else:
        from synthspec_diffusers.content import fitted_content

        assert given_of(fit, Dataset({})) is not None
        columns = fitted_content(fit, Dataset({})).layout.codec.columns
    for column in columns:
        assert np.allclose(column.shares, 1 / column.levels)
    with pytest.raises((KeyError, ValueError)):
        TableFlow.fresh(replace(fit, privacy=NoMechanism(mechanism="none")), {}, 1)


@pytest.mark.parametrize("bins", [6, 64])
def test_a_count_over_decades_has_public_cells_that_grow_and_one_for_zero(bins):
    column = MixedCodec.declared(SCHEMA.with_role("content"), bins, grown=True).columns[1]
    widths = np.diff(column.edges)
    assert column.edges[[0, 1, -1]].tolist() == [0, 1, 5001]
    assert len(widths) <= bins
    assert (widths[1:] >= widths[:-1] - 1).all()
    codes, places = column.encode(np.array([0, 1, 7, 4999, 5000], np.int32))
    assert column.decode(codes, places).tolist() == [0, 1, 7, 4999, 5000]


@pytest.mark.parametrize("name", ["gan-cells-pairs", "gan-cells-penalty", "gan-cells-spectral", "gan-cells"])
def test_the_generator_learns_without_a_record(kit, records, name):
    learner = next(each for each in kit.ENGINES if each.name == name).of(records)
    learner.train = None
    before = [weight.clone() for weight in learner.generator.parameters()]
    assert "loss_generator" in learner.released(2, 1e-2)
    assert any(not torch.equal(a, b) for a, b in zip(before, learner.generator.parameters(), strict=True))


def test_the_offset_of_paired_scores_alone_answers_for_where_real_ones_lie(kit, records):
    learner = next(each for each in kit.ENGINES if each.name == "gan-cells-pairs").of(records)
    with torch.no_grad():
        learner.critic.score.bias.fill_(0.3)
    real = learner.critic(learner.placed(learner.train.x, lambda shape: np.full(shape, 0.5)), learner.train.c)
    weights = dict(learner.critic.named_parameters())
    told = torch.autograd.grad(learner._off_centre(real).sum(), list(weights.values()), allow_unused=True)
    found = {name for name, each in zip(weights, told, strict=True) if each is not None and each.any()}
    assert found == {"score.bias"}
    assert told[list(weights).index("score.bias")].item() == pytest.approx(real.clamp(-1, 1).sum().item(), rel=1e-5)


def test_what_is_drawn_of_a_value_depends_on_its_own_record_alone(kit, records):
    """Without the first of two records the other keeps its place in its cell."""
    from synthspec_torch.privacy.stream import Keystream, RecordDraws

    learner = next(each for each in kit.ENGINES if each.name == "gan-cells").of(records)
    both, one = torch.tensor([3, 9]), torch.tensor([9])
    stream = Keystream(bytes(32))
    x, alone = (learner.drawn(rows, RecordDraws(stream, 4, rows))[0] for rows in (both, one))
    assert torch.equal(x[1:], alone)
    again = learner.drawn(one, RecordDraws(stream, 5, one))[0]
    assert not torch.equal(alone, again)
