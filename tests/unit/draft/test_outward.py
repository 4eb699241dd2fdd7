"""Ranges widened outward hold what was seen, and end in round numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synthspec.draft.rounding import outward

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("seen", "round_"),
    [
        ((6.981, 28.11), (0, 30)),
        ((0.05263, 0.1634), (0, 0.2)),
        ((17, 90), (10, 90)),
        ((0, 99999), (0, 100000)),
        ((-0.3, 0.4), (-0.3, 0.4)),
        ((-2.71, 3.9), (-3, 4)),
        ((1, 2), (1, 2)),
        ((1000000001, 1000000003), (1000000001, 1000000003)),
    ],
)
def test_known_ranges(seen, round_):
    assert outward(*seen) == round_


@given(FINITE, FINITE)
def test_what_was_seen_lies_within_finite_bounds(one, other):
    assume(one != other)
    low, high = sorted((one, other))
    below, above = outward(low, high)
    assert below <= low
    assert high <= above
    assert math.isfinite(below)
    assert math.isfinite(above)
    assert low < 0 or below >= 0


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_integers_stay_integers_and_do_not_run_away(one, other):
    assume(one != other)
    low, high = sorted((one, other))
    below, above = outward(low, high)
    assert isinstance(below, int)
    assert isinstance(above, int)
    assert below <= low < high <= above
    assert low - below < high - low + 1
    assert above - high < high - low + 1
