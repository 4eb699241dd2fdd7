"""An attack that does better than eps and delta allow, and what is said of it."""

import dataclasses

import pytest

from synthspec.accounting import eps_total
from synthspec.backend.releases import PrivacyRecord
from synthspec.contracts import CONTRACTS, Setting
from synthspec.ir.evidence import Figure, evidence
from synthspec.judge import judge
from synthspec.pipeline.consistency import dp_violations
from synthspec.pipeline.spending import Spending

pytest.importorskip("dp_accounting")

RECORD = PrivacyRecord(
    mechanism="dp-sgd", releases=1000, planned=1000, rate=0.01, multiplier=1.0, clip_norm=1.0, normalizer=10.0,
    unit="record", adjacency="add_remove", engine="book-keeping", rng="AES-256-CTR", hardening="none", commitment="0" * 64,
)  # fmt: skip
SPENT = Spending(record=RECORD, spend=eps_total(RECORD.event, 1e-5))
"""Eps 1.828: no advantage above 0.161, no area above 0.615, no more hits than 0.0291 at 1 %."""


def risk(**numbers):
    held = {"domias.lower": 0.0, "domias.auc_lower": 0.5, "domias.tpr_lower": 0.0, "domias.fpr_upper": 0.5}
    return Figure(name="MI", label="MI", value=0.1, details=tuple((held | numbers).items()))


@pytest.mark.parametrize(
    ("numbers", "beyond"),
    [
        ({}, 0),
        ({"domias.lower": 0.160}, 0),
        ({"domias.lower": 0.163}, 1),
        ({"domias.auc_lower": 0.614}, 0),
        ({"domias.auc_lower": 0.617}, 1),
        ({"domias.tpr_at_1pct_fpr_lower": 0.028, "domias.fpr_upper_at_1pct_fpr": 0.01}, 0),
        ({"domias.tpr_at_1pct_fpr_lower": 0.031, "domias.fpr_upper_at_1pct_fpr": 0.01}, 1),
        ({"domias.tpr_at_1pct_fpr_lower": 0.031, "domias.fpr_upper_at_1pct_fpr": 0.012}, 0),
        ({"domias.tpr_at_01pct_fpr_lower": 0.2, "domias.fpr_upper_at_01pct_fpr": 0.006}, 1),
        ({"domias.lower": 0.5, "logan.lower": 0.5, "somebody_else.lower": 0.9}, 2),
    ],
)
def test_a_limit_beyond_the_bound_is_a_violation(numbers, beyond):
    figure = dp_violations(risk(**numbers), SPENT)
    assert figure.value == beyond
    assert figure.detail("advantage_allowed") == pytest.approx(0.161, abs=1e-3)


def test_an_attack_on_the_engine_counts_where_there_was_one():
    without, beside = dp_violations(risk(), SPENT), dp_violations(risk(**{"engine_loss.lower": 0.2}), SPENT)
    assert (without.value, beside.value) == (0, 1)
    assert beside.detail("beyond") == "engine_loss"
    assert beside.detail("attacks") == without.detail("attacks") + 1


def test_earlier_releases_of_the_data_excuse_nothing():
    assert dp_violations(risk(**{"domias.lower": 0.3}), dataclasses.replace(SPENT, held=None)).value == 1


@pytest.mark.parametrize("found", [None, Figure(name="MI", label="MI", value=None, reason="12 candidates")])
def test_without_an_attack_nothing_is_shown(found):
    figure = dp_violations(found, SPENT)
    assert figure.value is None
    assert figure.reason


def test_a_violation_breaks_c40_516_however_large_mi_max_is():
    (contract,) = (each for each in CONTRACTS if each.id == "C40-516")
    setting = Setting(family="vae", modality="tabular", mechanism=True)
    promise = contract.promise(setting, {"eps_budget": 10.0, "delta_budget": 1e-5, "mi_max": 1.0})
    spent = (*SPENT.figures(), dataclasses.replace(risk(), upper=0.3))

    def result(figure):
        (record,) = (r for r in judge((promise,), evidence((*spent, figure))).records if r.id == "C40-516")
        return record.result

    assert result(dp_violations(risk(), SPENT)) == "held"
    assert result(dp_violations(risk(**{"logan.lower": 0.4}), SPENT)) == "broken"
    assert result(dp_violations(None, SPENT)) == "unproven"
