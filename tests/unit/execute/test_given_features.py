"""Features that the user's network made are what the figures rest on, and their name says so."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from synthspec import metrics
from synthspec.backend.artifacts import FEATURES
from synthspec.backend.dataset import Rows
from synthspec.backend.protocol import Artifact
from synthspec.execute.core.backend import CORE
from synthspec.execute.core.measure import _given
from synthspec.ir.families import Features
from synthspec.ir.ops import Measure
from synthspec.ir.schema import Field, Schema

SHA = "ab" * 32
SCHEMA = Schema(
    modality="image", fields=(Field(name="x", role="content", dtype="float32", shape=(1, 4, 4), range=(0.0, 1.0)),)
)


@pytest.fixture
def op() -> Measure:
    features = Features(name="inception", weights="w.safetensors", sha256=SHA)
    return Measure(
        schema=SCHEMA,
        metrics=("FID",),
        reference="test",
        features=features,
        membership_attack=None,
        conditions=(),
        w_cfg=None,
        seed=1,
    )


def test_each_split_gets_its_own_rows(op: Measure, tmp_path: Path) -> None:
    real, synthetic = np.arange(12, dtype=np.float32).reshape(6, 2), np.full((3, 2), -1, np.float32)
    save_file({"data": real, "samples": synthetic}, str(tmp_path / FEATURES))
    rows = Rows(train=np.array([5, 0]), val=np.array([1]), test=np.array([2, 3, 4]))

    given = _given(op, {"features": Artifact(tmp_path, (FEATURES,))}, rows)

    assert given is not None
    assert given.name == "inception@abababab"
    assert np.array_equal(given.parts["train"][:, 0], real[[5, 0]])
    assert np.array_equal(given.parts["test"][:, 0], real[[2, 3, 4]])
    assert np.array_equal(given.parts["synthetic"][:, 0], synthetic)
    assert CORE.supports(op) == ()


def test_the_figure_rests_on_the_given_features_alone() -> None:
    rng = np.random.default_rng(3)
    pixels = rng.random((80, 1, 4, 4))
    far = rng.normal(size=(80, 1, 2))
    near = far + np.array([3.0, 0.0])
    given = metrics.Given(name="inception@abababab", sha256=SHA, parts={"test": far, "train": far, "synthetic": near})
    sample = metrics.Sample(content=pixels)
    request = metrics.Request(
        modality="image",
        fields=(metrics.Field(name="x", low=0.0, high=1.0),),
        seed=1,
        train=sample,
        test=sample,
        synthetic=sample,
        extractor=given,
    )

    (fid,) = metrics.measure(["FID"], request)

    assert fid.value == pytest.approx(9.0), "the pixels are identical, the features are 3 apart"
    assert fid.label == "FD[inception@abababab]"
    assert fid.detail("control_gaussian") is None, "no features of other records can be had"
