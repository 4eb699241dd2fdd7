"""The typical risks of section IX, each provoked, and the monitor that answers it; the log replays to every answer."""

import json

import pytest
import torch
from torch import nn

from synthspec.backend.artifacts import TRAINING_LOG, FitReport
from synthspec.backend.protocol import DataError
from synthspec.ir.families import (
    AffineCoupling,
    CosineSchedule,
    FlowEngine,
    Monitor,
    Optimizer,
    Rollback,
    Stability,
    Training,
    VaeMlp,
)
from synthspec_diffusers.schedule import Process
from synthspec_diffusers.training import Corruption, DiffusionLearner
from synthspec_diffusers.training import Records as Noisy
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.flow.training import Cells, FlowLearner
from synthspec_torch.flow.training import Records as Numbers
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, train
from synthspec_torch.training.monitors import Watch, replay
from synthspec_torch.training.seeding import initial_weights
from synthspec_torch.vae.learner import VaeLearner
from synthspec_torch.vae.likelihoods import build_likelihood
from synthspec_torch.vae.networks import build_vae
from synthspec_torch.vae.objective import BetaCourse
from synthspec_torch.vae.objective import Records as Images


class Silent:
    def start(self, label, total, unit):
        pass

    def advance(self, count=1, note=""):
        pass


def watching(*monitors, back=None):
    return Stability(monitors=monitors, rollback=back)


def trained(tmp_path, learner, stability, records, **settings):
    """The report and the logged signals; what the monitors did is what a replay of the log says."""
    chosen = {"optimizer": Optimizer(name="adam", lr=1e-2), "batch_size": 32, "epochs": 10, "seed": 1} | settings
    course = Course.of(Training(**chosen), stability, records)
    with SignalLog(tmp_path / TRAINING_LOG) as log:
        report: FitReport = train(learner, course, log, Silent()).report
    lines = (tmp_path / TRAINING_LOG).read_text().splitlines()
    again = list(replay(Watch.of(stability, course.steps), lines))
    assert [(e.step, e.signal, e.value, e.action) for e in again] == [
        (e.step, e.signal, e.value, e.action) for e in report.events[:-1]
    ]
    return report, [json.loads(line) for line in lines]


def seen(lines, name):
    return [line["signals"][name] for line in lines if name in line["signals"]]


def numbers(levels=None):
    draws = torch.Generator().manual_seed(3)
    x = torch.randn((192, 3), generator=draws)
    return x if levels is None else (x * levels).round().clamp(-levels, levels) / levels


def flow(cells, x, **more):
    engine = FlowEngine(
        family="flow", architecture=AffineCoupling(name="affine_coupling", transforms=2, hidden=(16,)), **more
    )
    with initial_weights(1):
        network = FlowNetwork(engine, x.shape[1], 0)
    train_rows, val_rows = Numbers(x[:128], torch.zeros(128, 0)), Numbers(x[128:], torch.zeros(64, 0))
    return FlowLearner(network, Cells(torch.full((x.shape[1],), cells), 0.0), train_rows, val_rows, 1)


def test_a_collapsing_posterior_is_answered_with_free_bits_and_the_answers_end(tmp_path):
    x = torch.sign(numbers()).view(-1, 1, 1, 3)
    likelihood = build_likelihood("gaussian", None)

    def learner():
        with initial_weights(1):
            architecture = VaeMlp(name="mlp", latent_dim=2, hidden=(16,), likelihood="gaussian")
            network = build_vae(architecture, (1, 1, 3), likelihood.parameters, None)
        images = Images(x[:128], None), Images(x[128:], None)
        course = BetaCourse(20.0)
        return VaeLearner(network, likelihood, *images, beta=course, free_bits=0.0, drop_rate=0.0, null=0, seed=1)

    monitor = Monitor(signal="kl", trip="kl < 0.15", window=2, action="raise_free_bits", max_fires=6)
    report, lines = trained(tmp_path, learner(), watching(monitor), 128, epochs=60)
    raised = [event for event in report.events if event.action == "raise_free_bits"]
    assert [event.detail for event in raised[:2]] == [
        "kl < 0.15; free_bits 0 -> 0.05 nat",
        "kl < 0.15; free_bits 0.05 -> 0.1 nat",
    ]
    assert min(seen(lines, "kl")) < 0.1
    assert seen(lines, "kl")[-1] > 0.15
    # What no free bits can help ends: the monitor is capped.
    beyond = monitor.model_copy(update={"trip": "kl < 50", "window": 1})
    report, _ = trained(tmp_path, learner(), watching(beyond), 128, epochs=60)
    assert [event.action for event in report.events] == ["raise_free_bits"] * 6 + ["stop", "stopped"]


@pytest.mark.parametrize("lr_factor", [1e-4, 1.0])
def test_a_rate_that_diverges_is_rolled_back_and_what_diverges_again_stops(tmp_path, lr_factor):
    back = Rollback(to="best", lr_factor=lr_factor, max_rollbacks=2)
    monitor = Monitor(signal="grad_norm", trip="grad_norm > 1e12", action="rollback")
    wild = Optimizer(name="sgd", lr=10.0)
    learner = flow(0.0, numbers())
    if lr_factor == 1.0:
        with pytest.raises(DataError, match=r"not finite at step .*, after 2 rollbacks") as caught:
            trained(tmp_path, learner, watching(back=back), 128, optimizer=wild)
        assert caught.value.code == "P405-3.diverged"
        return
    report, lines = trained(tmp_path, learner, watching(monitor, back=back), 128, optimizer=wild)
    assert {event.action for event in report.events[:-1]} == {"rollback"}
    assert report.status == "budget"
    assert all(value is not None for value in seen(lines, "bpd_val")[-3:])
    assert all(weight.isfinite().all() for weight in learner.network.parameters())


def test_a_log_determinant_that_grows_without_bound_is_stopped(tmp_path):
    """Whole numbers without dequantisation: a density has no bound where all records lie on a few points."""
    x = numbers(1)[:, :1] * torch.tensor([1.0, 1.0, -1.0])
    monitor = Monitor(signal="logdet_extreme", trip="logdet_extreme > 4", window=2, action="stop")
    quick = Optimizer(name="adam", lr=3e-2)
    spread, _ = trained(tmp_path, flow(1.0, x), watching(monitor), 128, epochs=25, optimizer=quick)
    assert spread.status == "budget"
    report, lines = trained(tmp_path, flow(0.0, x), watching(monitor), 128, epochs=25, optimizer=quick)
    assert report.status == "stopped"
    assert report.events[0].signal == "logdet_extreme"
    assert seen(lines, "bpd_val")[-1] < seen(lines, "bpd_val")[0] - 1


class Deaf(nn.Module):
    """A denoiser that hears nothing of its input: what it says is one learned number."""

    def __init__(self):
        super().__init__()
        self.said = nn.Parameter(torch.zeros(()))

    def forward(self, x, times, given):
        return self.said.expand_as(x)


def test_a_head_that_learns_nothing_is_stopped_however_its_loss_looks(tmp_path):
    x = numbers().view(-1, 3)
    process = Process(CosineSchedule(name="cosine", train_steps=100))
    parts = Noisy(x[:128], None), Noisy(x[128:], None)
    learner = DiffusionLearner(Deaf(), Corruption(process, "v"), *parts, drop_rate=0.0, null=None, seed=1)
    monitor = Monitor(signal="head_r2", trip="head_r2 < 0.01", window=4, action="stop")
    report, lines = trained(tmp_path, learner, watching(monitor), 128)
    assert (report.status, report.steps) == ("stopped", 16)
    assert all(abs(value) < 0.01 for value in seen(lines, "head_r2"))
