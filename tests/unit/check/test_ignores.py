"""Comments that excuse a finding: where they count, what law they are under, and what they cannot do."""

import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synthspec.check.comments import comments
from synthspec.check.ignores import ignores
from synthspec.diag import Severity
from synthspec.parse import compose
from synthspec.pipeline.front import Options, Spot, load_spec, validate
from synthspec.text import Source

ROOT = Path(__file__).parents[3] / "examples"
DIGITS = (ROOT / "digits-diffusion" / "spec.yaml").read_text(encoding="utf-8")
SREF = (ROOT / "digits-diffusion" / "digits.sref.yaml").read_text(encoding="utf-8")
UNCOVERED = DIGITS.replace(", coverage_min: 1.0", "")
VARIABLE = "    digit: {interface: categorical, distribution: empirical}"
TODAY = date(2026, 6, 1)
IGNORE = '# synthspec: ignore[P405-2.coverage-missing] reason="a pilot" expires=2026-06-01'


def check(text, *, ignore_errors=True, name="spec.yaml", today=TODAY):
    place = Spot(ROOT / "digits-diffusion" / name, name, text.encode())
    return validate(place, Options(today=today, ignore_errors=ignore_errors)).diagnostics


def codes(text, **options):
    return [(found.code, found.span.begin[0]) for found in check(text, **options)]


def beside(comment):
    return UNCOVERED.replace(VARIABLE, f"{VARIABLE}  {comment}")


def above(*lines):
    return UNCOVERED.replace(VARIABLE, "\n".join([*lines, VARIABLE]))


LINE = UNCOVERED[: UNCOVERED.index(VARIABLE)].count("\n") + 1


def test_without_a_comment_it_is_found():
    assert codes(UNCOVERED) == [("P405-2.coverage-missing", LINE)]


@pytest.mark.parametrize(
    "text",
    [
        beside(IGNORE),
        beside('#synthspec:ignore[ P405-2.coverage-missing ]  expires="2026-06-01"  reason=pilot'),
        above(IGNORE),
        beside(IGNORE + "  # P405-2"),
        beside(IGNORE.replace("a pilot", "a #1 pilot")),
        above("      " + IGNORE),
        above(IGNORE, "# and here is more about it"),
        above("# why:", IGNORE).replace("\n", "\r\n"),
    ],
)
def test_a_comment_on_the_line_or_the_line_before_excuses(text):
    assert codes(text) == []


@pytest.mark.parametrize("text", [above(IGNORE, ""), above(IGNORE + "\n    # other", ""), IGNORE + "\n" + UNCOVERED])
def test_a_comment_elsewhere_excuses_nothing_and_is_told(text):
    found = check(text)
    assert sorted(each.code for each in found) == ["P405-2.coverage-missing", "waiver.unused"]
    unused = next(each for each in found if each.code == "waiver.unused")
    assert unused.severity is Severity.WARNING
    assert unused.span.text == IGNORE


def test_a_comment_behind_something_is_about_its_own_line():
    text = UNCOVERED.replace("  variables:\n", f"  variables:  {IGNORE}\n")
    assert [code for code, _ in codes(text)] == ["waiver.unused", "P405-2.coverage-missing"]


def test_what_looks_like_a_comment_inside_a_text_is_none():
    text = DIGITS.replace("owner: imaging", 'owner: "x # synthspec: ignore[P405-2.coverage-missing]"')
    assert text != DIGITS
    assert codes(text) == []


def test_several_codes_share_a_comment():
    text = beside(IGNORE.replace("[", "[P405-2.w-cfg-over-max, "))
    assert codes(text) == [("waiver.unused", LINE)]


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        (IGNORE.replace(' reason="a pilot"', ""), "waiver.reason-missing"),
        (IGNORE.replace("a pilot", " "), "waiver.reason-missing"),
        (IGNORE.replace(" expires=2026-06-01", ""), "waiver.reason-missing"),
        (IGNORE.replace("2026-06-01", "2026-05-31"), "waiver.expired"),
        (IGNORE.replace("2026-06-01", "2026-06-31"), "waiver.expired"),
        (IGNORE.replace("2026-06-01", "20260601"), "waiver.expired"),
        (IGNORE.replace("2026-06-01", "2026-W30-1"), "waiver.expired"),
        (IGNORE.replace("P405-2.coverage-missing", ""), "schema.bad-value"),
        (IGNORE.replace("[P405-2.coverage-missing]", ""), "schema.bad-value"),
        (IGNORE.replace("expires", "until"), "schema.bad-value"),
        (IGNORE + " approved", "schema.bad-value"),
        (IGNORE.replace("ignore", "ignor"), "schema.bad-value"),
    ],
)
def test_a_comment_at_fault_is_an_error_and_excuses_nothing(comment, code):
    found = check(beside(comment))
    assert [each.code for each in found] == ["P405-2.coverage-missing", code]
    assert found[1].is_error
    assert found[1].span.text == comment
    assert found[1].help


def test_privacy_and_the_separation_of_data_cannot_be_ignored():
    text = DIGITS.replace("train: 0.70", "train: 0.60").replace(
        "seed: 11}", "seed: 11} " + IGNORE.replace("P405-2.coverage-missing", "P405-9.split-sum")
    )
    assert sorted(code for code, _ in codes(text)) == ["P405-9.split-sum", "waiver.not-waivable"]
    ignore = IGNORE.replace("P405-2.coverage-missing", "P405-4.mechanism-unstated")
    text = DIGITS.replace("{mechanism: none}", "{} " + ignore)
    assert sorted(code for code, _ in codes(text)) == ["P405-4.mechanism-unstated", "waiver.not-waivable"]


def test_a_misspelt_code_is_unused_with_the_nearest_one():
    found = check(beside(IGNORE.replace("missing", "mising")))
    assert found[-1].help == "did you mean 'P405-2.coverage-missing'?"


def test_a_comment_lets_no_error_into_a_run():
    place = Spot(ROOT / "digits-diffusion" / "spec.yaml", "spec.yaml", beside(IGNORE).encode())
    loaded = load_spec(place, Options(today=TODAY))
    assert loaded.value is None
    assert [each.code for each in loaded.diagnostics] == ["P405-2.coverage-missing"]


WITHOUT_RANGE = SREF.replace(" range: [0, 16],", "")
RANGE = '# synthspec: ignore[sref.range-missing] reason="unbounded" expires=2999-01-01'


def test_an_sref_excuses_its_own_findings_also_in_a_run():
    assert [code for code, _ in codes(WITHOUT_RANGE, name="digits.sref.yaml")] == ["sref.range-missing"]
    text = WITHOUT_RANGE.replace("resolution: 1}", "resolution: 1}  " + RANGE)
    assert codes(text, name="digits.sref.yaml") == []
    assert codes(text, name="digits.sref.yaml", ignore_errors=False) == []


def test_the_comments_of_an_sref_are_not_called_unused_by_what_only_a_spec_answers():
    used_by_specs = IGNORE.replace("P405-2.coverage-missing", "P405-5.timebase-missing")
    assert codes(SREF + used_by_specs + "\n", name="digits.sref.yaml") == []
    assert [code for code, _ in codes(SREF + RANGE + "\n", name="digits.sref.yaml")] == ["waiver.unused"]


def test_a_spec_is_not_told_of_unused_comments_in_its_sref(tmp_path):
    (tmp_path / "digits.sref.yaml").write_text(SREF + RANGE + "\n", encoding="utf-8")
    place = Spot(tmp_path / "spec.yaml", "spec.yaml", DIGITS.encode())
    assert validate(place, Options(today=TODAY)).diagnostics == ()
    (tmp_path / "digits.sref.yaml").write_text(SREF + RANGE.replace("2999", "2001") + "\n", encoding="utf-8")
    assert [found.code for found in validate(place, Options(today=TODAY)).diagnostics] == ["waiver.expired"]


@pytest.mark.parametrize(
    "hostile",
    [
        (IGNORE + "\n") * 12_000,
        (IGNORE.replace("2.cov", "4.cov") + "\n") * 12_000,
        "#\n" * 300_000 + IGNORE,
        IGNORE + "\n" + "#\n" * 300_000,
        (IGNORE + "\n" + "#\n" * 30) * 6_000,
        IGNORE + " " * 900_000 + "$",
        "# synthspec: ignore[" + "a," * 400_000 + '] reason="x" expires=2999-01-01',
        "#" * 900_000 + " synthspec:",
    ],
)
def test_hostile_comments_are_answered_quickly(hostile):
    start = time.process_time()
    assert len(codes(DIGITS + hostile + "\n")) < 300
    assert time.process_time() - start < 3


# -- the comments of a text ------------------------------------------------------------------------------------------


def texts(text):
    return [comment.text for comment in comments(compose(Source("x", text)).value.places)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1", []),
        ("# one\r\na: 1 # two\r\n# three", ["# one", "# two", "# three"]),
        ("a: 'x # y' # z", ["# z"]),
        ("a: x#y", []),
        ('"k # l": {b: [ # in\n 1], c: [] #x\n}', ["# in", "#x"]),
        ("a: | # no\n  # no\n # yes\nb: >-\n  # no\n# yes too\n", ["# yes", "# yes too"]),
        ("a: plain\n  # ends it\nb: 1", ["# ends it"]),
        ("a: {} # ' \" #\n", ["# ' \" #"]),
        ("a: [ # in\n]\nb: { # too\n}\n", ["# in", "# too"]),
    ],
)
def test_comments_are_what_is_in_no_scalar(text, expected):
    assert texts(text) == expected


def test_only_comments_that_speak_to_us_are_read():
    places = compose(Source("x", "a: 1 # synthspec is nice\nb: 2 # see synthspec: ignore[x]\n")).value.places
    assert list(ignores(places)) == []


PIECES = st.sampled_from(
    ["#", " # ", "x", "word", "\n", "\n", "a: 1", "'word # q'", "\n  ", " ", "[1, # word\n 2]", "{}"]
)


@given(st.lists(PIECES, max_size=14).map(lambda pieces: "k: 1\n" + "".join(pieces)))
def test_comments_that_hold_a_word_are_those_among_all_that_do(text):
    composed = compose(Source("x", text))
    assume(composed.ok)
    held = [span for span in comments(composed.value.places) if "word" in span.text]
    assert list(comments(composed.value.places, "word")) == held
