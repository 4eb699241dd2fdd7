"""Publishing on ts and coming back: exact, in order, for any clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.timebase import Publisher
from synthspec.timebase.publish import TICK

JAN_2026 = 1767225600 * 10**9
ticks = st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=30)


@st.composite
def publishers(draw: st.DrawFn) -> Publisher:
    spans = draw(st.lists(st.floats(0.1, 1e4), min_size=1, max_size=6))
    slopes = draw(st.lists(st.floats(-0.09, 0.09), min_size=len(spans), max_size=len(spans)))
    places = np.r_[0.0, np.cumsum(spans)]
    errors = draw(st.floats(-1e3, 1e3)) + np.r_[0.0, np.cumsum(np.array(spans) * slopes)]
    return Publisher(draw(st.integers(0, 2 * JAN_2026)), places, errors)


@given(publishers(), ticks)
def test_the_way_there_and_back_gives_every_tick_again(publisher: Publisher, counts: list[int]) -> None:
    dtau = np.array(counts, np.int64) * TICK
    back = publisher.recover(publisher.publish(dtau))
    assert np.abs(back - dtau).max() <= 2
    assert (np.rint(back / TICK).astype(np.int64) * TICK == dtau).all()


@pytest.mark.parametrize("span", [1e-3, 0.1])
def test_far_beyond_a_short_piece_the_way_back_is_as_exact(span: float) -> None:
    publisher = Publisher(JAN_2026, np.array([0.0, 9e3, 9e3 + span]), np.array([0.0, 0.0, 0.0857149 * span]))
    dtau = np.array([1_795_052_472_536, 10**14], np.int64) * TICK
    assert np.abs(publisher.recover(publisher.publish(dtau)) - dtau).max() <= 2


@given(publishers(), ticks)
def test_order_is_kept_and_ticks_stay_apart(publisher: Publisher, counts: list[int]) -> None:
    dtau = np.unique(np.array(counts, np.int64)) * TICK
    ts = publisher.publish(dtau)
    assert (np.diff(ts) > 0).all()


def test_the_map_is_the_fitted_line() -> None:
    publisher = Publisher(JAN_2026, np.array([0.0, 100.0]), np.array([1e-3, 1e-3 + 100 * 2e-6]))
    seconds = np.array([0, 50, 100, 1000, -10], np.int64)
    expected = JAN_2026 + seconds * 10**9 + 1_000_000 + seconds * 2000
    assert publisher.publish(seconds * 10**9).tolist() == expected.tolist()


def test_a_clock_that_runs_away_is_refused() -> None:
    with pytest.raises(ValueError, match="s/s"):
        Publisher(0, np.array([0.0, 1.0]), np.array([0.0, 0.2]))
