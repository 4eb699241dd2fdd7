"""The diffusion learner and the whole `fit`, on networks small enough to train in a second."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG, FitReport, read_report
from synthspec.backend.dataset import read_dataset
from synthspec.ir.families import LinearSchedule, UNet2d
from synthspec_diffusers.schedule import Levels, Process
from synthspec_diffusers.training import Corruption, DiffusionLearner, Records, stratified


class Told(nn.Module):
    """Answers zero, and remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.shown = []
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x, times, labels):
        self.shown.append((x, times, labels))
        return x * 0 + self.weight


def learner(network, drop_rate=0.0, head="eps", rows=64):
    corruption = Corruption(Process(LinearSchedule(name="linear", train_steps=100)), head)
    images = Records(torch.zeros(rows, 1, 2, 2), torch.arange(rows) % 3)
    return DiffusionLearner(network, corruption, images, images, drop_rate=drop_rate, null=torch.tensor(3), seed=1)


def test_times_are_spread_evenly_over_every_batch():
    u = stratified(50, torch.Generator().manual_seed(0))
    assert sorted((u * 50).long().tolist()) == list(range(50))
    assert u.tolist() != sorted(u.tolist())
    times = Process(LinearSchedule(name="linear", train_steps=100)).at(u).times
    assert sorted((times // 2).tolist()) == list(range(50))


def test_labels_are_dropped_at_the_declared_rate():
    network = Told()
    made = learner(network, drop_rate=0.25, rows=60)
    for _ in range(50):
        made.loss(torch.arange(60))
    labels = torch.stack([labels for _, _, labels in network.shown])
    assert (labels == 3).float().mean().item() == pytest.approx(0.25, abs=0.03)
    kept = labels != 3
    assert torch.equal(labels[kept], (torch.arange(60) % 3).expand(50, -1)[kept])


def test_validation_draws_the_same_and_shows_every_label():
    network = Told()
    made = learner(network, drop_rate=0.9)
    first = made.validate(network)
    made.loss(torch.arange(64))
    assert made.validate(network) == first
    assert (network.shown[0][2] == 3).sum() == 0
    # Zero explains none of the variance of eps: the loss is that variance and R^2 is 0.
    assert first["loss_val"] == pytest.approx(1.0, abs=0.15)
    assert first["head_r2"] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("head", ["eps", "x0", "v"])
def test_the_loss_is_of_the_head(head):
    """On data that are all zero, x_t = s eps, so x0 = 0, eps = eps and v = a eps: the loss of answering zero is known."""
    made = learner(Told(), head=head, rows=4000)
    with torch.no_grad():
        loss = made.loss(torch.arange(4000)).item()
    a = Levels.of(LinearSchedule(name="linear", train_steps=100)).a
    assert loss == pytest.approx({"eps": 1.0, "x0": 0.0, "v": float((a**2).mean())}[head], abs=0.03)


@pytest.fixture
def fit():
    from synthspec_diffusers.kernels import fit

    return fit


def test_two_trainings_write_the_same_bytes(run, fit, fit_op, inputs):
    from synthspec_diffusers.kernels import WEIGHTS

    first, second = (run(fit, fit_op, inputs, name) for name in ("first", "second"))
    assert first.files == second.files == ("fit.json", "training.jsonl", WEIGHTS)
    for name in first.files:
        assert first.path(name).read_bytes() == second.path(name).read_bytes()
    other = run(fit, replace(fit_op, training=fit_op.training.model_copy(update={"seed": 6})), inputs, "third")
    assert other.path(WEIGHTS).read_bytes() != first.path(WEIGHTS).read_bytes()
    report = read_report(first.path(FIT_REPORT), FitReport)
    assert (report.status, report.steps) == ("budget", 9)
    signals = [json.loads(line)["signals"] for line in first.path(TRAINING_LOG).read_text().splitlines()]
    assert sum("loss_val" in each for each in signals) == 3
    assert all({"loss", "grad_norm", "lr"} <= set(each) for each in signals if "loss_val" not in each)


@pytest.mark.parametrize(
    ("shape", "architecture"),
    [
        ((1, 7, 5), UNet2d(name="unet2d", channels=(6, 10, 14), layers_per_block=1)),
        ((3, 4, 4), UNet2d(name="unet2d", channels=(8,), layers_per_block=2, attention=(False,))),
    ],
)
def test_networks_of_many_shapes_keep_the_shape_of_the_image(shape, architecture):
    from synthspec_diffusers.network import Denoiser

    x = torch.zeros(2, *shape)
    assert Denoiser(architecture, shape, None)(x, torch.zeros(2, dtype=torch.int64), None).shape == x.shape
    labelled = Denoiser(architecture, shape, 4)
    assert labelled(x, torch.tensor([0, 9]), torch.tensor([0, 3])).shape == x.shape


@pytest.mark.parametrize("channels", [(2,), (4,), (8,), (8, 8), (4, 8, 16), (6, 10, 14), (16,), (32, 64)])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_network_of_any_width_knows_the_time_and_the_condition(channels, labelled):
    """Norms take constants out of channels, which is how a level is told both."""
    from synthspec_diffusers.network import Denoiser

    torch.manual_seed(0)
    architecture = UNet2d(name="unet2d", channels=channels, layers_per_block=1, attention=(False,) * len(channels))
    network, x = Denoiser(architecture, (1, 8, 8), 3, labelled=labelled), torch.randn(1, 1, 8, 8)
    known = torch.tensor([0, 1]) if labelled else torch.eye(3)[:2]
    with torch.no_grad():
        plain, late, other = (
            network(x, torch.tensor([time]), known[given : given + 1]) for time, given in ((5, 0), (90, 0), (5, 1))
        )
    assert (late - plain).abs().max() > 1e-3
    assert (other - plain).abs().max() > 1e-3


@pytest.mark.slow
def test_a_trained_engine_makes_what_it_is_asked_for(run, fit, fit_op, sample_op, inputs):
    """The three classes of the fixture differ in brightness by 5; samples of a class must be nearest to its own."""
    from synthspec_diffusers.kernels import KERNELS

    long = replace(fit_op, training=fit_op.training.model_copy(update={"epochs": 150}))
    engine = run(fit, long, inputs, "engine")
    op = replace(sample_op, fit=long, candidates=90)
    data = read_dataset(run(KERNELS["sample"], op, inputs | {"engine": engine}, "samples").path("data.safetensors"))
    bright = data["pixels"].mean(axis=(1, 2, 3))
    assert np.mean(np.abs(bright - 2 - 5 * data["digit"]) < 2.5) > 0.9
