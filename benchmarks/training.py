"""A step of our training loop beside a step of a loop written by hand: CPU time, same model, same batch, in turn.

    OMP_NUM_THREADS=1 python -m benchmarks.training
    OMP_NUM_THREADS=1 python -m benchmarks.training --rounds 50 --cases vae

The loop by hand is the shortest that trains the same model: draw, loss, backward, optimiser, average. Ours is the loop of
every fit, with its signals, its log, and two monitors of each step; of the GAN a step is one update of each player. Validations
are in neither. The records are noise of the shape of digits and of a table: what they hold does not change the time of a step.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.tabular import Quiet
from synthspec.ir.families import (
    CosineSchedule,
    FlowEngine,
    GanConv,
    Monitor,
    Optimizer,
    Rollback,
    SplineCoupling,
    Stability,
    Training,
    UNet2d,
    VaeConv,
    WganGp,
)
from synthspec.ir.schema import Field, Schema
from synthspec_diffusers.network import Denoiser
from synthspec_diffusers.schedule import Process
from synthspec_diffusers.training import Corruption, DiffusionLearner
from synthspec_diffusers.training import Records as Noisy
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.flow.training import Cells, FlowLearner
from synthspec_torch.flow.training import Records as Standardised
from synthspec_torch.gan.content import fitted
from synthspec_torch.gan.learner import GanLearner, Rules, game_optimizer
from synthspec_torch.gan.networks import Critic, Generator, build_critic, build_generator
from synthspec_torch.gan.probe import Probe
from synthspec_torch.gan.probe import Records as Played
from synthspec_torch.training.learner import Learner
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, TrainingRun
from synthspec_torch.training.seeding import Batch, initial_weights
from synthspec_torch.vae.learner import VaeLearner
from synthspec_torch.vae.likelihoods import build_likelihood
from synthspec_torch.vae.networks import Vae, build_vae
from synthspec_torch.vae.objective import BetaCourse
from synthspec_torch.vae.objective import Records as Images

RECORDS, BATCH, LEVELS, WIDTH, LATENT = 1024, 128, 17, 6, 32
EMA = 0.995
STABILITY = Stability(
    monitors=(
        Monitor(signal="grad_norm", trip="grad_norm > 1e6", window=20, action="rollback"),
        Monitor(signal="loss", trip="loss > 1e9", window=3, action="stop"),
    ),
    rollback=Rollback(to="best", max_rollbacks=2),
)
Loss = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Case:
    """The same model twice: with a learner of ours, and with a loss by hand."""

    name: str
    learner: Learner
    network: nn.Module
    loss: Loss
    ema: float | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table in markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, help="steps of each side (default: 200)")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"{platform.system()} {platform.machine()}; torch {torch.__version__}, one thread; CPU time, medians\n")
    print(
        "| model (weights) | by hand, ms | ours, ms | ours less by hand, us | ours / by hand | quartiles of the pairs |"
    )
    print("|---|---|---|---|---|---|")
    for name in options.cases:
        print(row(CASES[name](), options.rounds), flush=True)


def row(case: Case, rounds: int) -> str:
    """One line of the table: `rounds` pairs of steps in turn, the first side changing, after three that are not counted."""
    with tempfile.TemporaryDirectory() as folder, SignalLog(Path(folder) / "training.jsonl") as log:
        sides = [by_hand(case), ours(case, log)]
        taken: list[tuple[float, float]] = []
        for number in range(rounds + 3):
            rows = torch.randperm(RECORDS)[:BATCH]
            times = [0.0, 0.0]
            for side in (0, 1) if number % 2 else (1, 0):
                begin = time.process_time()
                sides[side](rows)
                times[side] = time.process_time() - begin
            taken.append((times[0], times[1]))
    pairs = taken[3:]
    hand, own = (statistics.median(side) for side in zip(*pairs, strict=True))
    low, ratio, high = statistics.quantiles((b / a for a, b in pairs), n=4)
    weights = sum(weight.numel() for weight in case.network.parameters())
    return (
        f"| {case.name} ({weights:,}) | {hand * 1e3:.2f} | {own * 1e3:.2f} |"
        f" {(own - hand) * 1e6:.0f} | {ratio:.3f} | {low:.3f} to {high:.3f} |"
    )


def by_hand(case: Case) -> Callable[[torch.Tensor], None]:
    """A step as one writes it: nothing is looked at."""
    optimizer = torch.optim.AdamW(case.network.parameters(), lr=1e-3, fused=True)
    weights = [weight.detach() for weight in case.network.parameters()]
    average = [weight.clone() for weight in weights]
    case.network.train()

    def step(rows: torch.Tensor) -> None:
        case.loss(rows).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if case.ema is not None:
            with torch.no_grad():
                torch._foreach_lerp_(average, weights, 1.0 - case.ema)

    return step


def ours(case: Case, log: SignalLog) -> Callable[[torch.Tensor], None]:
    """A step of the loop that every fit runs."""
    training = Training(optimizer=Optimizer(name="adamw", lr=1e-3), batch_size=BATCH, steps=10**6, seed=1, ema=case.ema)
    run = TrainingRun(case.learner, Course.of(training, STABILITY, RECORDS), log, Quiet())

    def step(rows: torch.Tensor) -> None:
        run.advance(Batch(run.step + 1, 1, rows, ends_epoch=False, draws=(rows,)))

    return step


def vae() -> Case:
    """The convolutional VAE of digits."""
    x = (torch.randint(0, LEVELS, (RECORDS, 1, 8, 8)) / (LEVELS - 1)) * 2.0 - 1.0
    likelihood = build_likelihood("discretized_logistic", LEVELS)

    def fresh() -> Vae:
        with initial_weights(1):
            architecture = VaeConv(name="conv", latent_dim=16, channels=(32, 64), likelihood="discretized_logistic")
            return build_vae(architecture, (1, 8, 8), likelihood.parameters, None)

    network, images = fresh(), Images(x, None)
    learner = VaeLearner(
        fresh(), likelihood, images, images, beta=BetaCourse(1.0), free_bits=0.0, drop_rate=0.0, null=0, seed=1
    )

    def loss(rows: torch.Tensor) -> torch.Tensor:
        records = x[rows]
        z, mean, log_variance = network.infer(records, None, torch.randn(len(rows), 16))
        recon: torch.Tensor = likelihood.log_prob(network.decode(z, None), records).flatten(1).sum(1).mean()
        kl = 0.5 * (mean.square() + torch.expm1(log_variance) - log_variance)
        return kl.sum(1).mean() - recon

    return Case("VAE, conv, 8 x 8", learner, network, loss)


def unet() -> Case:
    """The UNet of digits, with its average."""
    x0 = torch.rand(RECORDS, 1, 8, 8) * 2.0 - 1.0
    process = Process(CosineSchedule(name="cosine", train_steps=1000))

    def fresh() -> nn.Module:
        with initial_weights(1):
            architecture = UNet2d(name="unet2d", channels=(32, 64), layers_per_block=1, attention=(False, True))
            return Denoiser(architecture, (1, 8, 8), None)

    network, records = fresh(), Noisy(x0, None)
    learner = DiffusionLearner(
        fresh(), Corruption(process, "v"), records, records, drop_rate=0.0, null=None, seed=1
    )  # fmt: skip

    def loss(rows: torch.Tensor) -> torch.Tensor:
        records, eps = x0[rows], torch.randn(len(rows), 1, 8, 8)
        marks = process.at(torch.rand(len(rows)))
        a, s = marks.a.view(-1, 1, 1, 1), marks.s.view(-1, 1, 1, 1)
        out = network(a * records + s * eps, marks.times, None)
        error: torch.Tensor = out - (a * eps - s * records)
        return error.square().mean()

    return Case("diffusion, UNet, 8 x 8", learner, network, loss, EMA)


def flow() -> Case:
    """The spline coupling of a table of a few numbers."""
    x, c = torch.randn(RECORDS, WIDTH), torch.zeros(RECORDS, 0)

    def fresh() -> FlowNetwork:
        with initial_weights(1):
            architecture = SplineCoupling(name="spline_coupling", transforms=4, hidden=(64, 64), bins=8)
            return FlowNetwork(FlowEngine(family="flow", architecture=architecture), WIDTH, 0)

    network, records = fresh(), Standardised(x, c)
    learner = FlowLearner(fresh(), Cells(torch.zeros(WIDTH), 0.0), records, records, 1)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        return -network.log_prob(x[rows], c[rows]).mean()

    return Case("flow, spline coupling, 6 numbers", learner, network, loss)


def gan() -> Case:
    """The convolutional GAN of digits under wgan_gp, one update of the critic a step."""
    pixels = Field(name="pixels", role="content", dtype="float32", unit="1", shape=(1, 8, 8), range=(0.0, LEVELS - 1.0))
    shown = {"pixels": np.random.default_rng(1).random((RECORDS, 1, 8, 8)) * (LEVELS - 1)}
    content = fitted(Schema(modality="image", fields=(pixels,), pk=()), shown, 1)
    architecture = GanConv(name="conv", latent_dim=LATENT, channels=(64, 32))
    x, c = torch.rand(RECORDS, 1, 8, 8) * 2.0 - 1.0, torch.zeros(RECORDS, 0)

    def fresh() -> tuple[Generator, Critic]:
        with initial_weights(1):
            generator = build_generator(architecture, (1, 8, 8), 0, content.head())
            return generator, build_critic(architecture, (1, 8, 8), 0, spectral=False)

    records, objective = Played(x, c), WganGp(measure="wgan_gp", lambda_gp=10.0, critic_steps=1)
    rules = Rules(objective, LATENT, game_optimizer(Optimizer(name="adamw", lr=1e-3)), None)
    learner = GanLearner(*fresh(), rules, records, Probe(content, records, records, LATENT, 1, 1), 1)
    generator, critic = fresh()
    optimizer = torch.optim.AdamW(critic.parameters(), lr=1e-3, betas=(0.0, 0.9), fused=True)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        real, none = x[rows], c[rows]
        with torch.no_grad():
            fake = generator(torch.randn(len(rows), LATENT), none)
        scores = critic(torch.cat([real, fake]), torch.cat([none, none]))
        between = torch.lerp(fake, real, torch.rand(len(rows), 1, 1, 1)).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between, none).sum(), between, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1.0).square().mean()
        (scores[len(rows) :].mean() - scores[: len(rows)].mean() + 10.0 * penalty).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        critic.requires_grad_(requires_grad=False)
        found: torch.Tensor = -critic(generator(torch.randn(len(rows), LATENT), none), none).mean()
        critic.requires_grad_(requires_grad=True)
        return found

    return Case("GAN, conv, wgan_gp, 8 x 8, with its average", learner, generator, loss, EMA)


CASES = {"vae": vae, "gan": gan, "unet": unet, "flow": flow}

if __name__ == "__main__":
    main()
