"""The audit of PATE: one record moves one vote; each planted bug is found by one of the layers, or cannot be made."""

import numpy as np
import pytest
import torch

from synthspec.accounting import eps_total, votes
from synthspec.accounting.one_run import guessed, lower_bound
from synthspec.ir.families import Pate
from synthspec.pipeline.auditing import Audit
from synthspec_torch.gan.pate import VoteRun
from synthspec_torch.gan.pate_audit import Parts, audit
from synthspec_torch.privacy.votes import NoisyVotes

CLAIMED, QUERIES = 4.0, 100
SIGMA, SCALE = 15.4, 22.0


def block(law="gnmax", **changes):
    stated = {
        "mechanism": "pate", "unit": "record", "adjacency": "add_remove", "teachers": 10, "aggregation": law,
        "noise": {"multiplier": SIGMA if law == "gnmax" else SCALE}, "queries": QUERIES, "delta": 1e-5, "eps_budget": 4.0,
        "accountant": "pld",
    }  # fmt: skip
    return Pate.model_validate(stated | changes)


def audited(law="gnmax", seed=1, canaries=300, parts=None):
    found = audit(block(law), canaries, seed, parts)
    guesses = canaries // 10
    correct = guessed(found.scores, found.present, guesses)
    lower = lower_bound(correct, guesses, canaries, 1e-5)
    return Audit(
        claimed=CLAIMED,
        delta=1e-5,
        lower=lower,
        canaries=canaries,
        guesses=guesses,
        correct=correct,
        run=found,
        unit="votes",
    )


def test_the_claim_of_these_tests_is_that_of_the_accountant():
    assert 3.8 < eps_total(votes("gnmax", SIGMA, QUERIES, "add_remove"), 1e-5, "analytic").eps <= CLAIMED
    pytest.importorskip("dp_accounting")
    assert 3.0 < eps_total(votes("laplace", SCALE, QUERIES, "add_remove"), 1e-5).eps <= CLAIMED


@pytest.mark.parametrize("law", ["gnmax", "laplace"])
def test_correct_votes_show_no_defect_and_one_vote_does_move(law):
    runs = [audited(law, seed) for seed in range(2)]
    assert [run.defects for run in runs] == [()] * 2
    assert {run.run.replay_ratio for run in runs} == {1.0}


class ManyTeachers(Parts):
    """A record teaches several teachers."""

    def owned(self, key, records, teachers):
        rows = super().owned(key, records, teachers)
        return [np.union1d(each, rows[number - 1]) for number, each in enumerate(rows)]


class Shuffled(Parts):
    """Parts of equal sizes, from a shuffle of all records: one more moves others to other teachers."""

    def owned(self, key, records, teachers):
        order = np.random.default_rng(records).permutation(records)
        return [np.sort(each) for each in np.array_split(order, teachers)]


class Inverse(NoisyVotes):
    """lambda for 1 / lambda."""

    def noise(self, turn, shape):
        return super().noise(turn, shape) / self.scale**2


class Half(NoisyVotes):
    def noise(self, turn, shape):
        return super().noise(turn, shape) / 2


class Reseeded(NoisyVotes):
    def noise(self, turn, shape):
        return super().noise(1, shape)


class Uncounted(VoteRun):
    """Asks the teachers a second time, behind the meter."""

    def ask(self, step, queries):
        share = super().ask(step, queries)
        self.mechanism.releases -= 1
        self.mechanism.winners(torch.zeros(1, 2))
        return share


@pytest.mark.parametrize(
    ("law", "parts", "layer"),
    [
        ("gnmax", ManyTeachers(), "replay"),
        ("laplace", Shuffled(), "replay"),
        ("gnmax", Parts(run=Uncounted), "replay"),
        ("gnmax", Parts(votes=Half), "calibration: votes"),
        ("laplace", Parts(votes=Inverse), "calibration: votes"),
        ("laplace", Parts(votes=Reseeded), "calibration: turns"),
    ],
)
def test_every_planted_bug_is_found(law, parts, layer):
    assert any(layer in found for found in audited(law, canaries=100, parts=parts).defects)


def test_an_audit_needs_numbers():
    with pytest.raises(ValueError, match="noise in numbers"):
        audit(block(noise={"multiplier": "auto"}), 100, 1)
