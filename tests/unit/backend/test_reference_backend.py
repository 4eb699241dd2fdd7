"""The reference backend draws from the law that the closed form says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import Dataset, read_dataset
from synthspec.backend.gaussian import ddim_gaussian_closed_form, ddpm_gaussian_closed_form, fit_classes
from synthspec.backend.protocol import DataError
from synthspec.backend.reference import BACKEND
from synthspec.backend.reference_kernels import ExactNetwork, fit_scale
from synthspec.backend.schedules import sampling_grid
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SolverPlan
from synthspec.spec.privacy import DpSgd
from synthspec.testing import catalogue
from synthspec.testing.conformance import Case, Trial

TARGET = "synthspec.backend.reference:BACKEND"
X = Field(name="x", role="content", dtype="float64", range=(-100.0, 100.0))
Y = Field(name="y", role="content", dtype="float64", range=(-50.0, 50.0))
KIND = Field(name="kind", role="condition", dtype="categorical", enum=("a", "b", "c"))


def sample_of(fields, conditions=(), **options):
    fit = catalogue.fit("diffusion", "tabular")
    fit = replace(fit, schema=Schema(modality="tabular", fields=fields), conditions=conditions)
    return catalogue.sample(fit, **options)


class Own(Trial):
    """A trial on data of our own."""

    def __init__(self, sample, folder, columns):
        super().__init__(Case(target=TARGET, sample=sample, records=len(next(iter(columns.values())))), folder)
        self.dataset = Dataset(columns)


@pytest.mark.parametrize(
    ("solver", "closed_form"), [("ddim", ddim_gaussian_closed_form), ("ddpm", ddpm_gaussian_closed_form)]
)
def test_samples_have_the_law_of_the_closed_form(solver, closed_form, tmp_path):
    """Mean and covariance of 20,000 records within five standard errors of what the solver makes of the fit."""
    rng, n = np.random.default_rng(3), 20000
    data = rng.standard_normal((400, 2)) @ np.array([[12.0, 3.0], [0.0, 4.0]]) + np.array([5.0, -8.0])
    tried = Own(
        sample_of((X, Y), n=n, block=1000, solver=solver, steps=8), tmp_path, dict(zip("xy", data.T, strict=True))
    )
    drawn = read_dataset(tried.samples.path(DATA))
    made = np.stack([drawn["x"], drawn["y"]], axis=1) / [100, 50]
    train = data[tried.rows.train] / [100, 50]
    mean, cov = train.mean(axis=0), np.cov(train.T, bias=True)
    variance, basis = np.linalg.eigh(cov)
    grid = sampling_grid(tried.op.fit.engine.noise_schedule, 8)
    law_mean, law_std = closed_form(grid, basis.T @ mean, np.sqrt(variance))
    expected = basis @ np.diag(law_std**2) @ basis.T
    assert made.mean(axis=0) == pytest.approx(basis @ law_mean, abs=5 * law_std.max() / np.sqrt(n))
    assert np.cov(made.T) == pytest.approx(expected, abs=5 * np.sqrt(2 / n) * expected.max())


def test_each_class_has_a_law_of_its_own(tmp_path):
    kinds = np.arange(300) % 3
    centre = np.array([-60.0, 0.0, 60.0])[kinds]
    columns = {"x": centre + np.random.default_rng(4).standard_normal(300), "kind": kinds}
    tried = Own(sample_of((X, KIND), ("kind",), n=300, block=100, steps=20), tmp_path, columns)
    drawn = read_dataset(tried.samples.path(DATA))
    for kind, mean in enumerate((-60, 0, 60)):
        assert drawn["x"][drawn["kind"] == kind].mean() == pytest.approx(mean, abs=1.5)


def test_guidance_is_on_the_scale_of_s405_6():
    """eps_c + w (eps_c - eps_0): w = 0 is the class, w = -1 would be all rows together, and it costs one more call."""
    rng = np.random.default_rng(5)
    x, classes = rng.standard_normal((40, 2)) + np.arange(40)[:, None] % 2, np.arange(40) % 2
    model, asked, label = fit_classes(x, classes, 2), rng.standard_normal((6, 2)), np.ones(6, dtype=np.int64)
    eps_c, eps_0 = model.eps(asked, 0.4, label), model.eps(asked, 0.4, np.full(6, model.pooled))
    for w_cfg, expected, calls in ((0.0, eps_c, 1), (-1.0, eps_0, 2), (1.5, 2.5 * eps_c - 1.5 * eps_0, 2)):
        network = ExactNetwork(model, label, w_cfg)
        assert network(asked, 0.4) == pytest.approx(expected, abs=1e-12)
        assert (network.calls, network.cfg_calls) == (calls, calls - 1)


def test_a_class_without_rows_is_refused_by_name(tmp_path):
    sample = sample_of((X, KIND), ("kind",), n=64)
    tried = Own(sample, tmp_path, {"x": np.linspace(-9, 9, 50), "kind": np.arange(50) % 2})
    assert tried.records() is not None
    with pytest.raises(DataError) as fault:
        tried.records(condition=(("kind", "c"),))
    assert fault.value.code == "data.class-empty"
    assert "kind = c" in fault.value.message


def test_values_that_leave_their_range_are_brought_back_and_counted(tmp_path):
    narrow = replace(X, range=(-1.0, 1.0))
    columns = {"x": np.where(np.arange(100) % 2, 1.0, -1.0)}
    tried = Own(sample_of((narrow,), n=200, steps=20), tmp_path, columns)
    drawn = read_dataset(tried.samples.path(DATA))["x"]
    assert np.abs(drawn).max() == 1.0
    assert dict(tried.sample_report.facts)["clipped_values"] > 40


def test_a_field_without_a_range_is_scaled_by_what_the_training_rows_span():
    fit = sample_of((replace(X, range=None), replace(Y, range=None))).fit
    scale = fit_scale(fit, Dataset({"x": np.array([2.0, 6.0, 4.0]), "y": np.array([7.0, 7.0, 7.0])}))
    forward = scale.forward(Dataset({"x": np.array([2.0, 6.0]), "y": np.array([7.0, 7.0])}))
    assert forward.tolist() == [[-1.0, 0.0], [1.0, 0.0]]
    columns, clipped = scale.backward(forward)
    assert (columns["x"].tolist(), columns["y"].tolist(), clipped) == ([2.0, 6.0], [7.0, 7.0], 0)


REFUSED = [
    (catalogue.sample(catalogue.fit("vae", "tabular")), "vae"),
    (catalogue.sample(catalogue.fit("diffusion", "audio")), "audio"),
    (sample_of((replace(X, dtype="bool", range=None),)), "'x'"),
    (sample_of((replace(X, nullable=True),)), "missing"),
    (sample_of((KIND,), ("kind",)), "no content"),
    (sample_of((X, replace(KIND, dtype="float32", enum=(), range=(0.0, 1.0))), ("kind",)), "'kind'"),
    (sample_of((X,), w_cfg=0.5), "no condition to guide"),
    (sample_of((X,), solver="unipc"), "unipc"),
    (sample_of((X,), steps=51), "more than the noise schedule"),
    (replace(sample_of((X,)), solver=SolverPlan(name="ddim", steps=5, NFE=6)), "do not cost 6"),
    (replace(sample_of((X,)), solver=None), "no solver"),
    (sample_of((replace(X, shape=(3000,)), KIND), ("kind",)), "covariances"),
]


@pytest.mark.parametrize(("op", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_it_refuses_it_says(op, says):
    assert any(says in reason for reason in BACKEND.supports(op))


def test_exact_moments_are_not_private():
    fit = replace(sample_of((X,)).fit, privacy=DpSgd(mechanism="dp-sgd"))
    assert any("dp-sgd" in reason for reason in BACKEND.supports(fit))
    assert BACKEND.supports(sample_of((X,)).fit) == ()
