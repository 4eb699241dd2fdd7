"""Eight Gaussians on a ring: every measure finds all of them, and a collapse is seen by a monitor (section IX)."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from synthspec.backend.artifacts import DATA, FIT_REPORT, SPLIT, TRAINING_LOG, FitReport, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact
from synthspec.ir.families import (
    Adversarial,
    Convergence,
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
        (WganGp(measure="wgan_gp", lambda_gp=0.1), 400),
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


def test_a_collapse_trips_a_monitor_and_the_smaller_rate_recovers(op, ring, run):
    """A rate far too high: the generator runs after the critic, all of its records on one spot (section IX)."""
    monitor = Monitor(signal="mode_drop_val", trip="mode_drop_val > 0.5", window=3, action="rollback")
    stability = Stability(
        monitors=(monitor,),
        convergence=Convergence(signal="step", max=240.0),
        rollback=Rollback(to="best", lr_factor=0.02, max_rollbacks=3),
    )
    wild = Optimizer(name="adam", lr=0.1, betas=(0.0, 0.9))
    op = replace(
        op, objective=Adversarial(measure="gan"), stability=stability,
        training=training(op, optimizer=wild, epochs=40),
    )  # fmt: skip
    made = run(KERNELS["fit"], op, ring, "fit")
    events = read_report(made.path(FIT_REPORT), FitReport).events
    assert (events[0].signal, events[0].action) == ("mode_drop_val", "rollback")
    assert events[-1].action == "converged"
    lines = [json.loads(line) for line in made.path(TRAINING_LOG).read_text().splitlines()]
    seen = [(line["step"], line["signals"]["mode_drop_val"]) for line in lines if "mode_drop_val" in line["signals"]]
    before = [value for step, value in seen if step <= events[0].step]
    assert min(before[-3:]) > 0.5
    assert max(value for _, value in seen[-3:]) < 0.3
