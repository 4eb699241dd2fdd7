"""A small world for backends: a few images with a class, and ops over them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from synthspec.backend.dataset import Dataset, Rows, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import (
    CosineSchedule,
    DiffusionEngine,
    LSimple,
    NoMechanism,
    Optimizer,
    Stability,
    Training,
    UNet2d,
    Variable,
)
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SolverPlan

SHAPE = (1, 4, 4)


@dataclass
class Heard:
    """A progress that remembers."""

    lines: list = field(default_factory=list)

    def start(self, label, total, unit):
        self.lines.append((label, total, unit))

    def advance(self, count=1, note=""):
        self.lines.append((count, note))


def artifact(folder: Path) -> Artifact:
    return Artifact(folder, tuple(sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())))


@pytest.fixture
def schema():
    pixels = Field(name="pixels", role="content", dtype="float32", shape=SHAPE, range=(0.0, 16.0), resolution=1.0)
    digit = Field(name="digit", role="condition", dtype="categorical", enum=("a", "b", "c"))
    return Schema(modality="image", fields=(Field(name="rid", role="key", dtype="int64"), pixels, digit), pk=("rid",))


@pytest.fixture
def fit_op(schema):
    return Fit(
        schema=schema,
        engine=DiffusionEngine(
            family="diffusion",
            backend="diffusers",
            architecture=UNet2d(name="unet2d", channels=(8, 16), layers_per_block=1, attention=(False, True)),
            noise_schedule=CosineSchedule(name="cosine", train_steps=100),
        ),
        objective=LSimple(measure="l_simple", head="v"),
        training=Training(optimizer=Optimizer(name="adamw", lr=1e-2), epochs=3, batch_size=8, ema=0.9, seed=5),
        stability=Stability(),
        privacy=NoMechanism(mechanism="none"),
        conditions=("digit",),
        drop_rate=0.2,
    )


@pytest.fixture
def sample_op(fit_op):
    return Sample(
        fit=fit_op,
        n=10,
        candidates=10,
        seed=7,
        rng="philox",
        block=4,
        solver=SolverPlan(name="dpmsolver++", steps=4, NFE=8),
        w_cfg=0.5,
        variables=(("digit", Variable(interface="categorical", distribution="empirical")),),
        condition=(),
    )


@pytest.fixture
def inputs(tmp_path):
    rng = np.random.default_rng(0)
    digit = rng.integers(0, 3, 30)
    pixels = np.clip(digit[:, None, None, None] * 5 + rng.integers(0, 5, (30, *SHAPE)), 0, 16).astype(np.float32)
    data, split = tmp_path / "data", tmp_path / "split"
    data.mkdir()
    split.mkdir()
    write_dataset(data, Dataset({"rid": np.arange(30), "pixels": pixels, "digit": digit}))
    write_rows(split, Rows(train=np.arange(20), val=np.arange(20, 25), test=np.arange(25, 30)))
    return {"data": artifact(data), "split": artifact(split)}


@pytest.fixture
def run(tmp_path):
    """``run(kernel, op, inputs, name, workers)`` gives the artifact that the kernel made."""

    def call(kernel, op, inputs, name, workers=1):
        out = tmp_path / name
        out.mkdir()
        kernel(op, inputs, Context(out=out, root=tmp_path, workers=workers, progress=Heard()))
        return artifact(out)

    return call
