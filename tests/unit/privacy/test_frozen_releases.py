"""What leaves a private fit is a function of its releases: with those held fixed, other records give the same bytes.

Every look at a record that is no release (a scale, a vocabulary, a first share, a step that is left out, a count of
records) shows as a byte that differs, whoever adds it and wherever it is.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import Dataset, Rows, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context
from synthspec.backend.releases import PRIVACY_RECORD, read_record
from synthspec.ir.families import (
    Adversarial,
    Autoregressive,
    DiffusionEngine,
    EdmSchedule,
    Elbo,
    FlowEngine,
    GanConv,
    GanEngine,
    GanMlp,
    Hinge,
    LinearSchedule,
    LSimple,
    MlpDenoiser,
    Nll,
    Optimizer,
    Pate,
    Relativistic,
    SplineCoupling,
    Stability,
    Training,
    TransformerDenoiser,
    UNet2d,
    VaeConv,
    VaeEngine,
    VaeMlp,
    Variable,
)
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SolverPlan
from synthspec_torch.plugin import BACKEND as TORCH
from synthspec_torch.privacy.mechanism import GaussianSum
from synthspec_torch.privacy.votes import NoisyVotes

SITE = Field(name="site", role="condition", dtype="categorical", enum=("north", "south"))
LOAD = Field(name="load", role="condition", dtype="float64", unit="dB", range=(-50.0, 50.0))
NUMBERS = (
    Field(name="a", role="content", dtype="float64", range=(-50.0, 50.0)),
    Field(name="b", role="content", dtype="float32", range=(0.0, 9.0)),
)
MIXED = (
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c"), nullable=True),
    Field(name="amount", role="content", dtype="int32", range=(0.0, 5000.0)),
    Field(name="level", role="content", dtype="float64", range=(-50.0, 50.0), nullable=True),
    Field(name="on", role="content", dtype="bool"),
)
PICTURE = (Field(name="x", role="content", dtype="uint8", shape=(1, 8, 8), range=(0.0, 255.0), resolution=1.0),)
SERIES = (Field(name="s", role="content", dtype="float64", shape=(2, 9), range=(-30.0, 30.0)),)


def schema(modality, fields, *more):
    return Schema(modality=modality, fields=(*fields, SITE, *more))


def values(field, rng, n, tame):
    """Records of one kind, or of another that is like it in nothing: constant where the first is spread, and long-tailed."""
    shape = (n, *field.shape)
    if field.dtype == "categorical":
        return (
            rng.integers(-1 if field.nullable else 0, len(field.enum), n) if tame else np.full(n, len(field.enum) - 1)
        )
    if field.dtype == "bool":
        return (rng.random(n) < (0.5 if tame else 0.02)).astype(np.uint8)
    low, high = field.range
    numbers = low + (high - low) * rng.beta(*((2, 2) if tame else (0.2, 9)), shape)
    if field.dtype in ("int32", "uint8"):
        return np.rint(numbers).astype(field.dtype)
    if field.nullable and tame:
        numbers[rng.random(shape) < 0.3] = np.nan
    return numbers.astype(field.dtype)


def world(folder, schema, tame):
    """So many records as there are, or fewer."""
    folder.mkdir()
    rng = np.random.default_rng(1 if tame else 2)
    n, train = (60, 44) if tame else (47, 29)
    data, split = folder / "data", folder / "split"
    data.mkdir()
    split.mkdir()
    write_dataset(data, Dataset({field.name: values(field, rng, n, tame) for field in schema.fields}))
    write_rows(split, Rows(train=np.arange(train), val=np.arange(train, train + 9), test=np.arange(train + 9, n)))
    return {"data": Artifact(data, (DATA,)), "split": Artifact(split, ("split.safetensors",))}


def vae(network):
    return VaeEngine(family="vae", architecture=network), Elbo(measure="elbo")


def gan(objective, network=None):
    given = network or GanMlp(name="mlp", hidden=(8,), latent_dim=3)
    return GanEngine(family="gan", architecture=given), objective


def flow(network):
    return FlowEngine(family="flow", architecture=network), Nll(measure="nll")


def denoiser(network, schedule, head):
    engine = DiffusionEngine(family="diffusion", backend="diffusers", architecture=network, noise_schedule=schedule)
    return engine, LSimple(measure="l_simple", head=head)


LINEAR = LinearSchedule(name="linear", train_steps=20)
TABLE, PLAIN = schema("tabular", MIXED), schema("tabular", NUMBERS)
GAME, HINGE = Adversarial(measure="gan", critic_steps=2), Hinge(measure="hinge", critic_steps=2)
CASES = {
    "vae-cells": (TABLE, *vae(VaeMlp(name="mlp", hidden=(8,), latent_dim=2, likelihood="mixed"))),
    "vae-picture": (schema("image", PICTURE), *vae(
        VaeConv(name="conv", channels=(4,), latent_dim=2, likelihood="discretized_logistic"))),
    "vae-cells-of-a-number": (schema("tabular", MIXED, LOAD), *vae(
        VaeMlp(name="mlp", hidden=(8,), latent_dim=2, likelihood="mixed"))),
    "vae-picture-of-a-number": (schema("image", PICTURE, LOAD), *vae(
        VaeConv(name="conv", channels=(4,), latent_dim=2, likelihood="discretized_logistic"))),
    "flow-cells": (TABLE, *flow(Autoregressive(name="autoregressive", transforms=1, hidden=(8,), bins=6))),
    "flow-numbers": (PLAIN, *flow(SplineCoupling(
        name="spline_coupling", transforms=2, hidden=(8,), bins=4, actnorm={"init": "identity"}))),
    "gan-pairs": (TABLE, *gan(Relativistic(measure="rpgan", r1=0.1, r2=0.1, critic_steps=2))),
    "gan-numbers": (PLAIN, *gan(HINGE)),
    "gan-picture": (schema("image", PICTURE), *gan(HINGE, GanConv(name="conv", channels=(8, 4), latent_dim=3))),
    "votes-cells": (TABLE, *gan(GAME)),
    "votes-picture": (schema("image", PICTURE), *gan(GAME, GanConv(name="conv", channels=(8, 4), latent_dim=3))),
}  # fmt: skip
if find_spec("diffusers"):
    CASES |= {
        "diffusion-cells": (TABLE, *denoiser(MlpDenoiser(name="mlp", hidden=(8,)), EdmSchedule(name="edm"), "x0")),
        "diffusion-picture": (schema("image", PICTURE), *denoiser(UNet2d(name="unet2d", channels=(8, 8)), LINEAR, "v")),
        "diffusion-picture-of-a-number": (schema("image", PICTURE, LOAD), *denoiser(
            UNet2d(name="unet2d", channels=(8, 8)), LINEAR, "v")),
        "diffusion-series": (schema("timeseries", SERIES), *denoiser(
            TransformerDenoiser(name="transformer", width=8, depth=1, heads=2), LINEAR, "eps")),
    }  # fmt: skip


def told(known):
    return tuple(field.name for field in known.with_role("condition"))


def votes():
    return Pate.model_validate({
        "mechanism": "pate", "unit": "record", "adjacency": "add_remove", "teachers": 3, "aggregation": "gnmax", "queries": 9,
        "noise": {"multiplier": 9.0}, "accountant": "pld", "delta": 1e-5, "eps_budget": 4.0, "ledger": "few",
    })  # fmt: skip


@pytest.fixture(params=sorted(CASES))
def fit(request, kit):
    known, engine, objective = CASES[request.param]
    voted = request.param.startswith("votes")
    adam = Optimizer(name="adam", lr=1e-2)
    training = Training(optimizer=adam, seed=2, **({"steps": 3, "batch_size": 6} if voted else {}))
    return Fit(
        schema=known, engine=engine, objective=objective, training=training, stability=Stability(),
        privacy=votes() if voted else kit.block(), conditions=told(known), drop_rate=0.0,
    )  # fmt: skip


def backend(fit):
    if fit.engine.family == "diffusion":
        from synthspec_diffusers.plugin import BACKEND

        return BACKEND
    return TORCH


@pytest.fixture
def frozen(monkeypatch):
    """Releases that depend on their number alone."""

    def drawn(number, width):
        return torch.randn(width, generator=torch.Generator().manual_seed(number))

    def release(self, total):
        self.releases += 1
        return 0.1 * drawn(self.releases, len(total))

    def winners(self, counts):
        self.releases += len(counts)
        return (drawn(self.releases, len(counts)) > 0).long()

    monkeypatch.setattr(GaussianSum, "release", release)
    monkeypatch.setattr(NoisyVotes, "winners", winners)


def bytes_of(folder, op, inputs, kernel):
    """The files that an op makes, by name."""
    folder.mkdir()
    quiet = type("Quiet", (), {"start": lambda *_: None, "advance": lambda *_, **__: None})()
    backend(op.fit if isinstance(op, Sample) else op).kernels()[kernel](
        op, inputs, Context(out=folder, root=folder, workers=1, progress=quiet)
    )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_other_records_behind_the_same_releases_give_the_same_bytes(fit, frozen, tmp_path):
    assert backend(fit).supports(fit) == ()
    solver = SolverPlan(name="euler" if isinstance(fit.engine, DiffusionEngine) and fit.engine.noise_schedule.name == "edm"
                        else "ddim", steps=3, NFE=3) if fit.engine.family == "diffusion" else None  # fmt: skip
    drawing = Sample(
        fit=fit, n=12, candidates=12, seed=7, rng="philox", block=16, solver=solver, w_cfg=0.0, condition=(),
        variables=tuple((name, Variable(interface="categorical" if name == "site" else "continuous", distribution="uniform"))
                        for name in fit.conditions),
    )  # fmt: skip
    left = []
    for tame in (True, False):
        folder = tmp_path / str(tame)
        inputs = world(folder, fit.schema, tame)
        fitted = bytes_of(folder / "fit", fit, inputs, "fit")
        record = read_record(folder / "fit" / PRIVACY_RECORD)
        assert record.releases == record.planned
        fitted[PRIVACY_RECORD] = repr(replace(record, commitment="")).encode()
        engine = {"engine": Artifact(folder / "fit", tuple(fitted))}
        drawn = bytes_of(folder / "sample", drawing, engine | inputs, "sample")
        left.append(fitted | {f"sample/{name}": data for name, data in drawn.items()})
    one, other = left
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
