"""Policies: their types are checked, anything but true denies, and the base's policy governs."""

from datetime import date
from pathlib import Path

import pytest

from synthspec.review.cel import CelError, CelMissingError, engine
from synthspec.review.examples import run_examples
from synthspec.review.references import references, typed, unknown

pytest.importorskip("cel_expr_python")

PACKS = Path(__file__).parents[3] / "specs" / "policies"
VALUES = {"new": {"privacy": {"eps_budget": 4.0, "unit": "record"}, "waivers": []}, "old": {}}
KINDS = {"new": "map", "old": "map"}


def ask(text):
    return engine().compile(text, KINDS).ask(VALUES)


@pytest.mark.parametrize(("text", "value"), [
    ("new.privacy.eps_budget <= 4.0", True),
    ("new.privacy.eps_budget <= 3.0", False),
    ("has(old.privacy)", False),
    ("new.privacy.delta <= 1.0", None),  # missing
    ("old.privacy", None),
    ("new.privacy", None),  # no truth value
    ("new.privacy.unit <= 3.0", None),  # another type
    ("new.privacy.unit", None),
    ("true && dyn(1)", None),
    ("new.privacy.eps_budget == null", False),
])  # fmt: skip
def test_only_true_is_true(text, value):
    answer = ask(text)
    assert answer.value is value
    assert bool(answer.why) == (value is None)


@pytest.mark.parametrize("text", ["1 +", "nwe.privacy", "1 + 2", "'a' == 1", "null", "size(new)"])
def test_what_cannot_be_true_or_false_is_refused_when_loaded(text):
    with pytest.raises(CelError):
        engine().compile(text, KINDS)


def test_an_endless_expression_ends():
    ones = f"[{', '.join('1' * 60)}]"
    assert ask(f"{ones}.all(a, {ones}.all(b, {ones}.all(c, {ones}.all(d, a + b + c + d > 0))))").value is None


def test_without_the_library_its_extra_is_named(monkeypatch):
    import sys

    engine.cache_clear()
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    with pytest.raises(CelMissingError, match=r"pip install 'synthspec\[policy\]'"):
        engine()
    engine.cache_clear()


def test_references_are_found_where_they_are_read():
    text = '"new.no" == x && new.contracts["C40-516"].mi_max < 1.0 && has(old.privacy.unit) && new.waivers.all(w, w.id != "")'
    found = [(each.root, each.path, each.asked) for each in references(text)]
    assert found == [
        ("new", ("contracts", "C40-516", "mi_max"), False),
        ("old", ("privacy", "unit"), True),
        ("new", ("waivers",), False),
    ]


@pytest.mark.parametrize(("text", "hint"), [
    ("new.privacy.eps_bugdet", "did you mean 'eps_budget'?"),
    ("new.contracts['C40-617'].mi_max", "did you mean 'C40-517'?"),
    ("new_sref.constraint", "did you mean 'constraints'?"),
    ("new.privacy.unit.name", "nothing is known here"),
])  # fmt: skip
def test_a_value_that_the_language_does_not_have_is_told(text, hint):
    (reference,) = references(text)
    assert hint in unknown(reference)


def test_names_of_the_user_pass():
    assert [unknown(each) for each in references("new.conditioning.variables.digit.coverage_min >= 0.5")] == [""]


def test_values_have_the_types_of_the_language():
    text = "new.privacy.eps_budget <= 'a' || has(new.privacy.unit) || new.contracts['C40-514'].SLO_latency > 1.0"
    checked, variables = typed(text)
    assert variables == {"value_0": "double", "value_1": "double"}
    with pytest.raises(CelError):
        engine().compile(checked, {**KINDS, **variables})


@pytest.mark.parametrize("pack", ["strict-privacy", "research", "medical"])
def test_a_pack_keeps_its_own_examples(pack):
    result = run_examples(PACKS / f"{pack}.yaml", date(2026, 6, 1))
    assert result.findings == ()
    assert result.rules >= 6
    assert result.examples >= 9


def wrong(text):
    return next(filter(None, map(unknown, references(text))), "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('changes.all(c, c.direktion != "loosened")', "c has no 'direktion': did you mean 'direction'?"),
        ('change.poiner == "/a"', "change has no 'poiner': did you mean 'pointer'?"),
        ("!has(effects.planned_epz)", "effects has no 'planned_epz': did you mean 'planned_eps'?"),
        ("effects.planned_eps.now > 1.0", "effects.planned_eps has no 'now': did you mean 'new'?"),
        ('bump.requird == "major"', "bump has no 'requird': did you mean 'required'?"),
    ],
)
def test_what_a_rule_reads_of_changes_and_effects_is_checked_too(text, says):
    """A name that is never there would excuse every change: `has` of it is false."""
    assert wrong(text) == says


@pytest.mark.parametrize(
    "text",
    [
        "changes.all(c, c.new == 3.0 && c.old.deep.value == 1)",
        "changes.all(c, c.risk != 'high') && new.waivers.all(c, has(c.approver))",
        "new.waivers.all(change_of, has(change_of.approver))",
        "changes.filter(c, c.risk == 'high').all(d, d.kind != 'dp-off')",
    ],
)
def test_values_of_changes_and_names_of_other_lists_are_left_alone(text):
    assert wrong(text) == ""


def test_the_names_that_rules_read_are_those_that_reviews_have():
    from synthspec.ir.change import Bump, Change, Direction, Risk
    from synthspec.review.references import Figures, OneChange, Step

    told = Change(
        code="a.b", direction=Direction.LOOSENED, risk=Risk.HIGH, says="", document="", file="", path=(), name=()
    )
    assert set(told.as_json()) == set(OneChange.model_fields)
    assert set(Step.model_fields) <= set(Bump.__dataclass_fields__)
    source = (PACKS.parents[1] / "synthspec" / "review" / "effects.py").read_text(encoding="utf-8")
    assert all(f'"{name.replace("_", " ")}"' in source for name in Figures.model_fields)
