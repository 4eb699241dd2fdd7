"""Trained engines on the ring of eight Gaussians: on the modes, all of them, at the right width; and a head that stalls."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from synthspec.backend.artifacts import SAMPLE_REPORT, SampleReport, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact
from synthspec.ir.families import DiffusionEngine, EdmSchedule, FlowMatchingSchedule, LSimple, MlpDenoiser, Optimizer
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SolverPlan
from synthspec_diffusers.schedule import Process
from synthspec_diffusers.training import Corruption, DiffusionLearner, Records

WIDTH = 0.1
ANGLES = np.arange(8) * math.pi / 4
MODES = 2.0 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)


def ring(rows, seed=0):
    rng = np.random.default_rng(seed)
    return MODES[rng.integers(0, 8, rows)] + WIDTH * rng.standard_normal((rows, 2))


@pytest.fixture
def points(tmp_path):
    rows = 6000
    data, split = tmp_path / "points", tmp_path / "parts"
    for folder in (data, split):
        folder.mkdir()
    write_dataset(data, Dataset({"rid": np.arange(rows), "xy": ring(rows)}))
    write_rows(split, Rows(train=np.arange(5000), val=np.arange(5000, 5500), test=np.arange(5500, 6000)))
    return {"data": Artifact(data, ("data.safetensors",)), "split": Artifact(split, ("split.safetensors",))}


@pytest.fixture
def ring_op(fit_op):
    """A series of two numbers: standardised, and nothing else is done to it."""
    fields = (
        Field(name="rid", role="key", dtype="int64"),
        Field(name="xy", role="content", dtype="float64", shape=(2,), range=(-4.0, 4.0)),
    )
    optimizer = Optimizer(name="adamw", lr=2e-3)
    training = fit_op.training.model_copy(
        update={"epochs": None, "steps": 1500, "batch_size": 256, "ema": 0.99, "seed": 1, "optimizer": optimizer}
    )
    schema = Schema(modality="timeseries", fields=fields, pk=("rid",))
    return replace(fit_op, schema=schema, training=training, conditions=(), drop_rate=0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "head"), [(EdmSchedule(name="edm"), "x0"), (FlowMatchingSchedule(name="flow_matching"), "v")]
)
def test_a_trained_engine_finds_the_ring(run, ring_op, sample_op, points, schedule, head):
    from synthspec_diffusers.kernels import KERNELS

    architecture = MlpDenoiser(name="mlp", hidden=(96, 96, 96))
    engine = DiffusionEngine(family="diffusion", architecture=architecture, noise_schedule=schedule)
    fit = replace(ring_op, engine=engine, objective=LSimple(measure="l_simple", head=head))
    trained = run(KERNELS["fit"], fit, points, "engine")
    for plan in (
        SolverPlan(name="heun", steps=20, NFE=39),
        SolverPlan(name="heun_adaptive", steps=40, NFE=79, tolerance=0.05),
    ):
        op = replace(sample_op, fit=fit, n=2000, candidates=2000, block=500, solver=plan, w_cfg=0.0, variables=())
        made = run(KERNELS["sample"], op, points | {"engine": trained}, plan.name)
        off = np.linalg.norm(read_dataset(made.path("data.safetensors"))["xy"][:, None] - MODES, axis=2)
        assert (off.min(1) < 3 * WIDTH).mean() > 0.8
        assert np.bincount(off.argmin(1), minlength=8).min() > 0.6 * 2000 / 8
        report = read_report(made.path(SAMPLE_REPORT), SampleReport)
        assert report.net_evals_per_sample <= plan.NFE
        if plan.tolerance:
            assert 3 < dict(report.facts)["nfe_mean"] <= report.net_evals_per_sample


class Linear(torch.nn.Module):
    """The best that a network linear in x can do at one level: least squares, fitted here."""

    def __init__(self, gain):
        super().__init__()
        self.gain = gain

    def forward(self, x, times, given):
        return self.gain * x


def test_a_stalled_v_head_has_no_r2_whatever_its_loss():
    """On whitened data v and x are uncorrelated, so no linear network beats 0: the loss is Var(v), flat; R^2 says it."""
    from synthspec.ir.families import LinearSchedule

    x0 = torch.from_numpy(ring(4000)).float()
    x0 = x0 / x0.std()
    schedule = LinearSchedule(name="linear", train_steps=1000)
    for head, floor, ceiling in (("v", -0.05, 0.05), ("eps", 0.2, 1.0)):
        corruption = Corruption(Process(schedule), head)
        learner = DiffusionLearner(
            torch.nn.Identity(), corruption, Records(x0, None), Records(x0, None), drop_rate=0.0, null=None, seed=0
        )
        noised = learner.frozen
        middle = (learner.levels >= 1 / 3) & (learner.levels < 2 / 3)
        x, wanted = noised.x[middle], noised.target[middle]
        gain = float((x * wanted).sum() / (x * x).sum())
        assert floor <= learner.validate(Linear(gain))["head_r2"] <= ceiling
