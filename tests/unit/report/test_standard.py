"""Every id of chapter 5 is explained, and what it says of this package is true."""

from pathlib import Path

import pytest

from synthspec.contracts import CONTRACTS
from synthspec.report.standard import clause, clauses
from synthspec.rules.codes import CODES

ROOT = Path(__file__).parents[3]
ENGINES = ("vae", "gan", "flow", "diffusion")
BINDINGS = (
    *(f"fit_engine_{family}" for family in ENGINES),
    *(f"sample_{family}" for family in ENGINES),
    *("distill_diffusion", "measure_gen_metrics", "privacy_accountant", "emit_deep_manifest", "invariants"),
)
IDS = {
    *(f"P405-{n}" for n in range(1, 11)),
    *(f"S405-{n}" for n in range(1, 9)),
    *(f"M40-5.{n}" for n in range(1, 9)),
    *(f"C40-{n}" for n in range(511, 520)),
    *(f"I40-5.{name}" for name in BINDINGS),
    *(f"IX.{name}" for name in ("stability", "vae", "gan", "flow", "diffusion", "privacy")),
}
ENTRIES = clauses().values()


def test_every_id_of_the_standard_is_there_and_no_other():
    assert set(clauses()) == IDS


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_what_meets_a_clause_exists(entry):
    assert [code for code in entry.rules if code not in CODES] == []
    assert [name for name in entry.contracts if name not in {contract.id for contract in CONTRACTS}] == []
    for module in entry.modules:
        path = module.replace(".", "/")
        places = [ROOT / path, ROOT / "backends" / path]
        assert any(place.is_dir() or place.with_suffix(".py").is_file() for place in places), module


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_a_clause_is_met_or_says_what_is_planned(entry):
    assert entry.text
    assert entry.fails_when
    assert entry.rules or entry.contracts or entry.planned
    assert entry.modules or entry.planned


def test_every_rule_of_an_axiom_is_named_by_it():
    for code in CODES:
        axiom = code.partition(".")[0]
        if axiom in clauses():
            assert code in clauses()[axiom].rules, code


def test_a_rule_refers_to_clauses_that_exist():
    prefixes = ("P405-", "S405-", "C40-", "M40-")
    for code, entry in CODES.items():
        for ref in entry.page.refs:
            if ref.startswith(prefixes):
                assert ref in clauses() or ref == "M40-5", (code, ref)


def test_ids_are_found_whatever_their_case():
    assert clause("p405-10") is clauses()["P405-10"]
    assert clause("P405-99") is None


def test_every_binding_of_the_standard_is_there():
    from synthspec import bindings

    assert [name for name in BINDINGS if name != "invariants" and not callable(getattr(bindings, name, None))] == []
