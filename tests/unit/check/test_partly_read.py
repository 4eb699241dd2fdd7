"""Rules about a spec of which something could not be read: what follows only from the damage is not said."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from synthspec.check import check, check_sref, independent
from synthspec.diag import Diagnostic, Severity
from synthspec.ir.document import Document
from synthspec.pipeline.front import Options, Spot, spot, validate
from synthspec.rules.form import CRASHED, Finding, at, at_sref, rule, sref_rule
from synthspec.text import Source

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 6, 1)
SPEC = ROOT / "examples" / "digits-diffusion" / "spec.yaml"


@pytest.fixture(scope="module")
def digits():
    return validate(spot(SPEC), Options(today=TODAY)).value.resolved


@rule(code="P405-1.two-sections")
def two_sections(resolved):
    if resolved.spec.objective:
        yield Finding(at("objective"), "about the objective", "do")
    if resolved.spec.training:
        yield Finding(at("training"), "after a look at the training", "do")


@rule(code="P405-2.schema")
def by_schema(resolved):
    if resolved.schema.with_role("content"):
        yield Finding(at("engine"), "about the fields", "do")


@sref_rule(code="sref.fields")
def about_fields(sref):
    if sref.with_role("content"):
        yield Finding(at_sref("fields"), "about the fields", "do")


@sref_rule(code="sref.keys")
def about_keys(sref):
    if sref.keys:
        yield Finding(at_sref("keys"), "about the keys", "do")


RULES = (two_sections, by_schema, about_fields, about_keys)


def said(resolved):
    return {finding.message for finding in check(resolved, TODAY, RULES).diagnostics}


ALL = {"about the objective", "after a look at the training", "about the fields", "about the keys"}


@pytest.mark.parametrize(
    ("lost", "silent"),
    [
        ({}, set()),
        ({"spec_lost": {"training"}}, {"after a look at the training"}),
        ({"spec_lost": {"objective"}}, {"about the objective", "after a look at the training"}),
        ({"sref_lost": {"fields"}}, {"about the fields"}),
        ({"sref_lost": {"keys"}}, {"about the keys"}),
        ({"spec_lost": {"release"}}, set()),
    ],
)
def test_a_finding_is_believed_when_all_that_was_looked_at_could_be_read(digits, lost, silent):
    damaged = replace(digits, **{which: frozenset(sections) for which, sections in lost.items()})
    assert said(damaged) == ALL - silent


def test_a_spec_that_was_read_in_part_has_no_value(digits):
    assert check(digits, TODAY, ()).ok
    assert check(replace(digits, spec_lost=frozenset({"release"})), TODAY, ()).value is None


def test_trips_are_not_read_from_a_damaged_section(digits):
    monitors = tuple(m.model_copy(update={"trip": "nothing > 1"}) for m in digits.spec.stability.monitors)
    stability = digits.spec.stability.model_copy(update={"monitors": monitors})
    wrong = replace(digits, spec=digits.spec.model_copy(update={"stability": stability}))
    assert len(check(wrong, TODAY, ()).diagnostics) == 2
    assert not check(replace(wrong, spec_lost=frozenset({"stability"})), TODAY, ()).diagnostics


def test_an_sref_alone_is_asked_in_the_same_way(digits):
    whole = Document(digits.sref, digits.sref_places)
    codes = [finding.code for finding in check_sref(whole, RULES)]
    assert codes == ["sref.fields", "sref.keys"]
    part = Document(digits.sref, digits.sref_places, frozenset({"fields"}))
    assert [finding.code for finding in check_sref(part, RULES)] == ["sref.keys"]


def finding(code, path, severity=Severity.ERROR, name="a.yaml"):
    span = Source(name, "text").span(0, 1)
    return Diagnostic(code=code, message="m", help="h", span=span, path=path, severity=severity)


@pytest.mark.parametrize(
    ("earlier", "later", "kept"),
    [
        (finding("x.a", ("data", "split")), finding("x.b", ("data", "split")), False),
        (finding("x.a", ("data", "split")), finding("x.b", ("data", "split", "key")), False),
        (finding("x.a", ("data", "split")), finding("x.b", ("data",)), True),
        (finding("x.a", ("data", "split")), finding("x.b", ("data", "splitt")), True),
        (finding("x.a", ()), finding("x.b", ("data",)), True),
        (finding("x.a", ("data",), name="b.yaml"), finding("x.b", ("data",)), True),
        (finding("x.a", ("data",), Severity.WARNING), finding("x.b", ("data",)), True),
        (finding("x.a", ("data",)), finding(CRASHED, ()), False),
        (finding("x.a", ("data",)), finding("waiver.unused", ("waivers", 0)), False),
        (finding("x.a", ("data",), Severity.WARNING), finding(CRASHED, ()), True),
    ],
)
def test_what_lies_at_or_below_an_earlier_error_follows_from_it(earlier, later, kept):
    assert independent([later], [earlier]) == ((later,) if kept else ())


def test_every_fault_of_a_document_is_named_with_what_the_rules_find_elsewhere():
    text = SPEC.read_text(encoding="utf-8")
    for old, new in (
        ("epochs: 60", 'epochs: "60"'),
        ("w_cfg: 0.5", "w_cfg: 2.5"),
        ("reference: test", "reference: val"),
    ):
        text = text.replace(old, new)
    found = validate(Spot(SPEC, "spec.yaml", text.encode()), Options(today=TODAY))
    assert found.value is None
    assert sorted(each.code for each in found.diagnostics) == [
        "P405-2.w-cfg-over-max",
        "P405-9.reference-not-test",
        "schema.wrong-type",
    ]
