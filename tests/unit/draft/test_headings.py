"""Headers of tables as names of fields: always names, never twice, and units offered only where headers have them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.draft.naming import headings


@pytest.mark.parametrize(
    ("column", "name", "unit"),
    [
        ("mean_radius_mm", "mean_radius_mm", "mm"),
        ("load [kW]", "load", "kW"),
        ("temp (degC)", "temp", "degC"),
        ("delay seconds", "delay_seconds", "seconds"),
        ("hours-per-week", "hours_per_week", ""),
        ("power_in", "power_in", ""),
        ("price_min", "price_min", ""),
        ("mean concave points", "mean_concave_points", ""),
        ("load (total)", "load_total", ""),
        ("mm", "mm", ""),
        ("Größe (cm)", "Grosse", "cm"),
        ("2nd visit", "nd_visit", ""),
        ("身長", "field_1", ""),
        ("_x", "x", ""),
    ],
)
def test_a_header_becomes_a_name_and_its_unit_is_only_offered(column, name, unit):
    (made,) = headings([column])
    assert (made.column, made.name, made.unit) == (column, name, unit)


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=12))
def test_every_column_has_a_name_of_its_own(columns):
    made = headings(columns)
    names = [each.name for each in made]
    assert [each.column for each in made] == columns
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,127}", name) for name in names)
    # A name that is the header of another column would be bound to that one.
    assert all(each.name == each.column or each.name not in columns for each in made)


def test_names_that_are_names_stay_whatever_stands_before_them():
    assert [each.name for each in headings(["a b", "a_b", "a-b"])] == ["a_b_2", "a_b", "a_b_3"]
