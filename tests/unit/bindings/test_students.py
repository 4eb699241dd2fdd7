"""A student is asked for by the solver and the evaluations that it was made for, and for nothing else."""

import numpy as np
import pytest

from synthspec import bindings

SREF = {
    "metadata": {"name": "marks", "version": "1.0.0"},
    "modality": "tabular",
    "fields": [
        {"name": "rid", "role": "key", "dtype": "int64"},
        {"name": "x", "role": "content", "dtype": "float64", "unit": "m", "range": [0, 1]},
    ],
    "keys": {"pk": ["rid"]},
}
MORE = {"training": {"steps": 2, "batch_size": 32, "optimizer": {"name": "adam", "lr": 1e-3}, "seed": 4}}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    columns = {"rid": np.arange(120), "x": np.random.default_rng(5).random(120)}
    split = {"method": "hash", "key": "rid", "train": 0.5, "val": 0.25, "test": 0.25, "seed": 1}
    ds = bindings.dataset(columns, SREF, split=split, work=tmp_path_factory.mktemp("work"))
    schedule = {"name": "cosine", "train_steps": 16}
    return bindings.fit_engine_diffusion(ds, {"name": "mlp", "hidden": [8]}, schedule, "v", "none", **MORE)


@pytest.mark.parametrize(("method", "solver"), [("progressive", "ddim"), ("consistency", "consistency")])
def test_a_student_draws_as_it_was_made_to(teacher, method, solver):
    tiny = bindings.distill_diffusion(teacher, "ddim", solver, 2, NFE_src=4, method=method, steps=2)
    made = bindings.sample_diffusion(tiny, 10, solver, 2, 0.0, None, 5)
    assert made.evidence[0].net_evals_per_sample == 2
    assert len(made.columns()["x"]) == 10
    for asked in [("ddim", 4, 0.0), ("heun", 2, 0.0), (solver, 2, 1.0)]:
        with pytest.raises(bindings.BindingError, match=r"student") as caught:
            bindings.sample_diffusion(tiny, 10, *asked, None, 5)
        assert "distil" in caught.value.findings[0].help
