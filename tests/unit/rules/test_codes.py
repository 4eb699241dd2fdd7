"""Every code that can be printed has a page, and every page answers the four questions."""

import re
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import get_args

import pytest

import synthspec
from synthspec.rules.codes import CODES, find, of_axiom
from synthspec.sign.refusal import Code

PACKAGE = Path(synthspec.__file__).parent
AREAS = "syntax|schema|unit|expr|sref|C40|waiver|engine|internal|data|weights|review|policy|P405-(?:[1-9]|10)"
LITERAL = re.compile(rf"[\"'](?P<code>(?:{AREAS})\.[a-z]+(?:-[a-z]+)*)[\"']")
NO_CODES = {
    "data.csv", "data.safetensors", "data.npz", "data.source", "data.split", "data.parquet", "schema.json",
}  # fmt: skip
"""Names of files and of keys that look like codes."""

LANGUAGE = {
    "syntax": ("yaml duplicate-key ambiguous-scalar tag alias too-deep too-large encoding multi-document"),
    "schema": ("unknown-key missing-key wrong-type bad-value version path-escape not-found duplicate-name"),
    "unit": ("unknown bare-number on-dimensionless dim-mismatch unit-dim-disagree offset-product nonfinite"),
    "expr": ("syntax unknown-name type too-large"),
    "sref": (
        "pk-missing pk-unknown field-duplicate range-empty enum-duplicate alias-conflict alias-unknown "
        "unit-missing derived-without-expr derived-cycle shape-missing dtype-unit name-collision range-missing"
    ),
    "P405-1": ("measure-missing measure-family-mismatch heuristic-only beta-invalid likelihood-mismatch"),
    "P405-2": (
        "condition-unregistered condition-not-in-sref distribution-invalid coverage-missing "
        "guidance-without-condition w-cfg-over-max guidance-without-dropout rejection-uncapped"
    ),
    "P405-3": ("no-convergence no-monitor no-rollback signal-unknown signal-wrong-family"),
    "P405-4": (
        "mechanism-unstated incomplete budget-missing delta-missing adjacency-missing unit-missing "
        "budget-exceeded delta-too-large sampler-mismatch accountant-unknown private-size-used adjacency-mismatch "
        "normalizer-private on-empty clip-missing clip-scope clip-invalid noise-invalid cross-example-layer "
        "critic-steps-uncounted generator-reads-data penalty-outside-record multiplicity-clipped-each "
        "noise-per-microbatch weighted-sampler data-dependent-bounds data-dependent-domain "
        "data-dependent-transform data-dependent-init empirical-condition public-noise-seed "
        "private-metric-published mi-published private-monitor selection-unaccounted postprocess-reads-data "
        "distill-on-private ledger-missing unit-not-entity pretrained-private private-digest "
        "binding-without-privacy mi-bound-inconsistent pate-partition sensitivity-free retries-unbounded "
        "weak-noise"
    ),
    "P405-5": ("timebase-missing wrong-base tau-mono-missing unit-not-time timezone-missing"),
    "P405-6": ("one-form c-ref-missing path-missing quadrature-missing tolerance-missing constant-c-ref"),
    "P405-7": ("dimension-mismatch irreversible-transform constraint-undimensioned"),
    "P405-8": ("seed-missing rng-unstated solver-missing nfe-missing nfe-not-reachable"),
    "P405-9": (
        "split-missing split-overlap split-sum reference-not-test random-split-on-time group-leak monitor-on-test "
        "attack-sets"
    ),
    "P405-10": ("no-reevaluation quantised-unjudged teacher-missing"),
    "C40": ("missing threshold-missing threshold-impossible metric-not-evaluated severity"),
    "waiver": ("reason-missing expired not-waivable unused"),
    "engine": ("arch-unknown arch-modality backend-unsupported solver-unknown head-solver"),
}
"""The offences of section 6 of the language, by axiom."""


def test_every_code_of_the_language_has_a_page():
    stated = [f"{axiom}.{offence}" for axiom, offences in LANGUAGE.items() for offence in offences.split()]
    assert len(stated) == 151
    assert [code for code in stated if code not in CODES] == []
    assert [code for code in stated if find(code).page.title == ""] == []


def test_no_code_is_changed_while_a_program_runs():
    for code, entry in CODES.items():
        with pytest.raises(FrozenInstanceError):
            entry.code = ""
        assert find(code) is entry


def printed():
    for folder in (PACKAGE, PACKAGE.parent / "backends"):
        for file in folder.rglob("*.py"):
            if "documented" in file.parts:
                continue
            for match in LITERAL.finditer(file.read_text(encoding="utf-8")):
                if match["code"] not in NO_CODES:
                    yield match["code"], file.name


def test_every_code_in_the_source_is_documented():
    unknown = sorted({f"{code} ({file})" for code, file in printed() if code not in CODES})
    assert not unknown


def test_every_documented_code_occurs_in_the_source():
    refusals = {f"verify.{word}" for word in get_args(Code)}
    assert sorted(set(CODES) - refusals - {code for code, _ in printed()}) == []


def test_every_refusal_of_verify_has_a_page_and_no_other_page_is_of_one():
    assert {entry.code for entry in of_axiom("verify")} == {f"verify.{word}" for word in get_args(Code)}


def test_a_refusal_is_found_by_the_word_that_is_printed():
    assert find("DIGEST") is find("verify.digest") is CODES["verify.DIGEST"]
    assert find("SCHEMA") is CODES["verify.SCHEMA"]
    assert find("schema") is None, "in small letters it is an area"


@pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: entry.code)
def test_a_page_is_complete(entry):
    page = entry.page
    assert page.title.endswith(".")
    assert len(page.title) < 90
    assert len(page.why) > 40
    assert page.why.endswith((".", "?"))
    assert all(page.refs)
    assert page.bad != page.good


def test_find_ignores_case_and_answers_none():
    assert find("p405-1.MEASURE-missing") is CODES["P405-1.measure-missing"]
    assert find("P405-1.nonsense") is None


def test_an_axiom_lists_its_codes():
    assert {entry.code.split(".")[0] for entry in of_axiom("p405-1")} == {"P405-1"}
    assert len(of_axiom("P405-1")) == 5
