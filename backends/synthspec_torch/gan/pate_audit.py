"""Canaries through the production votes: what one record moves, whether the noise is what is accounted for, a lower bound.

The layers of the audit of DP-SGD (`synthspec_torch.privacy.canaries`), as far as they mean something here: nothing is
sampled, so there is no sampler to test.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.backend.auditing import CanaryRun
from synthspec.backend.secret import Secret
from synthspec.ir.families import Adversarial, GanMlp, Optimizer, Pate, Stability, Training
from synthspec_torch.gan.heads import Head
from synthspec_torch.gan.networks import build_critic, build_generator
from synthspec_torch.gan.pate import VoteCourse, VoteRun
from synthspec_torch.gan.probe import Records
from synthspec_torch.gan.teachers import Teachers
from synthspec_torch.privacy.votes import NoisyVotes, parts_of
from synthspec_torch.training.seeding import initial_weights

_RECORDS, _TEACHERS, _STEPS, _QUERIES = 13, 6, 8, 96
"""Of the training that is replayed: few records a teacher, so that one can turn it."""
_NEIGHBOURS = 3
"""Records that are taken out in turn."""
_ASKED = 20_000
"""Queries of a calibration, and of a one-run bound at most: fewer than are planned bound less, never wrongly."""
_NETWORK = GanMlp(name="mlp", hidden=(8,), latent_dim=2)


@dataclass(frozen=True)
class Parts:
    """What is audited: the parts of the records, the votes, and the training that asks for them."""

    votes: type[NoisyVotes] = NoisyVotes
    run: type[VoteRun] = VoteRun

    def owned(self, key: bytes, records: int, teachers: int) -> list[NDArray[np.int64]]:
        """The rows of each teacher."""
        owners = parts_of(key, records, teachers)
        return [np.flatnonzero(owners == each) for each in range(teachers)]


def audit(block: Pate, canaries: int, seed: int | None, parts: Parts | None = None) -> CanaryRun:
    """A replayed training of `parts` under `block`, and its votes about `canaries` records, each present by a coin.

    Raises ValueError for a block that no training takes.
    """
    secret = Secret.fresh() if seed is None else Secret(hashlib.sha256(f"audit/{seed}".encode()).digest(), bytes(32))
    parts = parts or Parts()
    moved, same = replayed(block, secret, parts)
    coins = np.random.Generator(np.random.Philox(key=int.from_bytes(secret.key("coins")[:16], "little")))
    present = coins.random(canaries) < 0.5
    return CanaryRun(
        present=tuple(bool(coin) for coin in present),
        scores=tuple(float(score) for score in _told(block, secret, parts, present, coins)),
        replay_ratio=moved,
        replay_same=same,
        z=tuple(_calibrated(block, secret, parts).items()),
    )


class _Heard:
    """Keeps the counts of a mechanism, and answers as another run was answered where that is given."""

    def __init__(self, mechanism: NoisyVotes, given: list[torch.Tensor] | None) -> None:
        self.mechanism, self._given = mechanism, given
        self.counts: list[torch.Tensor] = []
        self.answers: list[torch.Tensor] = []
        self._answer, mechanism.winners = mechanism.winners, self.winners  # type: ignore[method-assign]

    def winners(self, counts: torch.Tensor) -> torch.Tensor:
        made, turn = self._answer(counts), len(self.counts)
        self.counts.append(counts.clone())
        self.answers.append(made if self._given is None or turn >= len(self._given) else self._given[turn])
        return self.answers[-1]


class _Unread:
    """A log that nobody reads."""

    def write(self, step: int, epoch: int, signals: Mapping[str, float]) -> None:
        """Nothing of an audit is kept."""


def replayed(block: Pate, secret: Secret, parts: Parts) -> tuple[float, bool]:
    """The same coins and the same answers with one record less, of several: the most votes that moved at any query.

    And whether each asked for as many votes, all of which were charged.
    """
    x = torch.randn(_RECORDS, 2, generator=torch.Generator().manual_seed(1)) * 0.3
    x[-1] = 6.0  # far from the others
    moved, counts = 0.0, set[int]()
    for place in range(0, _RECORDS, _RECORDS // _NEIGHBOURS):
        order = x.roll(place, 0)
        one = _trained(block, secret, parts, order, None)
        other = _trained(block, secret, parts, order[:-1], one.answers)
        for a, b in zip(one.counts, other.counts, strict=False):
            moved = max(moved, float((a - b).abs().sum(1).max()) / 2)
        for each in (one, other):
            counts |= {sum(map(len, each.counts)), each.mechanism.releases}
    return moved, counts == {_QUERIES}


def _trained(
    block: Pate, secret: Secret, parts: Parts, x: torch.Tensor, given: list[torch.Tensor] | None
) -> _Heard:  # fmt: skip
    """A training on the records `x`."""
    course = _course(block)
    with initial_weights(1):
        generator = build_generator(_NETWORK, (2,), 0, Head())
        student, *critics = (build_critic(_NETWORK, (2,), 0, spectral=False) for _ in range(1 + _TEACHERS))
    rows = parts.owned(secret.key("partition"), len(x), _TEACHERS)
    owned = [Records(x[torch.from_numpy(each)], torch.zeros(len(each), 0)) for each in rows]
    teachers = Teachers(critics, owned, course.objective, course.training.optimizer)
    mechanism = _votes(block, secret, parts, course.queries)
    heard = _Heard(mechanism, given)
    run = parts.run(
        course,
        generator,
        student,
        teachers,
        mechanism,
        lambda _, n: torch.zeros(n, 0),
        _Unread(),  # type: ignore[arg-type]
        seed=1,
    )
    for step in range(1, course.steps + 1):
        run.advance(step)
    return heard


def _course(block: Pate) -> VoteCourse:
    optimizer = Optimizer(name="sgd", lr=1.0)
    return VoteCourse(
        training=Training(optimizer=optimizer, seed=1), stability=Stability(),
        objective=Adversarial(measure="gan", critic_steps=4), block=block, steps=_STEPS, batch=4,
        teachers=_TEACHERS, queries=_QUERIES, scale=_scale(block),
    )  # fmt: skip


def _votes(block: Pate, secret: Secret, parts: Parts, planned: int) -> NoisyVotes:
    return parts.votes(
        secret.key("noise"), aggregation=block.aggregation or "gnmax", scale=_scale(block), planned=planned
    )


def _scale(block: Pate) -> float:
    scale = None if block.noise is None else block.noise.multiplier
    if not isinstance(scale, float) or not scale > 0:
        raise ValueError("an audit needs the noise in numbers")
    return scale


def _calibrated(block: Pate, secret: Secret, parts: Parts) -> dict[str, float]:
    """How often the class wins that is so far ahead that it should in 3 of 4 queries, and whether answers follow each other."""
    scale = _scale(block)
    # Of two counts, each with noise of its own, what counts is the difference: sqrt 2 sigma, or twice Laplace's law.
    ahead = scale * (_LAPLACE_QUARTER if block.aggregation == "laplace" else _NORMAL_QUARTER * math.sqrt(2))
    counts = torch.tensor([[0.0, ahead]]).double().expand(_ASKED, 2)
    mechanism = _votes(block, secret, parts, _ASKED)
    won = torch.cat([mechanism.winners(part) for part in torch.split(counts, _ASKED // 20)]).double().numpy()
    spread = math.sqrt(_ASKED * 0.75 * 0.25)
    centred = won - 0.75
    product = float((centred[1:] * centred[:-1]).sum()) / (0.75 * 0.25)
    turns = won.reshape(20, -1) - 0.75
    between = float((turns[1:] * turns[:-1]).sum()) / (0.75 * 0.25)
    return {
        "votes": float((won.sum() - 0.75 * _ASKED) / spread),
        "correlation": product / math.sqrt(_ASKED - 1),
        "turns": between / math.sqrt(turns[1:].size),
    }


def _told(
    block: Pate, secret: Secret, parts: Parts, present: NDArray[np.bool_], coins: np.random.Generator
) -> NDArray[np.float64]:  # fmt: skip
    """How much the winners speak for each canary: teacher i votes as it likes, and the other way where its record is absent.

    That is what one record may do at most, in every query.
    """
    queries = min(block.queries or 0, _ASKED)
    likes = coins.random((queries, len(present))) < 0.5
    real = torch.from_numpy((likes == present).sum(axis=1))
    won = _votes(block, secret, parts, queries).winners(torch.stack([len(present) - real, real], 1)).numpy()
    return np.asarray((np.where(likes, 1.0, -1.0) * (2.0 * won - 1.0)[:, None]).sum(axis=0))


_NORMAL_QUARTER = 0.6744897501960817
"""The upper quartile of the standard normal law."""
_LAPLACE_QUARTER = 1.1461932206205825
"""And of the difference of two numbers of Laplace's law: P(X - Y > t) = e^-t (2 + t) / 4."""
