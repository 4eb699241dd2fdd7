"""Rules about a spec of which something could not be read: what follows only from the damage is not said."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from synthspec.check import check, check_sref, independent, without_choice
from synthspec.check.witness import Witness, stand_in, watched
from synthspec.diag import Diagnostic, Severity
from synthspec.ir.document import ANY_KEY, Document
from synthspec.pipeline.front import Options, Spot, spot, validate
from synthspec.rules.form import CRASHED, Finding, at, at_sref, rule, sref_rule
from synthspec.spec.data import HashSplit
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
        yield Finding(at("engine"), "by the schema", "do")


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


ALL = {"about the objective", "after a look at the training", "by the schema", "about the fields", "about the keys"}


@pytest.mark.parametrize(
    ("lost", "silent"),
    [
        ({}, set()),
        ({"spec_lost": {("training",)}}, {"after a look at the training"}),
        ({"spec_lost": {("objective",)}}, {"about the objective", "after a look at the training"}),
        ({"spec_lost": {("objective", "head"), ("training", "seed"), ("training", "optimizer", "lr")}}, set()),
        ({"sref_lost": {("fields",)}}, {"about the fields", "by the schema"}),
        ({"sref_lost": {("fields", 0, "role")}}, {"about the fields", "by the schema"}),
        ({"sref_lost": {("fields", 0, "unit"), ("fields", 2, "role")}}, {"about the fields", "by the schema"}),
        ({"sref_lost": {("fields", 1, "range")}}, set()),
        ({"sref_lost": {("keys",)}}, {"about the keys"}),
        ({"sref_lost": {("keys", "entity")}}, set()),
        ({"spec_lost": {("release",)}}, set()),
        ({"spec_lost": {(ANY_KEY,)}}, set()),
    ],
)
def test_a_finding_is_believed_when_all_that_was_looked_at_could_be_read(digits, lost, silent):
    damaged = replace(digits, **{which: frozenset(paths) for which, paths in lost.items()})
    assert said(damaged) == ALL - silent


@rule(code="P405-3.unwritten")
def about_arrival(resolved):
    if resolved.spec.arrival is None:
        yield Finding(at("arrival"), "there is no arrival", "do")


def test_where_a_key_could_not_be_read_nothing_is_said_of_what_is_not_there(digits):
    assert len(check(digits, TODAY, (about_arrival,)).diagnostics) == 1
    assert not check(replace(digits, spec_lost=frozenset({(ANY_KEY,)})), TODAY, (about_arrival,)).diagnostics


@pytest.mark.parametrize(
    ("path", "ask", "told"),
    [
        (("conditioning", "guidance", "w_cfg"), lambda spec: spec.conditioning.guidance.w_cfg, True),
        (("conditioning", "guidance", "w_cfg"), lambda spec: spec.conditioning.guidance.cfg_max, False),
        (("conditioning", "guidance", "w_cfg"), lambda spec: spec.conditioning.guidance.model_dump(), True),
        (("conditioning", "guidance", "w_cfg"), lambda spec: dict(spec.conditioning.guidance), True),
        (("conditioning", "variables", "digit"), lambda spec: spec.conditioning.guidance, False),
        (("conditioning", "variables", "ghost"), lambda spec: spec.conditioning.variables, True),
        (("conditioning", "variables", "digit", "interface"), lambda spec: spec.conditioning.variables["digit"], False),
        (
            ("conditioning", "variables", "digit", "interface"),
            lambda spec: spec.conditioning.variables["digit"].interface,
            True,
        ),
        (("contracts", "C40-511", "tol_FID"), lambda spec: spec.contracts.c40_511.tol_FID, True),
        (("contracts", "C40-511", "tol_FID"), lambda spec: spec.contracts.c40_511.tol_KID, False),
        (("stability", "monitors", 1, "signal"), lambda spec: spec.stability.monitors[1].signal, True),
        (("stability", "monitors", 1, "signal"), lambda spec: spec.stability.monitors[0].signal, False),
        (("stability", "monitors", 9, "signal"), lambda spec: spec.stability.monitors, True),
        (("data", "split", "key"), lambda spec: isinstance(spec.data.split, HashSplit), False),
        (("data", "split", "key"), lambda spec: spec.data.split.key, True),
        (("data", ANY_KEY), lambda spec: spec.data.source, False),
        (("data", ANY_KEY), lambda spec: spec.data.impute, True),
        (("data", "no such key"), lambda spec: spec.data.impute, True),
    ],
)
def test_a_look_at_a_lost_key_is_told_and_at_its_neighbours_not(digits, path, ask, told):
    seen = []
    spec = watched(digits.spec, [path], lambda: seen.append(path))
    assert ask(spec) == ask(digits.spec) or ask(spec) is not None
    assert bool(seen) == told


def test_a_document_without_damage_is_handed_over_itself(digits):
    assert stand_in(digits, Witness()) is digits
    assert watched(digits.spec, (), pytest.fail) is digits.spec
    with pytest.raises(ValueError, match="whole"):
        watched(digits.spec, [()], pytest.fail)


@pytest.mark.parametrize(
    ("key", "ask", "told"),
    [
        ("unit", lambda schema: schema.fields[1].dimension, True),
        ("dim", lambda schema: schema.fields[1].unit, False),
        ("range", lambda schema: schema.fields[1].range, True),
        ("range", lambda schema: schema.fields[1].shape, False),
        ("range", lambda schema: schema.fields[0].range, False),
        ("range", lambda schema: schema.rules, False),
        (ANY_KEY, lambda schema: schema.fields[1].range, True),
        ("description", lambda schema: schema.fields[1].name, False),
        ("description", lambda schema: schema.field("digit"), False),
    ],
)
def test_what_is_bound_from_a_lost_key_is_lost_too(digits, key, ask, told):
    witness = Witness()
    damaged = replace(digits, sref_lost=frozenset({("fields", 1, key)}))
    schema, believe = stand_in(damaged, witness).schema, witness.fresh()
    ask(schema)
    assert believe() == (not told)


def test_trips_are_not_read_from_a_damaged_monitor(digits):
    monitors = tuple(m.model_copy(update={"trip": "nothing > 1"}) for m in digits.spec.stability.monitors)
    stability = digits.spec.stability.model_copy(update={"monitors": monitors})
    wrong = replace(digits, spec=digits.spec.model_copy(update={"stability": stability}))

    def places(*lost):
        return [each.path[2] for each in check(replace(wrong, spec_lost=frozenset(lost)), TODAY, ()).diagnostics]

    assert places() == [0, 1]
    assert places(("stability",)) == []
    assert places(("stability", "monitors", 0, "signal")) == [1]
    assert places(("stability", "monitors", 1, "trip")) == [0]
    assert places(("stability", "monitors", 1, "window")) == [0, 1]


@rule(code="P405-2.after-the-training", after=("P405-1.two-sections",))
def follows(resolved):
    yield Finding(at("engine"), "a consequence", "do")


def test_a_consequence_is_left_out_also_where_its_cause_is_not_believed(digits):
    def codes(*lost):
        damaged = replace(digits, spec_lost=frozenset(lost))
        return {each.code for each in check(damaged, TODAY, (two_sections, follows)).diagnostics}

    assert codes() == {"P405-1.two-sections"}
    assert codes(("objective",)) == set()
    silent = replace(digits, spec=digits.spec.model_copy(update={"objective": None, "training": None}))
    assert [each.code for each in check(silent, TODAY, (two_sections, follows)).diagnostics] == [follows.code]


def test_an_sref_alone_is_asked_in_the_same_way(digits):
    whole = Document(digits.sref, digits.sref_places)
    codes = [finding.code for finding in check_sref(whole, RULES)]
    assert codes == ["sref.fields", "sref.keys"]
    part = Document(digits.sref, digits.sref_places, frozenset({("fields",)}))
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


@pytest.mark.parametrize(
    ("earlier", "later", "kept"),
    [
        (("schema.unknown-key", ("objective", "head")), ("objective", "measure"), False),
        (("schema.missing-key", ("objective", "beta")), ("objective", "measure"), False),
        (("schema.wrong-type", ("objective", "head")), ("objective", "measure"), True),
        (("schema.unknown-key", ("objective", "head", "x")), ("objective", "measure"), True),
        (("schema.unknown-key", ("objective", "head")), ("objective", "beta"), True),
        (("schema.unknown-key", ("training", "head")), ("objective", "measure"), True),
        (("schema.unknown-key", ("x",)), (), True),
    ],
)
def test_a_wrong_choice_is_why_the_keys_beside_it_seem_wrong(earlier, later, kept):
    before, found = finding(*earlier), finding("P405-1.x", later)
    assert without_choice([before], [found]) == ((before,) if kept else ())
    assert without_choice([before], [replace(found, severity=Severity.WARNING)]) == (before,)


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
