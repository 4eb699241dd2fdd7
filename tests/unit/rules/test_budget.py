"""`P405-4.budget-exceeded`: what a plan spends is known before a record is read."""

import shutil
import sys
from datetime import date
from pathlib import Path

import pytest

from synthspec.accounting import PoissonGaussian, eps_total
from synthspec.ir.privacy import accountant_of, planned_event, stated_multiplier, with_multiplier
from synthspec.pipeline.front import Options, spot, validate
from synthspec.spec.privacy import DpSgd, Pate

EXAMPLE = Path(__file__).parents[3] / "examples" / "cancer-dp-vae"
CODE = "P405-4.budget-exceeded"
OTHERS = {"P405-4.weak-noise", "P405-4.mi-bound-inconsistent"}
A1 = {
    "rate: 0.16": "rate: 0.01",
    "steps: 400": "steps: 1000",
    "multiplier: auto": "multiplier: 1.0",
}
"""Row A1 of privacy.md 1.2, which spends 1.82824."""


@pytest.fixture
def findings(tmp_path):
    (tmp_path / "synthspec.toml").touch()

    def check(**changes):
        shutil.copytree(EXAMPLE, tmp_path / "example", dirs_exist_ok=True)
        spec = tmp_path / "example" / "spec.yaml"
        text = spec.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        spec.write_text(text)
        found = validate(spot(spec), Options(today=date(2026, 6, 1))).diagnostics
        return [each for each in found if each.code not in {"P405-4.weak-noise", "P405-4.mi-bound-inconsistent"}]

    return check


@pytest.mark.parametrize("budget", ["1.83", "1.8283", "4.0"])
def test_a_plan_within_its_budget_is_clean(findings, budget):
    assert not findings(**A1, **{"eps_budget: 4.0": f"eps_budget: {budget}"})


def test_a_plan_over_its_budget_is_told_by_how_much_and_what_would_do(findings):
    (found,) = findings(**A1, **{"eps_budget: 4.0\n": "eps_budget: 1.8\n"})
    assert found.code == CODE
    assert found.message == "the plan spends eps 1.8283 (pld, zero_out, delta 1e-05), over its eps_budget of 1.8"
    assert found.path == ("privacy", "eps_budget")
    assert found.span.source.text[found.span.start : found.span.end] == "1.8"
    assert [note.message for note in found.related] == ["the noise"]
    wanted = float(found.help.split("multiplier of ")[1].split()[0])
    assert eps_total(PoissonGaussian(0.01, wanted, 1000), 1e-5).eps <= 1.8
    assert eps_total(PoissonGaussian(0.01, wanted * 0.999, 1000), 1e-5).eps > 1.8


def test_the_stated_accountant_speaks(findings):
    (found,) = findings(**A1, **{"accountant: pld": "accountant: rdp", "eps_budget: 4.0\n": "eps_budget: 1.8\n"})
    assert "2.1014 (rdp" in found.message


def test_adjacency_is_that_of_the_block(findings):
    tight = {**A1, "eps_budget: 4.0": "eps_budget: 2.0"}
    assert not findings(**tight)
    (found,) = findings(**tight, **{"adjacency: zero_out": "adjacency: replace_one"})
    assert "eps 2.84" in found.message


def test_noise_that_no_budget_allows_is_an_error_for_auto(findings):
    (found,) = findings(**{"eps_budget: 4.0": "eps_budget: 0.00001"})
    assert (found.code, found.path) == (CODE, ("privacy", "eps_budget"))
    assert "no noise keeps the plan" in found.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("steps: 400", "steps: 400000"), ("rate: 0.16", "rate: 0.5"), ("delta: 1.0e-5", "delta: 1.0e-9"),
        ("eps_budget: 4.0", "eps_budget: 0.01"),
    ],
)  # fmt: skip
def test_auto_follows_the_budget(findings, old, new):
    assert not findings(**{old: new})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scheme: poisson": "scheme: shuffle"}, "P405-4.sampler-mismatch"),
        ({"accountant: pld": "accountant: gdp"}, "P405-4.accountant-unknown"),
        ({"per: record": "per: batch"}, "P405-4.clip-scope"),
        ({"  steps: 400\n": ""}, "P405-4.incomplete"),
    ],
)
def test_where_the_plan_is_not_what_it_says_only_that_is_said(findings, changes, code):
    changes = {"multiplier: auto": "multiplier: 0.5"} | changes
    assert {found.code for found in findings(**changes)} == {code}


def test_losses_beyond_any_grid_are_still_told(findings):
    (found,) = findings(**{"steps: 400": f"steps: {10**9}", "multiplier: auto": "multiplier: 0.01"})
    assert found.code == CODE
    assert float(found.message.split("eps ")[1].split()[0]) > 1e9


@pytest.fixture
def core_only(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "dp_accounting"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dp_accounting", None)


def test_a_core_installation_checks_by_the_bound(findings, core_only):
    assert not findings()
    assert not findings(**A1, **{"eps_budget: 4.0": "eps_budget: 2.2"})
    (found,) = findings(**A1, **{"eps_budget: 4.0\n": "eps_budget: 1.9\n"})
    assert "2.1078 (rdp" in found.message
    assert "pip install 'synthspec[privacy]'" in found.help


def block(**fields):
    stated = {"mechanism": "dp-sgd", "unit": "record", "adjacency": "zero_out", "steps": 100, "accountant": "pld"}
    stated["sampling"] = {"scheme": "poisson", "rate": 0.1}
    stated["clip"] = {"norm": 1.0, "per": "record", "scope": "flat"}
    return DpSgd.model_validate(stated | fields)


def test_a_unit_of_several_records_is_accounted_for_as_a_unit():
    assert planned_event(block(max_contributions=5), 2.0) == PoissonGaussian(0.1, 2.0, 100)
    assert planned_event(block(unit="patient", max_contributions=5), 2.0) == PoissonGaussian(0.1, 2.0, 100, 5)
    clip = {"norm": 1.0, "per": "entity", "scope": "flat"}
    event = planned_event(block(unit="patient", max_contributions=2, clip=clip), 2.0)
    assert event.contributions == 1
    assert event.rate == pytest.approx(0.19)


def test_votes_are_bounded_without_looking_at_them():
    stated = {"mechanism": "pate", "aggregation": "gnmax", "queries": 50, "adjacency": "add_remove"}
    for adjacency in ("add_remove", "zero_out", "replace_one"):
        gnmax = Pate.model_validate(stated | {"adjacency": adjacency})
        spent = eps_total(planned_event(gnmax, 40.0), 1e-5, "analytic", adjacency).eps
        assert spent == pytest.approx(eps_total(PoissonGaussian(1.0, 40.0 / 2**0.5, 50), 1e-5, "analytic").eps)
        laplace = Pate.model_validate(stated | {"adjacency": adjacency, "aggregation": "laplace"})
        assert eps_total(planned_event(laplace, 40.0), 0.0, "analytic", adjacency).eps == pytest.approx(50 * 2 / 40)


def test_what_a_block_leaves_open_is_infinite():
    assert eps_total(planned_event(block(steps=None), 5.0), 1e-5).eps == float("inf")
    assert eps_total(planned_event(Pate.model_validate({"mechanism": "pate"}), 5.0), 1e-5).eps == float("inf")
    assert stated_multiplier(block()) is None
    assert accountant_of(block(accountant="gdp")) is None
    assert accountant_of(block(accountant={"kind": "prv"})) == "pld"
    assert accountant_of(block(accountant=None)) is None
    assert stated_multiplier(with_multiplier(block(), 2.5)) == 2.5
