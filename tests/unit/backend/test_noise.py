"""Noise on counts: what it is, what it depends on, and that a release is counted before it happens."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synthspec.backend.grouping import Grouping
from synthspec.backend.noise import GRID, Noise, normals, words
from synthspec.backend.releases import ReleaseMeter, counted

KEY = bytes(range(32))


def test_normals_are_normal_and_no_two_alike():
    drawn = normals(words(KEY, "a", 200_000))
    assert abs(drawn.var() - 1) < 4.5 * math.sqrt(2 / len(drawn))
    assert stats.kstest(drawn[:20000], "norm").pvalue > 1e-5
    assert len(np.unique(drawn)) == len(drawn)


def test_noise_is_a_function_of_key_and_name():
    np.testing.assert_array_equal(words(KEY, "a", 8), words(KEY, "a", 8))
    assert not np.array_equal(words(KEY, "a", 8), words(KEY, "b", 8))
    assert not np.array_equal(words(KEY, "a", 8), words(KEY[::-1], "a", 8))
    with pytest.raises(ValueError, match="256 bits"):
        words(KEY[:16], "a", 2)
    assert not np.array_equal(Noise().release("a", [np.zeros(8)], 1.0)[0], Noise().release("a", [np.zeros(8)], 1.0)[0])


@pytest.mark.parametrize(("parts", "sigma"), [(1, 3.0), (4, 3.0), (9, 0.4)])
def test_noise_has_the_stated_deviation(parts, sigma):
    """Chi-squared at 1e-6: sigma times what a record moves the whole vector by."""
    made = Noise(key=KEY).release("v", [np.zeros(40_000 // parts)] * parts, sigma)
    flat = np.concatenate(made) / (sigma * math.sqrt(parts))
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], len(flat))
    assert low < float(np.square(flat).sum()) < high
    assert abs(np.corrcoef(made[0], made[-1])[0, 1] - (parts == 1)) < 5 / math.sqrt(len(made[0]))


def test_released_numbers_lie_on_a_public_grid():
    (made,) = Noise(key=KEY).release("v", [np.arange(1000.0)], 0.7)
    np.testing.assert_array_equal(made, np.rint(made / GRID) * GRID)


def test_each_release_is_counted_before_it_happens(tmp_path):
    meter, seen = tmp_path / "meter", []

    class Counts(np.ndarray):
        """Tells when something is added to it."""

        def __add__(self, other):
            seen.append(counted(meter))
            return np.asarray(self) + other

    noise = Noise(key=KEY, meter=ReleaseMeter(meter))
    for name in ("first", "second"):
        noise.release(name, [np.zeros(3).view(Counts)], 1.0)
    assert seen == [1, 2]
    assert [each.name for each in noise.made] == ["first", "second"]


def test_a_name_is_released_once():
    noise = Noise(key=KEY)
    noise.release("v", [np.zeros(2)], 1.0)
    with pytest.raises(ValueError, match="released already"):
        noise.release("v", [np.ones(2)], 1.0)


@pytest.mark.parametrize(("count", "sigma"), [(1, 0.0), (1, math.inf), (1, math.nan), (0, 1.0)])
def test_no_noise_is_no_release(count, sigma):
    noise = Noise(key=KEY)
    with pytest.raises(ValueError, match="noise"):
        noise.release("v", [np.zeros(2)] * count, sigma)
    assert noise.made == []


laws = st.lists(st.floats(0, 100), min_size=1, max_size=60).filter(lambda each: sum(each) > 1e-3)


@settings(deadline=None)
@given(law=laws, parts=st.integers(1, 20), ordered=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_groups_partition_the_cells_and_spread_back_into_them(law, parts, ordered, seed):
    law = np.array(law) / sum(law)
    made = Grouping.merged(law, parts, ordered=ordered)
    assert made.count <= max(parts, len(law) if len(law) <= parts else 0)
    assert set(made.of.tolist()) == set(range(made.count))
    if ordered:
        assert (np.diff(made.of) >= 0).all()
    groups = np.arange(made.count).repeat(3)
    np.testing.assert_array_equal(made.of[made.spread(groups, np.random.default_rng(seed))], groups)


def test_within_a_group_cells_are_drawn_by_the_law_of_the_field():
    law = np.array([0.1, 0.3, 0.0, 0.6, 0.0])
    made = Grouping.merged(law, 2, ordered=True)
    groups = np.random.default_rng(0).choice(made.count, 20_000, p=np.bincount(made.of, law))
    drawn = np.bincount(made.spread(groups, np.random.default_rng(1)), minlength=5) / 20_000
    np.testing.assert_allclose(drawn, law, atol=0.02)
