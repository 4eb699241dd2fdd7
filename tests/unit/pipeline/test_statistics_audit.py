"""`audit` of noisy statistics: silent about the production releases, and it finds what is wrong with others."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from synthspec.backend import counted_canaries, marginals
from synthspec.backend.embedding import Features
from synthspec.backend.noise import Noise
from synthspec.pipeline.auditing import audit_plan
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, Spot, load_spec

SPEC = Path(__file__).parents[3] / "examples" / "cancer-dp-marginals" / "spec.yaml"


def compiled(kind):
    text = SPEC.read_text().replace("[marginals]", f"[{kind}]").encode()
    return load_spec(Spot(SPEC, "spec.yaml", text), Options(today=date(2026, 11, 22))).then(compile_spec).value


@pytest.fixture(scope="module")
def plan():
    return compiled("marginals")


@pytest.fixture(scope="module")
def embedded():
    return compiled("mean_embedding")


def test_ten_audits_of_the_right_mechanism_find_nothing_and_stay_below_the_claim(plan):
    found = [audit_plan(plan, 1000, seed).value for seed in range(10)]
    assert [each.defects for each in found] == [()] * 10
    assert all(0 <= each.lower < 4.0 for each in found)
    assert 3.99 < found[0].claimed <= 4.0
    assert all(each.run.replay_same and each.run.replay_ratio <= 1 + 1e-9 for each in found)


def test_audits_of_a_mean_embedding_find_nothing_and_stay_below_the_claim(embedded):
    found = [audit_plan(embedded, 400, seed).value for seed in range(5)]
    assert [each.defects for each in found] == [()] * 5
    assert all(0 <= each.lower < 4.0 for each in found)
    assert 3.99 < found[0].claimed <= 4.0
    assert all(each.run.replay_same and 1 - 1e-6 < each.run.replay_ratio <= 1 for each in found)


def weaker(right):
    def release(self, name, parts, sigma):
        made = right(self, name, parts, sigma)
        self.vectors[name] = [part + (each - part) / 2 for part, each in zip(parts, made, strict=True)]
        return self.vectors[name]

    return release


def reseeded(right):
    """One number over and over, as large as noise is: its size tells nothing."""

    def release(self, name, parts, sigma):
        made = right(self, name, parts, sigma)
        same = (np.sqrt(np.square(each - part).mean()) for part, each in zip(parts, made, strict=True))
        self.vectors[name] = [part + noise for part, noise in zip(parts, same, strict=True)]
        return self.vectors[name]

    return release


@pytest.mark.parametrize("kind", ["plan", "embedded"])
@pytest.mark.parametrize(("bug", "layer"), [(weaker, "noise"), (reseeded, "correlation")])
def test_wrong_noise_is_found(request, monkeypatch, kind, bug, layer):
    monkeypatch.setattr(Noise, "release", bug(Noise.release))
    found = audit_plan(request.getfixturevalue(kind), 1000, 1).value
    assert any(layer in defect for defect in found.defects), found.defects


def test_counts_that_a_record_moves_too_far_are_found(plan, monkeypatch):
    right = marginals.counted
    monkeypatch.setattr(marginals, "counted", lambda *given: 3 * right(*given))
    assert any("replay" in defect for defect in audit_plan(plan, 1000, 1).value.defects)


def test_features_that_are_too_long_are_found(embedded, monkeypatch):
    right = Features.of
    monkeypatch.setattr(Features, "of", lambda self, columns: 1.01 * right(self, columns))
    assert any("replay" in defect for defect in audit_plan(embedded, 400, 1).value.defects)


def test_a_release_that_depends_on_a_record_being_there_is_found(plan, monkeypatch):
    right = counted_canaries.fit_marginals

    def more(cells, codes, sigma, target, noise):
        made = right(cells, codes, sigma, target, noise)
        if len(codes[0]) % 2:
            noise.release("more", [np.zeros(1)], sigma)
        return made

    monkeypatch.setattr(counted_canaries, "fit_marginals", more)
    with_it, without = audit_plan(plan, 1000, 1).value, audit_plan(plan, 1000, 1).value
    assert any("replay" in defect for defect in (*with_it.defects, *without.defects))
