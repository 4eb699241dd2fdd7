"""Canaries through the production training: every record's gradient is a direction of its own, so a run is many mechanisms.

With the loss ``-s <w, x_i>`` and unit vectors x_i, what is released in direction i is the subsampled Gaussian mechanism on
one record, exactly: mean q T C where the record is present, variance T sigma^2 C^2 where it is not, nothing in common from
step to step. Every part that could be wrong is the one that trains engines: sampler, clip, sum, noise, count.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthspec.backend.auditing import CanaryRun
from synthspec.backend.secret import Secret
from synthspec.ir.families import DpSgd, Optimizer, Stability, Training
from synthspec_torch.privacy.gradients import Batch
from synthspec_torch.privacy.mechanism import GaussianSum
from synthspec_torch.privacy.stream import RecordDraws
from synthspec_torch.privacy.training import PrivateCourse, PrivateRun, RecordLearner

_STEEP = 100.0
"""Of the loss, in clip norms: every gradient is clipped."""
_REPLAYED, _REPLAYED_STEPS = 64, 20
_COMPARED = 1000
"""Releases of which every two are compared, at most."""
_LEAST_STEPS = 30
"""Below, the variance of batch sizes says nothing."""
Floats = NDArray[np.float64]


class Canaries(RecordLearner):
    """Record i pushes weight ``places[i]`` of `width`, and no other."""

    def __init__(self, places: NDArray[np.int64], width: int, clip: float) -> None:
        self._linear = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self._linear.weight)
        self._places, self._steep = torch.from_numpy(places), _STEEP * clip
        self.released_of: list[Floats] = []
        """What each step moved, over its learning rate, [T][width]."""
        self._before = np.zeros(width)

    @property
    def network(self) -> nn.Module:
        return self._linear

    def drawn(self, rows: torch.Tensor, draws: RecordDraws) -> Batch:  # noqa: ARG002 - a canary draws nothing
        return (nn.functional.one_hot(self._places[rows], self._linear.in_features).float(),)

    def record_losses(self, batch: Batch) -> torch.Tensor:
        return -self._steep * torch.as_tensor(self._linear(batch[0]))[:, 0]

    def released(self, step: int, lr: float) -> dict[str, float]:  # noqa: ARG002
        after = self._linear.weight.detach()[0].double().numpy().copy()
        self.released_of.append((after - self._before) / lr)
        self._before = after
        return {}


class _Recorder(GaussianSum):
    """Keeps what was summed, and releases what another run released where that is given."""

    def __init__(self, secret: Secret, course: PrivateCourse, outputs: list[torch.Tensor] | None = None) -> None:
        super().__init__(
            secret.key("noise"), multiplier=course.multiplier, clip=course.clip, normalizer=course.normalizer
        )
        self.sums: list[torch.Tensor] = []
        self.stds: list[float] = []
        self.outputs: list[torch.Tensor] = []
        self._given = outputs

    def release(self, total: torch.Tensor) -> torch.Tensor:
        self.sums.append(total.clone())
        self.stds.append(self.std)
        made = super().release(total)
        if self._given is not None and len(self.sums) <= len(self._given):
            made = self._given[len(self.sums) - 1].clone()
        self.outputs.append(made.clone())
        return made


class _Unread:
    """A log that nobody reads."""

    def write(self, step: int, epoch: int, signals: object) -> None:
        """Nothing of an audit is kept."""


def audit(block: DpSgd, canaries: int, seed: int | None, run: type[PrivateRun] = PrivateRun) -> CanaryRun:
    """One training of `canaries` under `block`, and the checks that its releases and its sampler allow.

    `run` is the training under audit. Raises ValueError for a block that no training takes.
    """
    secret = Secret.fresh() if seed is None else Secret(hashlib.sha256(f"audit/{seed}".encode()).digest(), bytes(32))
    coins = np.random.Generator(np.random.Philox(key=int.from_bytes(secret.key("coins")[:16], "little")))
    present = coins.random(canaries) < 0.5
    places = np.flatnonzero(present)
    course = _course(block, len(places))
    learner = Canaries(places, canaries, course.clip)
    begun = run.of(learner, course, secret, _Unread())  # type: ignore[arg-type]
    for step in range(1, course.steps + 1):
        if begun.advance(step):
            break
    each = np.stack(learner.released_of) * (course.normalizer / course.clip)
    ratio, same = _replayed(block, secret, run)
    return CanaryRun(
        present=tuple(bool(coin) for coin in present),
        scores=tuple(float(total) for total in each.sum(axis=0)),
        replay_ratio=ratio,
        replay_same=same,
        z=tuple({**_calibration(each, present, course), **_sampling(begun, course)}.items()),
    )


def _course(block: DpSgd, records: int) -> PrivateCourse:
    training = Training(optimizer=Optimizer(name="sgd", lr=1.0), seed=0)
    return PrivateCourse.of(training, Stability(), block, records)


def _calibration(each: Floats, present: NDArray[np.bool_], course: PrivateCourse) -> dict[str, float]:
    """Mean of the present, noise of the absent, correlation of their steps; `each` is [T, m] in clip norms."""
    steps, rate, sigma = len(each), course.rate, course.multiplier
    found: dict[str, float] = {}
    inside, outside = each[:, present], each[:, ~present]
    if inside.size:
        spread = math.sqrt(steps * (sigma**2 + rate * (1 - rate)) / inside.shape[1])
        found["mean"] = float((inside.sum(axis=0).mean() - rate * steps) / spread)
    if outside.size and sigma:
        noise = float(np.square(outside).mean()) / sigma**2
        found["noise"] = (noise - 1) * math.sqrt(outside.size / 2)
        if steps > 1:
            product = float((outside[1:] * outside[:-1]).mean()) / sigma**2
            found["correlation"] = product * math.sqrt(outside[1:].size)
            found["repetition"] = _repetition(outside[:_COMPARED] / sigma)
    return found


def _repetition(noise: Floats) -> float:
    """How far the most alike two of the releases `noise` [T, m] are beyond what the most alike of so many pairs would be.

    Noise that is used twice shows here, even if no third release has it: a mean over all steps would drown it.
    """
    steps, width = noise.shape
    alike = (noise @ noise.T)[np.triu_indices(steps, 1)] / math.sqrt(width)
    return float(alike.max()) - math.sqrt(2 * math.log(max(2, len(alike))))


def _sampling(run: PrivateRun, course: PrivateCourse) -> dict[str, float]:
    """Variances of the size of a batch and of how often a record is drawn: those of coins, or those of a shuffle."""
    n, q, steps = course.records, course.rate, course.steps
    if q == 1 or steps < _LEAST_STEPS or n < 2:
        return {}
    sizes, drawn = np.zeros(steps), np.zeros(n)
    for step in range(steps):
        rows = run.sampler.draw(step + 1).numpy()
        sizes[step] = len(rows)
        drawn[rows] += 1
    return {"batch_size": _as_coins(sizes, n, q), "participation": _as_coins(drawn, steps, q)}


def _as_coins(counts: Floats, coins: int, q: float) -> float:
    """How far the variance of `counts` lies from that of `coins` coins, as a standard normal (Wilson and Hilferty 1931).

    The excess kurtosis of a binomial makes a variance vary more, as fewer degrees of freedom would.
    """
    spread = coins * q * (1 - q)
    freedom = 2 * len(counts) / (2 + (1 - 6 * q * (1 - q)) / spread)
    ratio = float(np.square(counts - coins * q).mean()) / spread
    return float((math.cbrt(ratio) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom)))


def _replayed(block: DpSgd, secret: Secret, run: type[PrivateRun]) -> tuple[float, bool]:
    """The same coins and the same releases with one record less: what is summed may differ by one clip norm."""
    places = np.arange(_REPLAYED)

    def trained(records: int, outputs: list[torch.Tensor] | None) -> tuple[_Recorder, PrivateCourse]:
        course = replace(_course(block, records), steps=min(_REPLAYED_STEPS, block.steps or 1))
        begun = run.of(Canaries(places[:records], _REPLAYED, course.clip), course, secret, _Unread())  # type: ignore[arg-type]
        recorder = _Recorder(secret, course, outputs)
        begun.mechanism = recorder
        for step in range(1, course.steps + 1):
            begun.advance(step)
        return recorder, course

    one, course = trained(_REPLAYED, None)
    other, _ = trained(_REPLAYED - 1, one.outputs)
    apart = [float((a - b).norm()) / course.clip for a, b in zip(one.sums, other.sums, strict=False)]
    return max(apart, default=0.0), len(one.sums) == len(other.sums) and one.stds == other.stds
