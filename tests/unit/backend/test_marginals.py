"""Tables from noisy counts: what a record may move, what noise there is, and what comes out when there is hardly any."""

import math

import numpy as np
import pytest

from synthspec.accounting import eps_total, gaussian_sigma
from synthspec.backend.cells import CELLS, Cells
from synthspec.backend.marginals import BORNE, FEWEST, MOST, fit_marginals, projected
from synthspec.ir.schema import Field
from synthspec.ir.statistics import SHARES


def numbers(name, low, high, dtype="float64", **more):
    return Field(name=name, role="content", dtype=dtype, range=(low, high), **more)


def category(name, *values, **more):
    return Field(name=name, role="content", dtype="categorical", enum=values, **more)


A, B, C = Cells("a", 3), Cells("b", 4), Cells("c", 2)


def chained(n, seed=0):
    """b follows a nine times in ten, c tells whether b is large."""
    r = np.random.default_rng(seed)
    a = r.integers(0, 3, n)
    b = np.where(r.random(n) < 0.9, a, 3)
    c = np.where(r.random(n) < 0.95, b >= 2, b < 2).astype(np.int64)
    return a, b, c


def joint(codes, shape):
    flat = np.ravel_multi_index(tuple(codes), shape)
    return np.bincount(flat, minlength=math.prod(shape)) / len(codes[0])


@pytest.mark.parametrize("target", [None, 2])
def test_with_little_noise_the_law_of_the_records_comes_back(target):
    codes = chained(20000)
    model = fit_marginals((A, B, C), codes, 0.01, target)
    drawn = model.sample(20000, np.random.default_rng(1))
    shape = (3, 4, 2)
    assert 0.5 * np.abs(joint(codes, shape) - joint(drawn, shape)).sum() < 0.03


def test_more_noise_is_further_off_and_still_a_law():
    codes = chained(500)
    model = fit_marginals((A, B, C), codes, 50.0)
    for table in model.tables:
        np.testing.assert_allclose(table.law.sum(axis=-1), 1.0)
        assert (table.law >= 0).all()
    drawn = model.sample(1000, np.random.default_rng(1))
    assert all(code.min() >= 0 and code.max() < cell.count for code, cell in zip(drawn, (A, B, C), strict=True))


def test_the_three_releases_cost_what_one_of_the_stated_noise_does():
    model = fit_marginals((A, B, C), chained(100), gaussian_sigma(2.6, 1e-5))
    assert eps_total(model.event, 1e-5, "analytic").eps == pytest.approx(2.6, abs=1e-6)
    assert sum(share for _, share in SHARES) == pytest.approx(1.0)


def test_projection_is_the_nearest_and_leaves_what_is_a_law_alone():
    counts = np.array([[5.0, -2.0], [1.0, 0.2]])
    found = projected(counts, 4.0)
    assert found.sum() == pytest.approx(4.0)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, [[4.0, 0.0], [0.0, 0.0]])
    law = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(projected(law, 6.0), law)


def test_a_table_that_is_too_large_leaves_the_target_out():
    wide = Cells("wide", 200), Cells("other", 200), Cells("y", 2)
    r = np.random.default_rng(0)
    codes = r.integers(0, 200, 400), r.integers(0, 200, 400), r.integers(0, 2, 400)
    model = fit_marginals(wide, codes, 1e-5, 2)
    assert [each.count for each in model.groupings] == [200, 200, 2]
    assert max(table.law.size for table in model.tables) <= 200 * 200
    assert all(len(table.parents) <= 1 for table in model.tables)
    assert MOST < 200 * 200 * 2


def test_more_noise_makes_fewer_groups_and_a_table_bears_what_it_gets():
    wide, y = Cells("wide", 200, np.linspace(0.0, 1.0, 201)), Cells("y", 2)
    r = np.random.default_rng(0)
    codes = r.integers(0, 200, 20_000), r.integers(0, 2, 20_000)
    few, many = (fit_marginals((wide, y), codes, sigma, 1).groupings[0].count for sigma in (8.0, 0.5))
    assert FEWEST <= few < many <= 200
    std = 0.5 / math.sqrt(dict(SHARES)["tables"]) * math.sqrt(2)
    assert many**2 * 2 * std * BORNE <= 20_000 * 1.1


def test_what_lies_far_outside_of_the_data_is_noise():
    """A range a hundred times as wide as the data: noise there would move every mean."""
    wide, y = Cells("wide", 400, np.linspace(0.0, 1.0, 401)), Cells("y", 2)
    r = np.random.default_rng(0)
    codes = r.integers(20, 24, 2000), r.integers(0, 2, 2000)
    drawn = fit_marginals((wide, y), codes, 1.0, 1).sample(2000, np.random.default_rng(1))[0]
    assert np.mean((drawn >= 19) & (drawn <= 24)) > 0.98


@pytest.mark.parametrize(("cells", "sigma"), [((A,), 1.0), ((A, B, C), 0.0), ((A, B, C), -1.0), ((A, B, C), math.nan)])
def test_what_is_no_network_or_no_noise_is_refused(cells, sigma):
    with pytest.raises(ValueError, match="two fields and noise"):
        fit_marginals(cells, chained(10)[: len(cells)], sigma)


@pytest.mark.parametrize(
    ("field", "count"),
    [
        (numbers("age", 17, 90, "int32"), 74),
        (numbers("gain", 0, 99999, "int32"), None),
        (numbers("weight", 10.0, 1e6), CELLS),
        (numbers("height", -2.0, 2.0), CELLS),
        (category("job", "x", "y", "z"), 3),
        (category("job", "x", "y", nullable=True), 3),
        (Field(name="flag", role="content", dtype="bool"), 2),
    ],
)
def test_cells_hold_what_falls_in_them(field, count):
    cells = Cells.of(field)
    assert count is None or cells.count == count
    codes = np.arange(cells.count)
    back = cells.codes(cells.values(codes, np.random.default_rng(0)))
    np.testing.assert_array_equal(back, codes)


def test_zero_has_a_cell_of_its_own_in_a_range_of_decades():
    cells = Cells.of(numbers("gain", 0, 99999, "int32"))
    np.testing.assert_array_equal(
        cells.codes(np.array([0, 1, 99999, -5, 200000])), [0, 1, cells.count - 1, 0, cells.count - 1]
    )
    assert set(cells.values(np.zeros(50, np.int64), np.random.default_rng(0))) == {0}


@pytest.mark.parametrize(
    "field",
    [
        numbers("x", 1.0, 9000.0, nullable=True),
        numbers("x", 0.0, 1.0, resolution=0.125, nullable=True),
        Field(name="x", role="content", dtype="float64", enum=(1.5, 2.5, 9.0), nullable=True),
    ],
)
def test_a_gap_has_a_cell_of_its_own_and_comes_back(field):
    cells, r = Cells.of(field), np.random.default_rng(0)
    known = r.choice(field.enum, 300) if field.enum else np.rint(r.uniform(1, 9, 300)) / 8
    column = np.where(np.arange(300) % 3 == 0, np.nan, known)
    codes = cells.codes(column)
    assert set(codes[::3]) == {cells.count - 1}
    assert codes[np.isfinite(column)].max() < cells.count - 1 == cells.filled
    back = cells.values(codes, r)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(column))
    np.testing.assert_array_equal(cells.codes(back), codes)


def test_a_gap_is_the_neighbour_of_no_number():
    """Cells are put together for the noise, and those that are missing stay by themselves and as many."""
    r = np.random.default_rng(0)
    top = np.where(r.random(4000) < 0.3, np.nan, r.uniform(0.8, 1.0, 4000))
    cells = (Cells.of(numbers("x", 0.0, 1.0, nullable=True)), C)
    model = fit_marginals(cells, (cells[0].codes(top), r.integers(0, 2, 4000)), 40.0, 1)
    grouping = model.groupings[0]
    assert grouping.count < cells[0].count
    assert np.count_nonzero(grouping.of == grouping.of[-1]) == 1
    drawn = model.sample(4000, r)[0]
    assert (drawn == cells[0].count - 1).mean() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    "field",
    [
        Field(name="x", role="content", dtype="float64"),
        numbers("x", 0.0, 1.0, shape=(2,)),
        numbers("x", 0, 1000, "int32", nullable=True),
    ],
)
def test_a_field_without_public_cells_is_refused(field):
    with pytest.raises(ValueError, match="x"):
        Cells.of(field)
