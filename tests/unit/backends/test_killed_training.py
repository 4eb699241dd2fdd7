"""A killed training goes on from its checkpoint, and ends with the bytes of one that nothing disturbed (security.md 6.3)."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from synthspec.backend.artifacts import DATA, FIT_REPORT, SPLIT
from synthspec.backend.dataset import Dataset, Rows, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import (
    Adversarial,
    Autoregressive,
    Elbo,
    FlowEngine,
    GanConv,
    GanEngine,
    GanMlp,
    Monitor,
    Nll,
    Optimizer,
    Rollback,
    SplineCoupling,
    Stability,
    VaeEngine,
    VaeMlp,
)
from synthspec.ir.schema import Field, Schema
from synthspec_diffusers.kernels import KERNELS as DIFFUSION
from synthspec_torch.flow.kernels import KERNELS as FLOW
from synthspec_torch.gan.kernels import KERNELS as GAN
from synthspec_torch.plugin import BACKEND
from synthspec_torch.training import durable
from synthspec_torch.training.durable import Shelf
from synthspec_torch.vae.kernels import KERNELS as VAE


class Killed(BaseException):
    """As sudden as a signal."""


class Until:
    """A progress that kills the training after so many steps."""

    def __init__(self, steps=10**9):
        self.left, self.begun = steps, []

    def start(self, label, total, unit):
        self.begun.append(label)

    def advance(self, count=1, note=""):
        self.begun.append(count)
        self.left -= count
        if self.left <= 0:
            raise Killed


@pytest.fixture(autouse=True)
def at_every_epoch(monkeypatch):
    monkeypatch.setattr(durable, "EVERY", 0.0)
    monkeypatch.setattr(durable, "PATIENCE", 0.0)


def engines(fit_op):
    watched = Stability(
        monitors=(
            Monitor(signal="loss", trip="step == 4", action="scale_lr"),
            Monitor(signal="step", trip="step == 8", action="rollback"),
        ),
        rollback=Rollback(to="last", max_rollbacks=1),
    )
    op = replace(fit_op, stability=watched, training=fit_op.training.model_copy(update={"epochs": 5}))
    adam = op.training.model_copy(update={"optimizer": Optimizer(name="adam", lr=1e-3)})
    vae = VaeMlp(name="mlp", latent_dim=2, hidden=(8,), likelihood="discretized_logistic")
    yield (
        "vae",
        VAE["fit"],
        replace(op, engine=VaeEngine(family="vae", architecture=vae), objective=Elbo(measure="elbo")),
    )
    gan = GanConv(name="conv", channels=(4,), latent_dim=2)
    yield "gan", GAN["fit"], replace(
        op, engine=GanEngine(family="gan", architecture=gan), objective=Adversarial(measure="gan"),
        training=adam, drop_rate=0.0,
    )  # fmt: skip
    flow = SplineCoupling(name="spline_coupling", transforms=2, hidden=(8,), bins=4)
    yield "flow", FLOW["fit"], replace(
        op, engine=FlowEngine(family="flow", architecture=flow), objective=Nll(measure="nll"), drop_rate=0.0
    )  # fmt: skip
    yield "diffusion", DIFFUSION["fit"], op


def fit(kernel, op, inputs, folder, progress, unfinished=None):
    folder.mkdir()
    kernel(op, inputs, Context(out=folder, root=folder, workers=1, progress=progress, unfinished=unfinished))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("family", "at"), [("vae", 7), ("vae", 14), ("gan", 13), ("flow", 8), ("diffusion", 13)])
def test_a_killed_training_ends_with_the_bytes_of_an_undisturbed_one(fit_op, inputs, tmp_path, family, at):
    kernel, op = next((kernel, op) for name, kernel, op in engines(fit_op) if name == family)
    whole = fit(kernel, op, inputs, tmp_path / "whole", Until())
    shelf = tmp_path / "shelf"
    with pytest.raises(Killed):
        fit(kernel, op, inputs, tmp_path / "killed", Until(at), shelf)
    assert [path.name[:12] for path in shelf.iterdir()] == [f"{(at - 1) // 3 * 3:012d}"]
    progress = Until()
    assert fit(kernel, op, inputs, tmp_path / "again", progress, shelf) == whole
    assert progress.begun[:2] == [f"training, from step {(at - 1) // 3 * 3 + 1} on", (at - 1) // 3 * 3]
    events = json.loads(whole[FIT_REPORT])["events"]
    assert [event["action"] for event in events] == ["scale_lr", "rollback", "budget"]


@pytest.fixture
def mixed(tmp_path):
    """(schema, inputs) of sixty rows of a number and a category."""
    rng = np.random.default_rng(3)
    schema = Schema(
        modality="tabular",
        fields=(
            Field(name="rid", role="key", dtype="int64"),
            Field(name="x", role="content", dtype="float64", range=(0.0, 1.0)),
            Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c")),
        ),
        pk=("rid",),
    )
    for folder in ("data", "split"):
        (tmp_path / folder).mkdir()
    columns = {"rid": np.arange(60), "x": rng.random(60), "kind": rng.integers(0, 3, 60)}
    write_dataset(tmp_path / "data", Dataset(columns))
    write_rows(tmp_path / "split", Rows(train=np.arange(40), val=np.arange(40, 50), test=np.arange(50, 60)))
    return schema, {"data": Artifact(tmp_path / "data", (DATA,)), "split": Artifact(tmp_path / "split", (SPLIT,))}


def test_a_training_by_sampling_goes_on_with_its_draws(fit_op, mixed, tmp_path):
    schema, inputs = mixed
    _, kernel, op = next(each for each in engines(fit_op) if each[0] == "gan")
    op = replace(
        op, schema=schema, conditions=(),
        engine=GanEngine(family="gan", architecture=GanMlp(name="mlp", hidden=(8,), latent_dim=2)),
        objective=Adversarial(measure="gan", training_by_sampling="log_frequency"),
    )  # fmt: skip
    assert BACKEND.supports(op) == ()
    whole = fit(kernel, op, inputs, tmp_path / "whole", Until())
    with pytest.raises(Killed):
        fit(kernel, op, inputs, tmp_path / "killed", Until(12), tmp_path / "shelf")
    progress = Until()
    assert fit(kernel, op, inputs, tmp_path / "again", progress, tmp_path / "shelf") == whole
    assert progress.begun[1] == 10


def test_a_flow_of_mixed_columns_goes_on_with_its_draws_and_with_what_is_dropped(fit_op, mixed, tmp_path):
    schema, inputs = mixed
    kernel, op = next((kernel, op) for name, kernel, op in engines(fit_op) if name == "flow")
    engine = FlowEngine(
        family="flow", architecture=Autoregressive(name="autoregressive", transforms=1, hidden=(8,), bins=4)
    )
    op = replace(op, schema=schema, conditions=(), engine=engine)
    assert BACKEND.supports(op) == ()
    whole = fit(kernel, op, inputs, tmp_path / "whole", Until())
    torch.manual_seed(99)
    with pytest.raises(Killed):
        fit(kernel, op, inputs, tmp_path / "killed", Until(16), tmp_path / "shelf")
    before = torch.get_rng_state()
    assert fit(kernel, op, inputs, tmp_path / "again", Until(), tmp_path / "shelf") == whole
    assert torch.equal(torch.get_rng_state(), before)


def test_a_damaged_checkpoint_is_as_good_as_none(fit_op, inputs, tmp_path):
    kernel, op = next((kernel, op) for name, kernel, op in engines(fit_op) if name == "vae")
    whole = fit(kernel, op, inputs, tmp_path / "whole", Until())
    with pytest.raises(Killed):
        fit(kernel, op, inputs, tmp_path / "killed", Until(8), tmp_path / "shelf")
    (path,) = (tmp_path / "shelf").iterdir()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    progress = Until()
    assert fit(kernel, op, inputs, tmp_path / "again", progress, tmp_path / "shelf") == whole
    assert progress.begun[1] == 0


def test_a_state_comes_back_as_it_was_and_each_tensor_is_stored_once(tmp_path):
    shelf, tensor = Shelf(tmp_path / "shelf", 0.0), torch.arange(300.0)
    state = {
        "step": 3, 7: (1, 0.1, None, True), "text": '{"tensor": 1}', "nested": [{"a": tensor}, tensor, {"tensor": "t000000"}],
        "infinite": float("inf"), "large": 2**64 - 1, "scalar": torch.tensor(2.5, dtype=torch.float64),
    }  # fmt: skip
    assert shelf.newest() is None
    shelf.put(3, state)
    back = shelf.newest()
    assert torch.equal(back["nested"][1], tensor)
    assert back["nested"][0]["a"] is back["nested"][1]
    assert (back["step"], back[7], back["text"], back["nested"][2]) == (
        3,
        (1, 0.1, None, True),
        state["text"],
        {"tensor": "t000000"},
    )
    assert (back["infinite"], back["large"], back["scalar"].dtype) == (float("inf"), 2**64 - 1, torch.float64)
    (path,) = (tmp_path / "shelf").iterdir()
    assert path.stat().st_size < 2 * 1200
    with pytest.raises(TypeError, match="holds no object"):
        shelf.put(4, {"it": object()})


def test_the_newest_takes_the_place_of_all_before_and_a_draft_is_no_checkpoint(tmp_path):
    shelf = Shelf(tmp_path, 0.0)
    for step in (1, 2):
        shelf.put(step, {"step": step})
    (tmp_path / f"{3:012d}-{'0' * 64}.draft").write_bytes(b"half")
    (tmp_path / f"{3:012d}-{'0' * 64}.safetensors").write_bytes(b"half")
    assert shelf.newest() == {"step": 2}
    shelf.put(4, {"step": 4})
    assert len(list(tmp_path.iterdir())) == 1


def test_a_checkpoint_is_due_by_the_clock_and_by_what_the_last_one_took(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(durable, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(durable, "PATIENCE", 50.0)
    shelf = Shelf(tmp_path, 10.0)
    assert not shelf.due
    clock[0] = 10.0
    assert shelf.due
    monkeypatch.setattr(durable, "_write", lambda *_: clock.__setitem__(0, clock[0] + 1.0))
    shelf.put(1, {})
    clock[0] = 60.0
    assert not shelf.due
    clock[0] = 61.0
    assert shelf.due
