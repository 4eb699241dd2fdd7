"""Eight Gaussians on a ring: every measure finds all of them, and a collapse is seen by a monitor (section IX)."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from synthspec.backend.artifacts import DATA, FIT_REPORT, SPLIT, TRAINING_LOG, FitReport, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact
from synthspec.ir.families import (
    Adversarial,
    GanEngine,
    GanMlp,
    Hinge,
    Monitor,
    Optimizer,
    Relativistic,
    Rollback,
    Stability,
    WganGp,
)
from synthspec.ir.schema import Field, Schema
from synthspec_torch.gan.kernels import KERNELS
from synthspec_torch.gan.learner import GanLearner
from synthspec_torch.plugin import BACKEND

SIGMA, RADIUS = 0.2, 2.0
CENTRES = RADIUS * np.stack([f(2 * math.pi * np.arange(8) / 8) for f in (np.cos, np.sin)], axis=1)


@pytest.fixture
def ring(tmp_path):
    rng = np.random.default_rng(0)
    points = CENTRES[rng.integers(0, 8, 2400)] + SIGMA * rng.standard_normal((2400, 2))
    points = np.clip(points, -4, 4).astype(np.float32)
    data, split = tmp_path / "ring", tmp_path / "rows"
    data.mkdir()
    split.mkdir()
    write_dataset(data, Dataset({"rid": np.arange(2400), "x": points[:, 0], "y": points[:, 1]}))
    write_rows(split, Rows(train=np.arange(2000), val=np.arange(2000, 2200), test=np.arange(2200, 2400)))
    return {"data": Artifact(data, (DATA,)), "split": Artifact(split, (SPLIT,))}


@pytest.fixture
def op(fit_op):
    numbers = [
        Field(name=name, role="content", dtype="float32", unit="m", range=(-4.0, 4.0)) for name in ("x", "y")
    ]  # fmt: skip
    schema = Schema(
        modality="tabular", fields=(Field(name="rid", role="key", dtype="int64"), *numbers), pk=("rid",)
    )  # fmt: skip
    return replace(
        fit_op,
        schema=schema,
        engine=GanEngine(family="gan", architecture=GanMlp(name="mlp", hidden=(64, 64), latent_dim=2)),
        conditions=(),
        drop_rate=0.0,
    )


def training(op, **settings):
    chosen = {"optimizer": Optimizer(name="adam", lr=2e-3, betas=(0.0, 0.9)), "batch_size": 128, "ema": 0.99}
    return op.training.model_copy(update={"epochs": None} | chosen | settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "steps"),
    [
        (Adversarial(measure="gan"), 1200),
        (Hinge(measure="hinge"), 1200),
        (Relativistic(measure="rpgan", r1=0.1, r2=0.1), 1200),
        (WganGp(measure="wgan_gp", lambda_gp=0.1), 700),
    ],
    ids=lambda each: getattr(each, "measure", ""),
)
def test_every_measure_finds_all_eight_modes(op, sample_op, ring, run, objective, steps):
    op = replace(op, objective=objective, training=training(op, steps=steps))
    drawn = replace(sample_op, fit=op, n=2000, candidates=2000, block=500, solver=None, w_cfg=0.0, variables=())
    assert BACKEND.supports(drawn) == ()
    engine = run(KERNELS["fit"], op, ring, "fit")
    made = read_dataset(run(KERNELS["sample"], drawn, {"engine": engine, **ring}, "sample").path(DATA))
    distance = np.hypot(*(np.stack([made["x"], made["y"]], 1)[:, None] - CENTRES[None]).transpose(2, 0, 1))
    near = distance.min(1) < 4 * SIGMA
    shares = np.bincount(distance.argmin(1)[near], minlength=8) / len(near)
    assert (shares > 0.02).all()
    assert near.mean() > 0.85


class Sabotaged(GanLearner):
    """A game whose generator is set upon one spot before the last step of its third epoch: a collapse, and no chaos."""

    at = 48

    def prepare(self, batch, lr):
        last = [layer for layer in self.network.modules() if isinstance(layer, nn.Linear)][-1]
        if batch.step == self.at:
            with torch.no_grad():
                last.weight.zero_()
        Sabotaged.spreads[batch.step] = last.weight.norm().item()
        super().prepare(batch, lr)


def test_a_collapse_trips_a_monitor_and_the_way_back_is_before_it(op, ring, run, monkeypatch):
    monkeypatch.setattr("synthspec_torch.gan.kernels.GanLearner", Sabotaged)
    monkeypatch.setattr(Sabotaged, "spreads", {}, raising=False)
    monitor = Monitor(signal="mode_drop_val", trip="mode_drop_val > 0.75", action="rollback")
    stability = Stability(monitors=(monitor,), rollback=Rollback(to="last", lr_factor=0.5, max_rollbacks=1))
    op = replace(
        op, objective=Adversarial(measure="gan"), stability=stability, training=training(op, epochs=4, ema=None)
    )  # fmt: skip
    made = run(KERNELS["fit"], op, ring, "fit")
    events = read_report(made.path(FIT_REPORT), FitReport).events
    assert [(event.step, event.signal, event.action) for event in events] == [
        (48, "mode_drop_val", "rollback"),
        (64, "KID_val", "budget"),
    ]
    assert events[0].detail == "mode_drop_val > 0.75; back to step 16"
    lines = [json.loads(line) for line in made.path(TRAINING_LOG).read_text().splitlines()]
    dropped = [line["signals"]["mode_drop_val"] for line in lines if "mode_drop_val" in line["signals"]]
    assert dropped[2] > 0.75
    assert max(dropped[0], dropped[1], dropped[3]) < 0.75
    assert Sabotaged.spreads[48] == 0.0
    assert Sabotaged.spreads[49] == Sabotaged.spreads[17] > 0.0
