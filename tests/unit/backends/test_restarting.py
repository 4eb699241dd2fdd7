"""A training that diverged begins again: the attempt that is kept is, byte for byte, the training from its seed alone."""

import json
from dataclasses import replace

import pytest
import torch

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG
from synthspec.backend.protocol import Context, DataError
from synthspec.ir.families import FlowEngine, Monitor, Nll, Optimizer, Rollback, SplineCoupling, Stability
from synthspec_diffusers.kernels import KERNELS as DIFFUSION
from synthspec_diffusers.training import DiffusionLearner
from synthspec_torch.flow.kernels import KERNELS as FLOW
from synthspec_torch.flow.training import FlowLearner
from synthspec_torch.training import durable
from synthspec_torch.training.restarting import SEEDS, log_of, seed_of
from synthspec_torch.training.seeding import batches


class Killed(BaseException):
    """As sudden as a signal."""


class Until:
    """A progress that kills the training after so many steps."""

    def __init__(self, steps=10**9):
        self.left = steps

    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        self.left -= count
        if self.left <= 0:
            raise Killed


def engine(family, op):
    if family == "diffusion":
        return DIFFUSION["fit"], op
    spline = SplineCoupling(name="spline_coupling", transforms=1, hidden=(8,), bins=4)
    engine = FlowEngine(family="flow", architecture=spline)
    return FLOW["fit"], replace(op, engine=engine, objective=Nll(measure="nll"), drop_rate=0.0)


@pytest.fixture
def diverges(monkeypatch):
    """``diverges(*seeds)``: trainings from these seeds have a loss that is no number from their fourth step on."""

    def arrange(*seeds):
        bad = {
            tuple(batch.rows.tolist())
            for seed in seeds
            for batch in batches(records=20, batch_size=8, steps=9, seed=seed)
            if batch.step >= 4
        }
        for learner in (DiffusionLearner, FlowLearner):
            monkeypatch.setattr(learner, "loss", spoilt(learner.loss, bad))

    return arrange


def spoilt(loss, bad):
    def spoils(self, rows):
        value = loss(self, rows)
        return value * torch.nan if tuple(rows.tolist()) in bad else value

    return spoils


def fit(kernel, op, inputs, folder, progress=None, unfinished=None):
    folder.mkdir()
    kernel(op, inputs, Context(out=folder, root=folder, workers=1, progress=progress or Until(), unfinished=unfinished))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def restarted(op, attempts, seed=5):
    stated = {"on_divergence": "restart", "max_attempts": attempts, "seed": seed}
    return replace(op, training=op.training.model_copy(update=stated))


def plain(op, seed):
    return replace(op, training=op.training.model_copy(update={"seed": seed}))


@pytest.mark.parametrize("family", ["diffusion", "flow"])
def test_the_kept_attempt_has_the_bytes_of_a_training_from_its_seed(fit_op, inputs, tmp_path, diverges, family):
    diverges(5, 6)
    kernel, op = engine(family, fit_op)
    made = fit(kernel, restarted(op, 3), inputs, tmp_path / "made")
    alone = fit(kernel, plain(op, 7), inputs, tmp_path / "alone")
    report, wanted = json.loads(made.pop(FIT_REPORT)), json.loads(alone.pop(FIT_REPORT))
    logs = [made.pop(log_of(attempt)) for attempt in (1, 2)]
    assert made == alone
    assert report["events"][2:] == wanted["events"]
    assert [(event["action"], event["signal"], event["step"]) for event in report["events"][:2]] == [
        ("restart", "loss", 4),
        ("restart", "loss", 4),
    ]
    assert report["events"][0]["detail"] == ("attempt 1 of 3: loss is not finite at step 4; begun again with seed 6")
    assert "attempt 2 of 3" in report["events"][1]["detail"]
    facts, before = dict(report.pop("facts")), dict(wanted.pop("facts"))
    assert facts == {**before, "attempts": 3, "seed_kept": 7}
    for log in logs:
        lines = [json.loads(line) for line in log.decode().splitlines()]
        assert [line["signals"]["loss"] is None for line in lines if "loss" in line["signals"]] == [False] * 3 + [True]


def test_a_training_that_does_not_diverge_is_begun_once(fit_op, inputs, tmp_path):
    kernel, op = engine("flow", fit_op)
    made, alone = fit(kernel, restarted(op, 3), inputs, tmp_path / "made"), fit(kernel, op, inputs, tmp_path / "alone")
    report, wanted = json.loads(made.pop(FIT_REPORT)), json.loads(alone.pop(FIT_REPORT))
    assert made == alone
    assert report["events"] == wanted["events"]
    assert dict(report["facts"])["attempts"] == 1


def test_when_all_attempts_diverge_nothing_is_made(fit_op, inputs, tmp_path, diverges):
    diverges(5, 6)
    kernel, op = engine("flow", fit_op)
    with pytest.raises(DataError) as caught:
        fit(kernel, restarted(op, 2), inputs, tmp_path / "made")
    assert caught.value.code == "P405-3.diverged"
    assert caught.value.message == (
        "training diverged in each of 2 attempts; in the last, loss is not finite at step 4"
    )
    assert not list((tmp_path / "made").rglob("*.safetensors"))


def test_without_restart_one_divergence_is_the_end(fit_op, inputs, tmp_path, diverges):
    diverges(5)
    kernel, op = engine("flow", fit_op)
    with pytest.raises(DataError, match=r"training diverged: loss is not finite at step 4, after 0 rollbacks"):
        fit(kernel, op, inputs, tmp_path / "made")


def test_rollbacks_come_first(fit_op, inputs, tmp_path, diverges):
    """Fresh batches from an earlier checkpoint are the milder answer; a restart is what is left when there are none."""
    diverges(5)
    kernel, op = engine("flow", fit_op)
    op = replace(op, stability=Stability(rollback=Rollback(to="last", max_rollbacks=2)))
    report = json.loads(fit(kernel, restarted(op, 2), inputs, tmp_path / "made")[FIT_REPORT])
    assert report["events"][0]["step"] == 6
    assert report["events"][0]["action"] == "restart"


def test_a_monitor_that_stops_for_what_is_no_number_calls_for_another_attempt(fit_op, inputs, tmp_path, diverges):
    diverges(5)
    kernel, op = engine("flow", fit_op)
    op = replace(op, stability=Stability(monitors=(Monitor(signal="loss", trip="not (loss < 1e9)", action="stop"),)))
    report = json.loads(fit(kernel, restarted(op, 2), inputs, tmp_path / "made")[FIT_REPORT])
    assert report["events"][0]["action"] == "restart"
    stopped = json.loads(fit(kernel, op, inputs, tmp_path / "stopped")[FIT_REPORT])
    assert stopped["status"] == "stopped"


def test_a_monitor_that_stops_at_a_number_is_no_divergence(fit_op, inputs, tmp_path):
    kernel, op = engine("flow", fit_op)
    op = replace(op, stability=Stability(monitors=(Monitor(signal="step", trip="step == 4", action="stop"),)))
    report = json.loads(fit(kernel, restarted(op, 2), inputs, tmp_path / "made")[FIT_REPORT])
    assert report["status"] == "stopped"
    assert dict(report["facts"])["attempts"] == 1


@pytest.mark.parametrize("at", [2, 10, 12])
def test_a_killed_attempt_goes_on_where_it_stood(fit_op, inputs, tmp_path, diverges, monkeypatch, at):
    """Killed in the first attempt, or in the second: the bytes are those of one that nothing disturbed."""
    monkeypatch.setattr(durable, "EVERY", 0.0)
    monkeypatch.setattr(durable, "PATIENCE", 0.0)
    diverges(5)
    kernel, op = engine("flow", fit_op)
    op = restarted(op, 2)
    whole = fit(kernel, op, inputs, tmp_path / "whole")
    shelf = tmp_path / "shelf"
    with pytest.raises(Killed):
        fit(kernel, op, inputs, tmp_path / "killed", Until(at), shelf)
    assert [path.name for path in sorted(shelf.glob("*"))] == (["attempt-1", "attempt-2"] if at > 7 else [])
    assert fit(kernel, op, inputs, tmp_path / "again", Until(), shelf) == whole


def test_seeds_follow_one_another_and_none_is_too_large(fit_op):
    op = plain(fit_op, SEEDS - 1)
    assert [seed_of(op, attempt) for attempt in (1, 2, 3)] == [SEEDS - 1, 0, 1]


def test_the_log_of_the_kept_attempt_is_one_course(fit_op, inputs, tmp_path, diverges):
    """It is what monitors are replayed over."""
    diverges(5)
    kernel, op = engine("diffusion", replace(fit_op, training=fit_op.training.model_copy(update={"epochs": 2})))
    op = replace(op, training=op.training.model_copy(update={"optimizer": Optimizer(name="adam", lr=1e-3)}))
    made = fit(kernel, restarted(op, 2), inputs, tmp_path / "made")
    steps = [json.loads(line)["step"] for line in made[TRAINING_LOG].decode().splitlines()]
    assert steps == sorted(steps)
    assert steps[-1] == 6
