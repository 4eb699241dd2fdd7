"""The audit: a correct training stays under its claim, and each planted bug is found by one of the layers."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from synthspec.accounting import PoissonGaussian, eps_total
from synthspec.accounting.one_run import guessed, lower_bound
from synthspec.cli.program import program
from synthspec.pipeline.auditing import Audit
from synthspec_torch.privacy.canaries import audit
from synthspec_torch.privacy.training import PrivateRun

STEPS, RATE, SIGMA = 40, 0.3, 2.3
CLAIMED = 4.0
SPEC = "examples/cancer-dp-vae/spec.yaml"


def block(kit, **changes):
    stated = {"steps": STEPS, "sampling": {"scheme": "poisson", "rate": RATE}, "noise": {"multiplier": SIGMA}}
    return kit.block(**(stated | changes))


def audited(kit, seed=1, canaries=1000, run=PrivateRun, **changes):
    found = audit(block(kit, **changes), canaries, seed, run)
    guesses = canaries // 10
    correct = guessed(found.scores, found.present, guesses)
    lower = lower_bound(correct, guesses, canaries, 1e-5)
    return Audit(
        claimed=CLAIMED, delta=1e-5, lower=lower, canaries=canaries, guesses=guesses, correct=correct, run=found
    )


def test_the_claim_of_these_tests_is_that_of_the_accountant():
    pytest.importorskip("dp_accounting")
    assert 3.5 < eps_total(PoissonGaussian(RATE, SIGMA, STEPS), 1e-5).eps <= CLAIMED


def test_ten_correct_runs_stay_under_their_claim_and_show_something(kit):
    runs = [audited(kit, seed) for seed in range(10)]
    assert all(run.lower < CLAIMED for run in runs)
    assert np.mean([run.lower for run in runs]) > 0.7
    assert [run.defects for run in runs] == [()] * 10


class WithMechanism(PrivateRun):
    """Something wrong with the noise from the first step on."""

    factor, reseeded = 1.0, False

    def __post_init__(self):
        super().__post_init__()
        self.mechanism.std *= self.factor
        if self.reseeded:
            honest = self.mechanism._noise
            self.mechanism._noise = type("Same", (), {"of": lambda _, release, width: honest.of(1, width)})()


class NoiseOverBatch(WithMechanism):
    factor = 1 / 8


class HalfNoise(WithMechanism):
    factor = 1 / 2


class Reseeded(WithMechanism):
    reseeded = True


class Unclipped(PrivateRun):
    def clipped_sum(self, step):
        honest, self.course = self.course, dataclasses.replace(self.course, clip=float("inf"))
        total = super().clipped_sum(step)
        self.course = honest
        return total


class Shuffled(PrivateRun):
    """Batches of one size, which the accountant takes for those of coins."""

    def __post_init__(self):
        super().__post_init__()
        self.sampler = Shuffle(self.course.records, self.course.rate)


class Shuffle:
    def __init__(self, records, rate):
        self.records, self.size = records, round(records * rate)

    def draw(self, step):
        epoch = torch.Generator().manual_seed(step)
        return torch.randperm(self.records, generator=epoch)[: self.size].sort().values


class TwiceCounted(PrivateRun):
    """Two updates of a critic for one that is counted."""

    def clipped_sum(self, step):
        return super().clipped_sum(step) * 2


@pytest.mark.parametrize(
    ("run", "layer"),
    [
        (NoiseOverBatch, "calibration: noise"),
        (HalfNoise, "calibration: noise"),
        (Reseeded, "calibration: correlation"),
        (Unclipped, "replay"),
        (Unclipped, "calibration: mean"),
        (Shuffled, "sampler: batch_size"),
        (TwiceCounted, "calibration: mean"),
    ],
)
def test_a_planted_bug_is_found_by_a_layer(kit, run, layer):
    assert any(defect.startswith(layer) for defect in audited(kit, run=run).defects)


def test_noise_that_is_divided_by_the_batch_exceeds_the_claim_in_one_run(kit):
    assert audited(kit, run=NoiseOverBatch, canaries=2000).lower > CLAIMED


def test_a_seed_repeats_an_audit_and_without_one_there_are_no_two_alike(kit):
    one, same = audit(block(kit, steps=3), 100, 5), audit(block(kit, steps=3), 100, 5)
    assert one == same
    assert audit(block(kit, steps=3), 100, None).present != audit(block(kit, steps=3), 100, None).present


def test_guesses_by_fair_coins_show_nothing():
    assert lower_bound(50, 100, 1000, 1e-5) == 0.0
    assert lower_bound(0, 100, 1000, 0.0) == 0.0


@pytest.mark.parametrize("guesses", [50, 200])
def test_the_bound_of_faultless_guesses_without_delta_has_a_closed_form(guesses):
    """(e^eps / (1 + e^eps))^r = 0.05."""
    right = 0.05 ** (1 / guesses)
    assert lower_bound(guesses, guesses, 1000, 0.0) == pytest.approx(np.log(right / (1 - right)), rel=1e-9)
    assert lower_bound(guesses, guesses, 1000, 1e-3) < lower_bound(guesses, guesses, 1000, 0.0)


def test_randomised_response_stays_under_its_eps_as_often_as_is_said():
    r, over = np.random.default_rng(0), 0
    right = np.exp(1.0) / (1 + np.exp(1.0))
    for _ in range(100):
        over += lower_bound(int(r.binomial(400, right)), 400, 400, 0.0) > 1.0
    assert over <= 12


@pytest.mark.parametrize("counts", [(5, 4, 10), (1, 0, 10), (3, 20, 10), (-1, 4, 10)])
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match="guesses"):
        lower_bound(*counts, 1e-5)


def test_the_verb_prints_claim_and_evidence():
    words = ["audit", SPEC, "--set", "privacy.steps=30", "--canaries", "200", "--seed", "1", "--format", "json"]
    answer = CliRunner().invoke(program(words), words)
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["eps_lower_bound"] <= told["eps_claimed"] <= 4.0
    assert told["defects"] == []
    assert "never the guarantee" in told["note"]


def test_the_verb_refuses_a_spec_without_a_private_training():
    words = ["audit", "examples/digits-diffusion/spec.yaml"]
    answer = CliRunner().invoke(program(words), words)
    assert answer.exit_code == 1
    assert "can be audited" in answer.stdout


class Broken:
    """A backend whose audit finds noise that is not there."""

    name = "torch"

    def audit(self, stated, canaries, seed):
        found = audit(stated.model_copy(update={"steps": 10}), canaries, 1)
        return dataclasses.replace(found, z=(("noise", -21.0),))


def test_a_defect_ends_with_exit_1(monkeypatch):
    monkeypatch.setattr("synthspec.pipeline.auditing.installed", lambda: {"torch": Broken()})
    words = ["audit", SPEC, "--canaries", "100"]
    answer = CliRunner().invoke(program(words), words)
    assert answer.exit_code == 1
    assert "calibration: noise is -21" in answer.stdout


def test_noise_that_two_releases_share_stands_out_and_chance_does_not():
    from synthspec_torch.privacy.canaries import _repetition

    rng = np.random.default_rng(6)
    for steps, width in ((2, 500), (300, 500), (1000, 300)):
        noise = rng.standard_normal((steps, width))
        assert _repetition(noise) < 4.5
        noise[-1] = noise[0]
        assert _repetition(noise) > 4.5
