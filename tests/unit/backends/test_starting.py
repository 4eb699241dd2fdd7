"""Where a training starts: at a rate of nothing it ends where it began, which is the weights of the file and no others."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from synthspec.backend.dataset import read_dataset, write_dataset
from synthspec.backend.null import BACKEND as NULL
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.reference import BACKEND as REFERENCE
from synthspec.backend.releases import PRIVACY_RECORD
from synthspec.ir.families import (
    Adversarial,
    DpSgd,
    Elbo,
    FlowEngine,
    GanConv,
    GanEngine,
    Nll,
    Optimizer,
    SplineCoupling,
    VaeEngine,
    VaeMlp,
)
from synthspec.spec.engine import ActNorm
from synthspec.spec.training import Pretrained
from synthspec_diffusers.kernels import KERNELS as DIFFUSION
from synthspec_torch.flow.kernels import KERNELS as FLOW
from synthspec_torch.gan.kernels import KERNELS as GAN
from synthspec_torch.vae.kernels import KERNELS as VAE

FAMILIES = ("vae", "gan", "flow", "diffusion")
FILES = {"vae": "vae", "gan": "generator", "flow": "flow", "diffusion": "denoiser"}
STILL = Optimizer(name="adam", lr=1e-30)
"""Adam moves a weight by the rate at most, and this one is below the last bit of any."""


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


def engine(family, op):
    """The kernel and the op of a small engine."""
    adam = op.training.model_copy(update={"optimizer": Optimizer(name="adam", lr=1e-3), "epochs": 1})
    op = replace(op, training=adam)
    match family:
        case "vae":
            mlp = VaeMlp(name="mlp", latent_dim=2, hidden=(8,), likelihood="discretized_logistic")
            op = replace(op, engine=VaeEngine(family="vae", architecture=mlp), objective=Elbo(measure="elbo"))
            return VAE["fit"], op
        case "gan":
            conv = GanConv(name="conv", channels=(4,), latent_dim=2)
            objective = Adversarial(measure="gan")
            return GAN["fit"], replace(
                op, engine=GanEngine(family="gan", architecture=conv), objective=objective, drop_rate=0.0
            )
        case "flow":
            spline = SplineCoupling(
                name="spline_coupling", transforms=2, hidden=(8,), bins=4, actnorm=ActNorm(init="data")
            )
            return FLOW["fit"], replace(
                op, engine=FlowEngine(family="flow", architecture=spline), objective=Nll(measure="nll"), drop_rate=0.0
            )
        case _:
            return DIFFUSION["fit"], op


def fit(kernel, op, inputs, root, name):
    out = root / name
    out.mkdir()
    kernel(op, inputs, Context(out=out, root=root, workers=1, progress=Silent()))
    return out


def started(op, path, **training):
    start = Pretrained(
        weights=path.name,
        run=path.parent.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        provenance="public",
    )
    return replace(op, training=op.training.model_copy(update={"init_from": start, "seed": 91, **training}))


def copied(file, root):
    """The file where a spec would name it."""
    (root / "start").mkdir()
    (root / "start" / "w.safetensors").write_bytes(file.read_bytes())
    return root / "start" / "w.safetensors"


def network(file):
    """The tensors of the network alone: what records are scaled by is each training's own."""
    beside = ("content.", "context.", "sigma_data")
    return {name: value for name, value in load_file(file).items() if not name.startswith(beside)}


@pytest.fixture
def parent(fit_op, inputs, tmp_path):
    """``parent(family)`` trains an engine; its kernel, its op and the file of its weights."""

    def made(family):
        kernel, op = engine(family, fit_op)
        out = fit(kernel, op, inputs, tmp_path, "parent")
        return kernel, op, out / "weights" / f"{FILES[family]}.safetensors"

    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_a_training_that_does_not_move_ends_with_the_weights_that_it_started_from(parent, inputs, tmp_path, family):
    kernel, op, file = parent(family)
    copy = copied(file, tmp_path)
    out = fit(kernel, started(op, copy, optimizer=STILL), inputs, tmp_path, "child")
    mine, theirs = network(out / "weights" / file.name), network(copy)
    assert set(mine) == set(theirs)
    for name, value in theirs.items():
        assert torch.allclose(mine[name], value, rtol=1e-6, atol=1e-7), name
    fresh = replace(op, training=op.training.model_copy(update={"optimizer": STILL, "seed": 91}))
    other = network(fit(kernel, fresh, inputs, tmp_path, "fresh") / "weights" / file.name)
    assert any(not torch.allclose(other[name], value, atol=1e-3) for name, value in theirs.items())


@pytest.mark.parametrize("family", ["flow", "diffusion"])
def test_scales_are_those_of_the_records_that_are_trained_on(parent, inputs, tmp_path, family):
    kernel, op, file = parent(family)
    data = read_dataset(inputs["data"].path("data.safetensors"))
    (tmp_path / "dim").mkdir()
    dimmed = {**data.columns, "pixels": np.rint(data["pixels"] / 2).astype(np.float32)}
    write_dataset(tmp_path / "dim", replace(data, columns=dimmed))
    dim = {**inputs, "data": Artifact(tmp_path / "dim", ("data.safetensors",))}
    copy = copied(file, tmp_path)
    out = fit(kernel, started(op, copy, optimizer=STILL), dim, tmp_path, "child")
    key = "sigma_data" if family == "diffusion" else "content.scale"
    here = load_file(out / "weights" / file.name)[key]
    fresh = replace(op, training=op.training.model_copy(update={"optimizer": STILL}))
    wanted = load_file(fit(kernel, fresh, dim, tmp_path, "fresh") / "weights" / file.name)[key]
    assert torch.equal(here, wanted)
    assert not torch.equal(here, load_file(file)[key])


def test_weights_in_half_the_bits_start_as_the_numbers_that_they_stand_for(parent, inputs, tmp_path):
    kernel, op, file = parent("diffusion")
    half = {
        name: value.bfloat16() if value.dtype == torch.float32 else value for name, value in load_file(file).items()
    }
    (tmp_path / "start").mkdir()
    save_file(half, tmp_path / "start" / "w.safetensors")
    still = started(op, tmp_path / "start" / "w.safetensors", optimizer=STILL)
    made = network(fit(kernel, still, inputs, tmp_path, "child") / "weights" / file.name)
    for name, value in made.items():
        assert torch.allclose(value, half[name].float(), rtol=1e-6, atol=1e-7), name


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_of_another_architecture_are_refused_by_name_and_shape(parent, inputs, tmp_path, family):
    kernel, op, file = parent(family)
    (tmp_path / "start").mkdir()
    copy = tmp_path / "start" / "w.safetensors"
    state = load_file(file)
    name = next(name for name, value in network(file).items() if value.dim() > 1)
    save_file({**state, name: state[name][:, :1].contiguous()}, copy)
    with pytest.raises(DataError) as caught:
        fit(kernel, started(op, copy), inputs, tmp_path, "child")
    assert caught.value.code == "weights.unfit"
    wide, narrow = tuple(state[name].shape), tuple(state[name][:, :1].shape)
    assert f"training cannot start from start/w.safetensors, which is not of this {family} (" in caught.value.message
    assert f"{name} is torch.float32 {narrow}, the network has torch.float32 {wide}" in caught.value.message
    assert not list((tmp_path / "child").rglob("*.safetensors"))


def test_another_content_is_not_opened(parent, inputs, tmp_path, monkeypatch):
    kernel, op, file = parent("vae")
    copy = copied(file, tmp_path)
    wanted = started(op, copy)
    copy.write_bytes(copy.read_bytes() + b"\0")
    monkeypatch.setattr("synthspec_torch.training.starting.parse_weights", lambda *a, **k: pytest.fail("it was opened"))
    with pytest.raises(DataError) as caught:
        fit(kernel, wanted, inputs, tmp_path, "child")
    assert caught.value.code == "data.digest"


def test_the_record_of_a_private_training_says_what_its_first_weights_were_trained_on(parent, inputs, tmp_path):
    kernel, op, file = parent("diffusion")
    copy = copied(file, tmp_path)
    op = started(op, copy, optimizer=STILL, epochs=None, batch_size=None)
    start = op.training.init_from.model_copy(update={"id": "digits-of-1998"})
    block = DpSgd.model_validate(
        {
            "mechanism": "dp-sgd", "unit": "record", "adjacency": "zero_out", "steps": 2,
            "dataset_size": {"public": True, "value": 20}, "sampling": {"scheme": "poisson", "rate": 0.2},
            "clip": {"norm": 1.0, "per": "record", "scope": "flat"}, "noise": {"multiplier": 1.0},
            "normalizer": {"public_constant": 4},
            "eps_budget": 100.0, "delta": 1e-3,
        }
    )  # fmt: skip
    op = replace(op, privacy=block, training=op.training.model_copy(update={"init_from": start}))
    out = fit(kernel, op, inputs, tmp_path, "private")
    made = network(out / "weights" / file.name)
    assert all(torch.allclose(made[name], value, rtol=1e-6, atol=1e-7) for name, value in network(copy).items())
    accesses = {each["what"]: each["charge"] for each in json.loads((out / PRIVACY_RECORD).read_text())["accesses"]}
    assert accesses["first weights"] == "none: start/w.safetensors, called public, was trained on digits-of-1998"


@pytest.mark.parametrize("backend", [NULL, REFERENCE], ids=lambda each: each.name)
def test_what_trains_no_weights_starts_from_none(fit_op, tmp_path, backend):
    (tmp_path / "w.safetensors").touch()
    reasons = {*backend.supports(started(fit_op, tmp_path / "w.safetensors"))} - {*backend.supports(fit_op)}
    assert len(reasons) == 1
    assert "from no weights" in reasons.pop()
