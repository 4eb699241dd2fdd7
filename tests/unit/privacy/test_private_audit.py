"""Empirical audit of the private training, cheapest layers first: record replay, and calibration on linear canaries.

Record replay (Cebere et al. 2026): the same coins and the same released gradients on two neighbouring data sets; what is
summed before the noise may differ by one clip norm, and nothing else may differ at all. Canaries: records whose gradients
are orthogonal turn a training into independent mechanisms, one a coordinate, whose law is known.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from synthspec.ir.families import Optimizer, Stability, Training
from synthspec_torch.privacy.bookkeeping import BookKeeping
from synthspec_torch.privacy.engines import engine_of
from synthspec_torch.privacy.gradients import OneByOne
from synthspec_torch.privacy.mechanism import GaussianSum
from synthspec_torch.privacy.training import PrivateRun, RecordLearner

STEPS = 6


class Recorder(GaussianSum):
    """Keeps what was summed; releases what another run released where that is given."""

    def __init__(self, course, key, outputs=None):
        super().__init__(key, multiplier=course.multiplier, clip=course.clip, normalizer=course.normalizer)
        self.outputs, self.sums, self.released, self.stds = outputs, [], [], []

    def release(self, total):
        self.sums.append(total.clone())
        self.stds.append(self.std)
        made = super().release(total)
        if self.outputs is not None and len(self.sums) <= len(self.outputs):
            made = self.outputs[len(self.sums) - 1].clone()
        self.released.append(made.clone())
        return made


def trained(kit, learner, made, kind, outputs=None):
    recorder = Recorder(made, kit.SECRET.key("noise"), outputs)
    begun = kit.run(learner, made, kind, mechanism=recorder)
    for step in range(1, made.steps + 1):
        if begun.advance(step):
            break
    return recorder, begun


def replayed(kit, learner_of, records, kind=PrivateRun, **changes):
    """The largest distance of two sums over the clip norm, and whether calls and noise were the same.

    The neighbour lacks the last record: the others keep their rows, their coins and their draws.
    """
    changes = {"steps": STEPS} | changes
    made = kit.course(len(records), **changes)
    one, _ = trained(kit, learner_of(records), made, kind)
    fewer = kit.course(len(records) - 1, **changes)
    other, _ = trained(kit, learner_of(records[:-1]), fewer, kind, one.released)
    apart = [(a - b).norm().item() / made.clip for a, b in zip(one.sums, other.sums, strict=False)]
    return max(apart), len(one.sums) == len(other.sums) and one.stds == other.stds


def test_one_record_moves_the_sum_by_one_clip_norm_and_nothing_else(kit, engine, records):
    apart, same_flow = replayed(kit, engine.of, records)
    assert 0.5 < apart <= 1 + 1e-5
    assert same_flow


def engine_named(kit, name):
    return next(each for each in kit.ENGINES if each.name == name)


class RealisedBatch(PrivateRun):
    def clipped_sum(self, step):
        return super().clipped_sum(step) * self.course.normalizer / max(1, len(self.sampler.draw(step)))


class BatchClip(PrivateRun):
    """Clips the mean of a batch, and counts it as often as it has records."""

    def clipped_sum(self, step):
        clip, self.course = self.course.clip, kit_like(self.course, math.inf)
        total = super().clipped_sum(step)
        self.course = kit_like(self.course, clip)
        count = max(1, len(self.sampler.draw(step)))
        return total / count * min(1.0, clip / (total.norm().item() / count + 1e-30)) * count


class SkipEmpty(PrivateRun):
    def advance(self, step):
        return super().advance(step) if len(self.sampler.draw(step)) else False


class Sequential(PrivateRun):
    """Draws by the place of a record in its batch."""

    def __post_init__(self):
        super().__post_init__()
        self.learner.drawn = lambda rows, draws: type(self.learner).drawn(self.learner, rows, ByPlace(draws))


class ByPlace:
    def __init__(self, draws):
        self.rng = torch.Generator().manual_seed(draws._step)
        self.count = len(draws._records)

    def normal(self, *shape):
        # A drawing that depends on how many there are, as one from a shared generator does.
        return torch.randn((self.count, *shape), generator=self.rng).flip(0)

    def uniform(self, *shape):
        return torch.rand((self.count, *shape), generator=self.rng).flip(0)


class DataNoise(PrivateRun):
    def clipped_sum(self, step):
        self.mechanism.std = self.course.multiplier * self.course.clip * (1 + 0.01 * len(self.sampler.draw(step)))
        return super().clipped_sum(step)


def kit_like(course, clip):
    return replace(course, clip=clip)


BUGS = [RealisedBatch, BatchClip, Sequential, DataNoise]


@pytest.mark.parametrize("kind", BUGS)
def test_record_replay_catches_a_training_that(kit, records, kind):
    apart, same_flow = replayed(kit, engine_named(kit, "vae-mlp").of, records, kind)
    assert apart > 1.05 or not same_flow


def test_record_replay_catches_a_skipped_empty_batch(kit, records):
    """Of three records the last is sometimes drawn alone: without it the batch is empty, and must release all the same."""
    few, one = records[-3:], engine_named(kit, "vae-mlp").of
    assert replayed(kit, one, few, steps=30)[1]
    assert not replayed(kit, one, few, SkipEmpty, steps=30)[1]


def test_record_replay_catches_a_scaler_that_is_fitted_on_the_records(kit, records):
    engine = engine_named(kit, "vae-mlp")
    apart, _ = replayed(kit, lambda x: engine.of((x - x.min()) / (x.max() - x.min())), records)
    assert apart > 1.1


class LoosePenalty(PrivateRun):
    """Clips what the scores give, and adds the gradient of the penalty as it is."""

    def __post_init__(self):
        super().__post_init__()
        learner, objective = self.learner, self.learner.rules.objective

        def without(batch):
            x, c, fake, _ = batch
            return learner.critic(fake, c) - learner.critic(x, c)

        def penalty(batch):
            return learner.record_losses(batch) - without(batch)

        assert objective.lambda_gp
        self.scored = engine_of(learner.network, without, penalised=True)
        self.penalty = OneByOne(learner.network, penalty)
        self.engine.add = self.both

    def both(self, total, batch, clip):
        self.scored.add(total, batch, clip)
        return self.penalty.add(total, batch, math.inf)


def test_record_replay_catches_a_penalty_that_is_not_clipped(kit, records):
    apart, _ = replayed(kit, engine_named(kit, "gan-mlp-penalty").of, records, LoosePenalty)
    assert apart > 1.5


class SlyCritic(RecordLearner):
    """Updates its critic once more, out of sight of the noise."""

    def __init__(self, honest):
        self.honest = honest

    def __getattr__(self, name):
        return getattr(self.honest, name)

    network = property(lambda self: self.honest.network)
    penalised = property(lambda self: self.honest.penalised)

    def drawn(self, rows, draws):
        return self.honest.drawn(rows, draws)

    def record_losses(self, batch):
        return self.honest.record_losses(batch)

    def released(self, step, lr):
        with torch.no_grad():
            for weight in self.network.parameters():
                weight.mul_(0.999)
        return {}


def test_a_critic_that_is_updated_beside_the_releases_stops_the_training(kit, records):
    honest = engine_named(kit, "gan-mlp-penalty").of(records)
    begun = kit.run(SlyCritic(honest), kit.course(len(records)))
    with pytest.raises(RuntimeError, match="by releases alone"):
        begun.advance(1)


def test_every_update_of_a_critic_is_a_release_that_counts(kit, records):
    learner = engine_named(kit, "gan-mlp-penalty").of(records)
    changes = []
    made = kit.course(len(records), steps=6)
    begun = kit.run(learner, made)
    for step in range(1, 7):
        before = [weight.clone() for weight in learner.critic.parameters()]
        generator = [weight.clone() for weight in learner.generator.parameters()]
        begun.advance(step)
        changes.append(any(not torch.equal(a, b) for a, b in zip(before, learner.critic.parameters(), strict=True)))
        moved = any(not torch.equal(a, b) for a, b in zip(generator, learner.generator.parameters(), strict=True))
        assert moved == (step % 2 == 0)
    _, record = begun.finish("")
    assert record.releases == sum(changes) == 6


COORDINATES, PRESENT, RELEASES, RATE, SIGMA, CLIP, NORMALIZER = 1000, 500, 60, 0.1, 1.0, 0.5, 50.0


class Canaries(RecordLearner):
    """``-s <w, x_i>`` with x_i the i-th unit vector, s far above the clip norm; half the coordinates have a record."""

    def __init__(self, passes=1):
        self.linear = nn.Linear(COORDINATES, 1, bias=False)
        nn.init.zeros_(self.linear.weight)
        self.passes, self.path, self.lrs = passes, [], []

    @property
    def network(self):
        return self.linear

    def drawn(self, rows, draws):
        return (nn.functional.one_hot(rows, COORDINATES).float()[:, None].repeat(1, self.passes, 1),)

    def record_losses(self, batch):
        return -5.0 * self.linear(batch[0])[..., 0].mean(1)

    def released(self, step, lr):
        self.path.append(self.linear.weight.detach()[0].double().clone())
        self.lrs.append(lr)
        return {}


def z_scores(kit, kind=PrivateRun, learner=None, mechanism=GaussianSum):
    """How far mean, variance and step correlation lie from those that are accounted for, in standard errors."""
    learner = learner or Canaries()
    training = Training(optimizer=Optimizer(name="sgd", lr=1.0), seed=1)
    made = kit.course(
        PRESENT, training, Stability(), steps=RELEASES, sampling={"scheme": "poisson", "rate": RATE},
        clip={"norm": CLIP, "per": "record", "scope": "flat"}, noise={"multiplier": SIGMA}, normalizer=NORMALIZER,
    )  # fmt: skip
    noise = mechanism(kit.SECRET.key("noise"), multiplier=SIGMA, clip=CLIP, normalizer=NORMALIZER)
    begun = kit.run(learner, made, kind, mechanism=noise)
    for step in range(1, RELEASES + 1):
        begun.advance(step)
    lrs = np.array(learner.lrs)
    moved = np.diff(torch.stack([torch.zeros(COORDINATES, dtype=torch.float64), *learner.path]).numpy(), axis=0)
    each = moved * NORMALIZER / lrs[:, None] / CLIP  # of one step, in units of the clip norm
    total = (moved * NORMALIZER / CLIP).sum(0)
    inside, outside = total[:PRESENT], each[:, PRESENT:]
    spread = math.sqrt((lrs**2).sum() * (SIGMA**2 + RATE * (1 - RATE)) / PRESENT)
    cells = outside.size
    return {
        "mean": (inside.mean() - RATE * lrs.sum()) / spread,
        "variance": ((outside**2).mean() / SIGMA**2 - 1) / math.sqrt(2 / cells),
        "correlation": (outside[1:] * outside[:-1]).mean() / (outside**2).mean() * math.sqrt(cells),
    }


def test_canaries_find_the_mechanism_that_is_accounted_for(kit):
    assert all(abs(z) < 4.5 for z in z_scores(kit).values())
    assert all(abs(z) < 4.5 for z in z_scores(kit, learner=Canaries(passes=3)).values())


def test_canaries_in_small_physical_batches_get_their_noise_once(kit, monkeypatch):
    monkeypatch.setattr(BookKeeping, "at_once", 7)
    assert all(abs(z) < 4.5 for z in z_scores(kit).values())


class NoiseTwice(GaussianSum):
    def release(self, total):
        self.std = SIGMA * CLIP / self.normalizer
        return super().release(total)


class NoiseOutside(GaussianSum):
    """S405-8 taken literally: the noise is not divided by the size of a batch."""

    def release(self, total):
        self.std = SIGMA * CLIP * self.normalizer
        return super().release(total)


class HalfNoise(GaussianSum):
    def release(self, total):
        self.std = SIGMA * CLIP / 2
        return super().release(total)


class Reseeded(GaussianSum):
    """The same noise at every step."""

    def release(self, total):
        return total.add_(self._noise.of(1, len(total)), alpha=self.std).div_(self.normalizer).float()


class PerMicrobatch(GaussianSum):
    """Four draws of a quarter of the noise each: a quarter of the variance."""

    def release(self, total):
        self.std = SIGMA * CLIP / 4
        for _ in range(3):
            total = super().release(total).double() * self.normalizer
        return super().release(total)


class Unclipped(PrivateRun):
    def clipped_sum(self, step):
        self.course = kit_like(self.course, math.inf)
        return super().clipped_sum(step)


class EachPassClipped(PrivateRun):
    """Three passes of a record clipped one by one."""

    def clipped_sum(self, step):
        return 3 * super().clipped_sum(step)


class StepsTwice(PrivateRun):
    """An update more than is counted, of the same gradient."""

    def clipped_sum(self, step):
        return super().clipped_sum(step) * 1.5


@pytest.mark.parametrize("mechanism", [NoiseTwice, NoiseOutside, HalfNoise, Reseeded, PerMicrobatch])
def test_canaries_catch_noise_that(kit, mechanism):
    assert max(map(abs, z_scores(kit, mechanism=mechanism).values())) > 9


@pytest.mark.parametrize("kind", [Unclipped, BatchClip, EachPassClipped, StepsTwice])
def test_canaries_catch_clipping_that(kit, kind):
    assert max(map(abs, z_scores(kit, kind).values())) > 6
