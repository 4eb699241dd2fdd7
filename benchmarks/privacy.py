"""A step of DP-SGD beside the same step without: time and memory, same model, same batch, same optimiser, in turn.

The private step is the production one: book-keeping, the clipped sum in float64, AES noise, the optimiser. The noise of a
step is drawn by a second thread while its gradients are computed, so time by the clock and CPU time are two figures.
Opacus is no dependency of ours, and its torch may be another: install it in an environment of its own and run this there,

    python -m venv /tmp/peer && /tmp/peer/bin/python -m pip install opacus==1.6.0 -e '.[torch]'
    OMP_NUM_THREADS=1 /tmp/peer/bin/python -m benchmarks.privacy --opacus
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from synthspec.backend.secret import Secret
from synthspec_torch.privacy.engines import engine_of
from synthspec_torch.privacy.mechanism import GaussianSum

Step = Callable[[], None]
CASES = (
    ("mlp", 256, 1.6),
    ("mlp", 512, 1.25),
    ("mlp", 1024, 1.25),
    ("mlp", 2048, 1.25),
    ("conv", 256, 2.0),
    ("conv", 512, 2.0),
)
"""(network, batch, how much longer the private step may take)."""
CLASSES = 10
STEPS = {"mlp": 40, "conv": 8}
"""Steps of one kind in a row: eight times as many as get their noise at a time."""
IDLE = 0.01
"""Seconds in which noise that is drawn ahead is done, so that it is charged to the step that asked for it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a step."""

    wall: float
    cpu: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table in markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.privacy", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="rounds of steps in a row (default: 30)")
    parser.add_argument("--opacus", action="store_true", help="measure Opacus's ghost clipping too")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(
        f"{platform.system()} {platform.machine()}; torch {torch.__version__}, one thread and the noise; medians, a step\n"
    )
    print(
        "| network (weights) | batch | plain, ms | private, ms | ratio | at most | CPU ratio | memory | Opacus / private |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, batch, limit in CASES:
        print(row(name, batch, limit, options.rounds, opacus=options.opacus), flush=True)


def row(name: str, batch: int, limit: float, rounds: int, *, opacus: bool) -> str:
    """One line of the table; memory is the most that two fresh processes held."""
    steps = [plain_step(name, batch), private_step(name, batch)]
    if opacus:
        steps.append(ghost_step(name, batch))
    times = list(zip(*in_turn(steps, rounds if name == "mlp" else max(3, rounds // 3), STEPS[name]), strict=True))
    plain, private = (statistics.median(each.wall for each in times[place]) for place in (0, 1))
    ratio, spent = (
        statistics.median(getattr(b, clock) / getattr(a, clock) for a, b in zip(times[0], times[1], strict=True))
        for clock in ("wall", "cpu")
    )
    peer = (
        f"{statistics.median(c.wall / b.wall for b, c in zip(times[1], times[2], strict=True)):.2f}" if opacus else ""
    )
    memory = ""
    if batch == 512:
        (ours, start), (theirs, other) = (peak(kind, name, batch) for kind in ("private", "plain"))
        memory = f"{ours / theirs:.2f} ({start:.0f} + {ours - start:.0f} MiB, {other:.0f} + {theirs - other:.0f})"
    size = sum(weight.numel() for weight in network(name).parameters())
    return (
        f"| {name} ({size:,}) | {batch} | {plain * 1e3:.2f} | {private * 1e3:.2f} | {ratio:.2f} | {limit:.2f} |"
        f" {spent:.2f} | {memory} | {peer} |"
    )


def in_turn(steps: Sequence[Step], rounds: int, count: int) -> Iterator[list[Spent]]:
    """What one of `count` steps of each kind takes, round after round, after one that is not counted."""
    for number in range(rounds + 1):
        found = []
        for step in steps:
            time.sleep(IDLE)
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(count):
                step()
            wall = time.perf_counter() - wall
            time.sleep(IDLE)
            found.append(Spent(wall / count, (time.process_time() - cpu) / count))
        if number:
            yield found


def network(name: str) -> nn.Sequential:
    """The two networks of privacy benchmarks: 64-256-256-64, and two strided convolutions with a dense layer."""
    torch.manual_seed(0)
    if name == "mlp":
        return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 64))
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(),
        nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, CLASSES),
    )  # fmt: skip


def data(name: str, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (64,) if name == "mlp" else (1, 28, 28)
    return torch.randn(batch, *shape), torch.randint(0, CLASSES, (batch,))


def plain_step(name: str, batch: int) -> Step:
    net, (x, y) = network(name), data(name, batch)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        cross_entropy(net(x), y).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def private_step(name: str, batch: int) -> Step:
    net, records = network(name), data(name, batch)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    engine = engine_of(net, lambda given: cross_entropy(net(given[0]), given[1], reduction="none"), penalised=False)
    mechanism = GaussianSum(Secret.fresh().key("noise"), multiplier=1.0, clip=1.0, normalizer=float(batch))
    gradient = torch.zeros(engine.width)
    for weight, part in zip(engine.parameters.values(), engine.views(gradient), strict=True):
        weight.grad = part

    def step() -> None:
        parts = zip(*map(engine.parts, records), strict=True)
        gradient.copy_(mechanism.release(engine.summed(parts, 1.0)))
        optimizer.step()

    return step


def ghost_step(name: str, batch: int) -> Step:
    """Opacus 1.6: fast gradient clipping, with its own double backward pass and its own noise."""
    from opacus import PrivacyEngine
    from torch.utils.data import DataLoader, TensorDataset

    net, (x, y) = network(name), data(name, batch)
    net, optimizer, criterion, _ = PrivacyEngine().make_private(
        module=net,
        optimizer=torch.optim.Adam(net.parameters(), lr=1e-3, fused=True),
        data_loader=DataLoader(TensorDataset(x, y), batch_size=batch),
        criterion=nn.CrossEntropyLoss(),
        noise_multiplier=1.0,
        max_grad_norm=1.0,
        grad_sample_mode="ghost",
        poisson_sampling=False,
    )

    def step() -> None:
        optimizer.zero_grad()
        criterion(net(x), y).backward()
        optimizer.step()

    return step


def peak(kind: str, name: str, batch: int) -> tuple[float, float]:
    """The most memory that a fresh process holds in ten steps, and before the first of them, in MiB."""
    context = get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_held, (kind, name, batch))


def _held(kind: str, name: str, batch: int) -> tuple[float, float]:
    torch.set_num_threads(1)
    step = (plain_step if kind == "plain" else private_step)(name, batch)
    # A child is told the peak of its parent: the mark is set back first.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _resident("VmRSS")
    for _ in range(10):
        step()
    return _resident("VmHWM"), before


def _resident(key: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


if __name__ == "__main__":
    main()
