"""Spellings: what is read in many ways is written in one, and means the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.rewrite import spelling
from synthspec.rewrite.edits import Edit, apply_edits
from synthspec.rewrite.models import key_order
from synthspec.rewrite.spelling import dimension_spelling, unit_spelling
from synthspec.spec.evaluation import C40511, Contracts
from synthspec.units import known_spellings, parse_dimension, parse_unit


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1", "dimensionless"),
        ("1 mm", "mm"),
        ("1*mm", "mm"),
        ("1 millimeters", "mm"),
        ("m/second^2", "m/s^2"),
        ("J/(kilogram*kelvin)", "J/(kg*K)"),
        ("°C", "degC"),
        ("Δ°C", "delta_degC"),
        ("µm", "um"),
        ("metre²", "m^2"),
        ("1/s", "1/s"),
        ("1 / s", "1 / s"),
        ("2 mm", "2 mm"),
        ("parrots", "parrots"),
        ("m//s", "m//s"),
        ("", ""),
    ],
)
def test_units(old, new):
    assert unit_spelling(old) == new


def test_a_spelling_that_would_mean_something_else_is_not_taken(monkeypatch):
    monkeypatch.setattr(spelling, "_symbol", lambda _: "kg")
    assert unit_spelling("seconds") == "seconds"


NAMES = st.sampled_from(sorted(known_spellings()))


@given(st.lists(NAMES, min_size=1, max_size=3), st.sampled_from(["*", " ", "·"]), st.sampled_from(["", "1 ", "1*"]))
def test_a_unit_means_the_same_in_its_canonical_spelling(names, times, one):
    text = one + times.join(names)
    try:
        meant = parse_unit(text)
    except ValueError:
        assert unit_spelling(text) == text
        return
    assert parse_unit(unit_spelling(text)) == meant
    assert unit_spelling(unit_spelling(text)) == unit_spelling(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[L] [Qe]/[Temp]", "[L] [T] [I] [Θ]^-1"),
        ("[M] [L]", "[M] [L]"),
        ("[Qe] [wat]", "[Qe] [wat]"),
        ("Qe", "[T] [I]"),
    ],
)
def test_dimensions_over_five_bases_are_written_over_seven(old, new):
    assert dimension_spelling(old) == new
    if new != old:
        assert parse_dimension(new) == parse_dimension(old)


def test_keys_of_a_class_come_before_those_it_shares():
    order = key_order(C40511())
    assert order[:2] == ("tol_FID", "tol_KID")
    assert order[-3:] == ("severity", "action_plan", "tol_source")
    assert key_order(Contracts())[0] == "C40-511"


@given(
    st.text(max_size=20), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.text(max_size=4)), max_size=5)
)
def test_edits_say_where_their_text_stands_now(text, drawn):
    edits = [Edit(min(at, len(text)), min(at + size, len(text)), new) for at, size, new in drawn]
    made, position = [], 0
    for edit in sorted(edits):
        if edit.start >= position:
            made.append(edit)
            position = edit.end
    edited = apply_edits(text, edits)
    assert [edited.text[start:end] for start, end in edited.ranges] == [edit.text for edit in made]
    length = len(text) + sum(len(edit.text) - (edit.end - edit.start) for edit in made)
    assert len(edited.text) == length


def test_an_edit_that_overlaps_an_earlier_one_is_left_out():
    edited = apply_edits("abcdef", [Edit(3, 5, "Y"), Edit(1, 4, "X"), Edit(5, 5, "+")])
    assert edited.text == "aXe+f"
    assert edited.ranges == ((1, 2), (3, 4))
