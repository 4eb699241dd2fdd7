"""What ``--set`` changes, and where a mistake in it is reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.parse import compose
from synthspec.pipeline.overrides import apply_overrides
from synthspec.text import Source

TEXT = "a: 1\nb: {c: [10, 20, {d: x}]}\n"


def changed(*overrides: tuple[str, str]):
    composed = compose(Source("spec.yaml", TEXT)).value
    assert composed is not None
    return apply_overrides(composed, overrides)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("a", "2", {"a": 2, "b": {"c": (10, 20, {"d": "x"})}}),
        ("b.c.1", "0.5", {"a": 1, "b": {"c": (10, 0.5, {"d": "x"})}}),
        ("b.c.2.d", "{e: true}", {"a": 1, "b": {"c": (10, 20, {"d": {"e": True}})}}),
        ("new.section", "[1, 2]", {"a": 1, "b": {"c": (10, 20, {"d": "x"})}, "new": {"section": (1, 2)}}),
        ("b", '"null"', {"a": 1, "b": "null"}),
    ],
)
def test_the_value_is_read_as_yaml_and_put_where_the_path_says(path, text, value):
    assert changed((path, text)).value.value == value


def test_later_overrides_see_earlier_ones():
    assert changed(("b.c", "[1]"), ("b.c.0", "7")).value.value["b"] == {"c": (7,)}


def test_a_place_points_into_the_command_line_and_the_rest_stays():
    places = changed(("b.c.2", "{d: -3}")).value.places
    assert places.value(("b", "c", 2, "d")).text == "-3"
    assert places.value(("b", "c", 2, "d")).source.name == "--set b.c.2"
    assert places.value(("b", "c", 0)).text == "10"
    assert places.value(("b", "c", 0)).source.name == "spec.yaml"


@pytest.mark.parametrize("path", ["", ".", "a.", "b.c.9", "b.c.x", "a.b", "b.c.-1"])
def test_a_path_that_leads_nowhere_is_a_finding(path):
    outcome = changed((path, "1"))
    assert outcome.value is None
    assert [finding.code for finding in outcome.diagnostics] == ["schema.bad-value"]


@pytest.mark.parametrize("text", ["[1", "no", "1\nb: 2", "&x 1"])
def test_a_value_that_yaml_refuses_is_a_finding(text):
    outcome = changed(("a", text))
    assert outcome.value is None
    assert outcome.diagnostics


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_gives_a_value_or_a_finding(path, text):
    outcome = changed((path, text))
    assert (outcome.value is None) == bool(outcome.diagnostics)
