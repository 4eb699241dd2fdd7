"""The check stage: crashes, consequences, waivers, order, and what a finding points at."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from synthspec.check import check, check_sref
from synthspec.check.stage import ordered, primary
from synthspec.diag import Diagnostic, Severity
from synthspec.ir.document import Document
from synthspec.pipeline.front import Options, spot, validate
from synthspec.rules import RULES
from synthspec.rules.form import MOST, Finding, Note, at, at_sref, rule, span_of, sref_rule
from synthspec.spec.sampling import Waiver
from synthspec.text import Place, Places, Source

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def digits():
    example = ROOT / "examples" / "digits-diffusion" / "spec.yaml"
    return validate(spot(example), Options(today=TODAY)).value.resolved


def without(resolved, **sections):
    return replace(resolved, spec=resolved.spec.model_copy(update=sections))


def waived(resolved, **waiver):
    defaults = {"reason": "a pilot", "approver": "q.a", "expires": "2026-12-31"}
    return without(resolved, waivers=(Waiver(**defaults | waiver),))


@rule(code="P405-1.invented")
def crashing(resolved):
    yield Finding(at("objective"), "said before it fell", "")
    raise ZeroDivisionError("by hand")


@rule(code="P405-1.first")
def first(resolved):
    yield Finding(at("objective", "head"), "one", "do", (Note("the field", at_sref("fields", 1, "name")),))


@rule(code="P405-2.second", after=("P405-1.first",))
def second(resolved):
    yield Finding(at("data", "source"), "two", "do")


@rule(code="P405-3.mild", severity=Severity.WARNING)
def mild(resolved):
    yield Finding(at("engine"), "three", "do")


def codes(outcome):
    return [finding.code for finding in outcome.diagnostics]


def test_a_rule_that_raises_is_named_and_the_others_go_on(digits):
    outcome = check(digits, TODAY, (crashing, first))
    assert outcome.value is None
    assert sorted(codes(outcome)) == ["P405-1.first", "internal.rule-crashed"]
    crash = next(finding for finding in outcome.diagnostics if finding.code == "internal.rule-crashed")
    assert "P405-1.invented" in crash.message
    assert "ZeroDivisionError: by hand" in crash.message
    assert crash.is_error


def test_a_crash_cannot_be_waived(digits):
    outcome = check(waived(digits, id="internal.rule-crashed"), TODAY, (crashing,))
    assert "internal.rule-crashed" in codes(outcome)


def test_a_consequence_is_left_out_while_its_cause_is_there(digits):
    assert codes(check(digits, TODAY, (first, second))) == ["P405-1.first"]
    assert codes(check(digits, TODAY, (second,))) == ["P405-2.second"]


def test_a_consequence_speaks_when_its_cause_is_waived(digits):
    assert codes(check(waived(digits, id="P405-1.first"), TODAY, (first, second))) == ["P405-2.second"]


def test_only_errors_stop_a_spec(digits):
    outcome = check(digits, TODAY, (mild,))
    assert outcome.ok
    assert outcome.value.resolved is digits
    assert outcome.value.warnings == outcome.diagnostics
    assert codes(outcome) == ["P405-3.mild"]


def test_findings_come_in_the_order_of_the_text(digits):
    found = check(digits, TODAY, (first, mild)).diagnostics
    assert [finding.code for finding in found] == ["P405-3.mild", "P405-1.first"]
    assert ordered(reversed(found)) == found


def test_related_places_are_in_their_own_document(digits):
    (finding,) = check(digits, TODAY, (first,)).diagnostics
    assert finding.span.text == "v"
    assert finding.path == ("objective", "head")
    assert finding.related[0].span.text == "pixels"
    assert finding.related[0].span.source.name.endswith("digits.sref.yaml")


def test_a_waiver_excuses_its_rule_until_its_last_day(digits):
    last = waived(digits, id="P405-1.first", expires=TODAY.isoformat())
    assert check(last, TODAY, (first,)).ok
    assert sorted(codes(check(last, TODAY + timedelta(days=1), (first,)))) == ["P405-1.first", "waiver.expired"]


@pytest.mark.parametrize("gap", ["reason", "approver", "expires"])
def test_an_incomplete_waiver_excuses_nothing(digits, gap):
    outcome = check(waived(digits, id="P405-1.first", **{gap: None}), TODAY, (first,))
    assert codes(outcome) == ["P405-1.first"]


@pytest.mark.parametrize("code", sorted(rule.code for rule in RULES if rule.code.startswith(("P405-4.", "P405-9."))))
def test_privacy_and_separation_are_never_waived(digits, code):
    @rule(code=code)
    def never(resolved):
        yield Finding(at("data"), "no", "no")

    asked = (*[each for each in RULES if each.code == "waiver.not-waivable"], never)
    assert sorted(codes(check(waived(digits, id=code), TODAY, asked))) == sorted([code, "waiver.not-waivable"])


def test_an_unused_waiver_is_a_warning(digits):
    outcome = check(waived(digits, id="P405-2.coverage-mising"), TODAY, ())
    assert outcome.ok
    assert codes(outcome) == ["waiver.unused"]
    assert outcome.diagnostics[0].help == "did you mean 'P405-2.coverage-missing'?"


def test_a_contract_can_be_waived_whole(digits):
    contracts = digits.spec.contracts.model_copy(update={"c40_515": None})
    bare = without(digits, contracts=contracts)
    assert codes(check(bare, TODAY)) == ["C40.missing"]
    assert check(waived(bare, id="C40-515"), TODAY).ok
    assert codes(check(waived(bare, id="C40-511"), TODAY)) == ["C40.missing"]


def test_primary_keeps_what_has_no_cause():
    found = tuple(Diagnostic(code=code, message="", help="") for code in ("P405-1.first", "P405-2.second", "x.y"))
    assert [each.code for each in primary(found, (first, second))] == ["P405-1.first", "x.y"]


@pytest.mark.parametrize(
    ("cause", "fault", "kept"),
    [
        (("fields", 1, "unit"), ("fields", 1, "dtype"), False),
        (("fields", 1, "unit"), ("fields", 2, "unit"), True),
        (("fields", 1), ("fields", 1, "unit"), False),
        (("fields",), ("fields", 1), False),
        (("privacy", "clip"), ("privacy", "steps"), False),
        (("conditioning", "variables", "a"), ("conditioning", "variables", "b", "distribution"), True),
        (("conditioning", "variables", "a"), ("conditioning", "variables", "a", "distribution"), False),
        (("conditioning", "variables"), ("conditioning", "guidance"), False),
        (("data", "split"), (), False),
    ],
)
def test_nothing_follows_from_another_item_of_a_list(cause, fault, kept):
    found = tuple(
        Diagnostic(code=code, message="", help="", path=path)
        for code, path in (("P405-1.first", cause), ("P405-2.second", fault))
    )
    assert len(primary(found, (first, second))) == 1 + kept
    assert len(primary(found[1:], (first, second), found[:1])) == kept


def test_what_is_said_of_one_document_may_follow_from_the_other():
    found = tuple(
        Diagnostic(code=code, message="", help="", path=("fields", number), span=Source(name, "x").span(0))
        for number, (code, name) in enumerate((("P405-1.first", "a"), ("P405-2.second", "b")))
    )
    assert [each.code for each in primary(found, (first, second))] == ["P405-1.first"]


def test_an_sref_alone_is_asked_the_rules_about_srefs(digits):
    bad = digits.sref.model_copy(update={"keys": None})
    assert [finding.code for finding in check_sref(Document(bad, digits.sref_places))] == ["sref.pk-missing"]
    assert check_sref(Document(digits.sref, digits.sref_places)) == ()


def test_a_rule_says_no_more_than_anybody_reads(digits):
    @rule(code="P405-1.endless")
    def endless(resolved):
        yield from (Finding(at("data"), f"number {number}", "do") for number in itertools.count())

    assert [each.message for each in endless.run(digits)] == [f"number {number}" for number in range(MOST)]


def test_an_sref_rule_is_asked_in_a_spec_too(digits):
    @sref_rule(code="sref.seen")
    def seen(sref):
        yield Finding(at_sref("modality"), sref.modality, "")

    assert [finding.message for finding in seen.run(digits)] == ["image"]
    assert seen.run(digits)[0].span.text == "image"
    assert first.run_sref(digits.sref, digits.sref_places) == ()


TEXT = "name: x\nlist: {a: 1, b: [2, 3]}\n"


def places():
    source = Source("f", TEXT)

    def place(value, key=None):
        start = TEXT.index(value)
        return Place(
            source.span(start, start + len(value)), key and source.span(TEXT.index(key), TEXT.index(key) + len(key))
        )

    entries = {
        (): place(TEXT),
        ("name",): place("x", "name"),
        ("list",): place("{a: 1, b: [2, 3]}", "list"),
        ("list", "a"): place("1", "a:"),
        ("list", "b"): place("[2, 3]", "b"),
        ("list", "b", 0): place("2"),
        ("list", "b", 1): place("3"),
    }
    return Places(source, entries)


@pytest.mark.parametrize(
    ("path", "underlined"),
    [
        (("name",), "x"),
        (("list", "b", 1), "3"),
        (("list",), "list"),
        (("list", "c"), "list"),
        (("list", "c", "d"), "list"),
        (("other",), "name"),
        ((), "name"),
    ],
)
def test_what_a_finding_underlines(path, underlined):
    assert span_of(at(*path), places(), places()).text == underlined


def test_an_empty_document_has_a_place():
    empty = Places(Source("f", ""), {})
    assert span_of(at("x"), empty, empty).begin == (1, 1)
