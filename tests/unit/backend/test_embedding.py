"""The noisy mean embedding: what a record may move, what noise there is, which laws match, and that they are the records'."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from synthspec.accounting import eps_total, gaussian_sigma
from synthspec.backend import embedding
from synthspec.backend import matched as matching
from synthspec.backend.cells import Cells
from synthspec.backend.embedding import Features, block_of
from synthspec.backend.latent import FEWEST, MOST, Mixture, compared, fitted
from synthspec.backend.matched import match_embedding, matched, release
from synthspec.backend.noise import Noise
from synthspec.ir.schema import Field


def cells_of(name, dtype, **more):
    return Cells.of(Field(name=name, role="content", dtype=dtype, **more))


CELLS = (
    cells_of("dose", "float64", range=(-2.0, 3.0)),
    cells_of("gain", "int32", range=(0, 10_000)),
    cells_of("grade", "int64", enum=(1, 2, 5)),
    cells_of("site", "categorical", enum=("x", "y", "z"), nullable=True),
    cells_of("flag", "bool"),
)
SITE, FLAG = 3, 4
FEATURES = {target: Features.drawn(CELLS, target, np.random.default_rng(1)) for target in (None, SITE, FLAG)}


def table(n, seed=0, wild=False):
    """`n` records; `wild` ones have values that no range holds, and none at all."""
    r = np.random.default_rng(seed)
    dose = r.choice([np.nan, np.inf, -np.inf, 1e300, -7.0, 0.5], n) if wild else r.uniform(-2, 3, n)
    gain = r.integers(-(2**31), 2**31, n) if wild else r.integers(0, 10_001, n)
    return [dose, gain, r.choice([1, 2, 5], n), r.integers(-1, 3, n), r.integers(0, 2, n)]


def only(columns, rows):
    return [column[rows] for column in columns]


GAPPY = (cells_of("lab", "float64", range=(0.0, 1.0), nullable=True), *CELLS[1:2], *CELLS[FLAG:])
GAPS = Features.drawn(GAPPY, None, np.random.default_rng(1))


def gappy(n, seed=0):
    """A number that is missing of every second record whose flag is set, and else one time in ten."""
    r = np.random.default_rng(seed)
    flag = r.integers(0, 2, n)
    lab = np.where(r.random(n) < 0.1 + 0.4 * flag, np.nan, np.clip(0.3 + 0.4 * flag + 0.05 * r.normal(size=n), 0, 1))
    return [lab, r.integers(0, 10_001, n), flag]


@settings(deadline=None, max_examples=20)
@given(n=st.integers(1, 40), row=st.integers(0, 39), seed=st.integers(0, 2**31))
def test_a_record_with_a_gap_is_no_longer_than_another(n, row, seed):
    columns, rows = gappy(n, seed), np.arange(n) != row % n
    sums = GAPS.sums(columns)
    assert np.linalg.norm(sums - GAPS.sums(only(columns, rows))) <= 1.0
    empty = np.where(rows, columns[0], np.nan)
    assert np.linalg.norm(sums - GAPS.sums([empty, *columns[1:]])) <= 2.0


def test_a_missing_number_is_in_none_of_its_waves():
    """What stands in the column there says nothing: only that it is missing does."""
    one, other = ([np.array([value]), np.array([7]), np.array([1])] for value in (np.nan, 0.5))
    own = np.flatnonzero(GAPS.frequencies[:, 0])
    assert len(own) > 100
    assert not GAPS.of(one)[0, own].any()
    assert np.hypot(GAPS.of(other)[0, own], GAPS.of(other)[0, GAPS.waves + own]).min() > 0
    np.testing.assert_array_equal(
        np.delete(GAPS.of(one)[0, : GAPS.waves], own)[:50] != 0,
        np.delete(GAPS.of(other)[0, : GAPS.waves], own)[:50] != 0,
    )


def test_where_numbers_are_missing_is_learned():
    columns = gappy(790)
    model = match_embedding(GAPPY, columns, 0.3, 2, np.random.default_rng(0), Noise(key=bytes(32)))
    lab, _, flag = model.sample(4000, np.random.default_rng(1))
    for member in (0, 1):
        real, made = columns[0][columns[2] == member], lab[flag == member]
        assert np.isnan(made).mean() == pytest.approx(np.isnan(real).mean(), abs=0.05)
        assert np.nanmean(made) == pytest.approx(np.nanmean(real), abs=0.03)
        assert np.nanstd(made) == pytest.approx(np.nanstd(real), abs=0.03)


@pytest.mark.parametrize("target", FEATURES)
@settings(deadline=None, max_examples=20)
@given(n=st.integers(1, 40), row=st.integers(0, 39), seed=st.integers(0, 2**31), wild=st.booleans())
def test_a_record_moves_the_sums_by_at_most_its_length(target, n, row, seed, wild):
    """By one when it comes or goes, and by two when it is another: exactly, with no tolerance at all."""
    features, columns = FEATURES[target], table(n, seed, wild)
    sums, rows = features.sums(columns), np.arange(n) != row % n
    assert np.linalg.norm(sums - features.sums(only(columns, rows))) <= 1.0
    other = [np.where(rows, mine, theirs[0]) for mine, theirs in zip(columns, table(1, seed + 1, wild), strict=True)]
    assert np.linalg.norm(sums - features.sums(other)) <= 2.0
    assert np.isfinite(sums).all()


def test_no_part_of_the_length_is_given_away():
    """A record is as long as one, but for what is cut off: less would be noise for nothing."""
    lengths = np.linalg.norm(FEATURES[SITE].of(table(200)), axis=1)
    assert lengths.min() > 1 - 1e-6
    assert lengths.max() <= 1


def test_records_of_different_members_of_the_target_never_meet():
    features, columns = FEATURES[SITE], table(300)
    sums = features.sums(columns)
    codes = CELLS[SITE].codes(columns[SITE])
    for member in range(4):
        np.testing.assert_array_equal(sums[member], features.of(only(columns, codes == member)).sum(axis=0))


def test_sums_are_the_same_in_any_order_and_in_parts_of_any_size(monkeypatch):
    features, columns = FEATURES[None], table(1000)
    whole, mixed = features.sums(columns), np.random.default_rng(2).permutation(1000)
    np.testing.assert_array_equal(features.sums(only(columns, mixed)), whole)
    monkeypatch.setattr(embedding, "ROWS", 77)
    np.testing.assert_array_equal(features.sums(columns), whole)


def test_the_features_are_those_of_a_kernel():
    """Rahimi and Recht 2007: products of features estimate E cos(w (x - y)), and 0 of a wave that tells members apart."""
    features = FEATURES[None]
    one, other = table(2, 5), table(2, 6)
    wave, member, constant = features.lengths
    found = float((features.of(one) @ features.of(other).T)[0, 0])
    apart = np.array([cell.places(a) - cell.places(b) for cell, a, b in zip(CELLS[:3], one, other, strict=False)])[:, 0]
    turns = np.exp(1j * (features.frequencies @ apart))
    for i, turn in zip(features.categories, features.turns, strict=True):
        mine, theirs = (int(CELLS[i].codes(columns[i])[0]) for columns in (one, other))
        turns *= turn[mine] * np.conj(turn[theirs])
    same = sum(one[i][0] == other[i][0] for i in features.categories)
    assert found == pytest.approx(wave**2 * turns.real.sum() + member**2 * same + constant**2, abs=1e-6)


def test_without_noise_it_is_the_mean_embedding():
    features, columns = FEATURES[None], table(4000)
    block = block_of(features, release(features, columns, 1e-9, Noise())[0], 1e-9)
    assert block.count == pytest.approx(4000, abs=0.01)
    wave = features.lengths[0]
    exact = features.of(columns).mean(axis=0) / wave
    waves = features.waves
    np.testing.assert_allclose(block.waves, exact[:waves] + 1j * exact[waves : 2 * waves], atol=1e-4)
    np.testing.assert_allclose(block.shares[1], np.bincount(columns[FLAG]) / 4000, atol=1e-4)


def test_the_noise_is_what_is_charged():
    features, columns, sigma = FEATURES[SITE], table(50), 3.0
    noise = Noise(key=bytes(range(32)))
    off = (release(features, columns, sigma, noise) - features.sums(columns)).ravel() / sigma
    low, high = chi2.ppf([0.0005, 0.9995], off.size)
    assert off.size == features.blocks * features.size > 4000
    assert low < float(np.square(off).sum()) < high
    assert abs(off.mean()) < 4 / math.sqrt(off.size)
    assert abs(float((off[1:] * off[:-1]).mean())) < 4 / math.sqrt(off.size)
    (made,) = noise.made
    assert (made.name, made.parts, made.size, made.sigma) == ("mean_embedding", 1, off.size, sigma)


@pytest.mark.parametrize(("eps", "delta"), [(0.1, 1e-5), (1.0, 1e-6), (4.0, 1e-5), (10.0, 1e-5)])
def test_eps_is_that_of_one_gaussian_release(eps, delta):
    accounting = pytest.importorskip("dp_accounting")
    model = match_embedding(CELLS, table(5), gaussian_sigma(eps, delta), FLAG, np.random.default_rng(0))
    spent = eps_total(model.event, delta, "analytic").eps
    assert spent == pytest.approx(accounting.get_epsilon_gaussian(model.sigma, delta), abs=1e-4)
    assert spent <= eps + 1e-8


def laws(features, seed):
    r, first = np.random.default_rng(seed), Mixture.first(features, 0.0, np.random.default_rng(seed))
    return Mixture(
        r.normal(size=FEWEST),
        r.uniform(0.35, 0.65, first.centres.shape),
        np.log(r.uniform(0.01, 0.05, first.spreads.shape)),
        0.03 * r.normal(size=first.factors.shape),
        tuple(r.normal(size=each.shape) for each in first.shares),
    )


def test_what_a_law_is_expected_to_be_is_what_its_records_are():
    features, law = FEATURES[None], laws(FEATURES[None], 3)
    places, members = law.sample(20_000, np.random.default_rng(4))
    waves = np.zeros(features.waves, complex)
    for part in np.array_split(np.arange(len(places)), 10):
        turn = np.exp(1j * places[part] @ features.frequencies.T)
        for codes, turns in zip(members, features.turns, strict=True):
            turn *= turns[codes[part]]
        waves += turn.sum(axis=0)
    shares = tuple(
        np.bincount(codes, minlength=CELLS[i].count) / len(places)
        for codes, i in zip(members, features.categories, strict=True)
    )
    nothing = block_of(features, np.zeros(features.size), 1.0)
    drawn = replace(nothing, waves=waves / len(places), shares=shares)
    assert compared(features, drawn, law)[0] < 3 / len(places)
    assert compared(features, nothing, law)[0] > 0.05


@pytest.mark.parametrize("which", range(5))
def test_slopes_are_those_of_the_distance(which):
    features, law = FEATURES[FLAG], laws(FEATURES[FLAG], 5)
    block = block_of(features, features.sums(table(60))[0], 1.0)
    parameters, slopes = list(law.parameters), compared(features, block, law)[1]
    place = tuple(np.random.default_rng(which).integers(0, size) for size in parameters[which].shape)
    ends = []
    for step in (1e-6, -1e-6):
        moved = [each.copy() for each in parameters]
        moved[which][place] += step
        ends.append(compared(features, block, Mixture(*moved[:4], tuple(moved[4:])))[0])
    assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(slopes[which][place], rel=1e-4, abs=1e-9)


def test_a_law_is_not_fitted_to_noise():
    """It stays where it begins when noise explains all, and goes no nearer than what is expected of the noise."""
    features, columns = FEATURES[None], table(400)
    sums = features.sums(columns)
    first = Mixture.first(features, 400.0, np.random.default_rng(0))
    drowned = block_of(features, sums[0], 1e6)
    assert fitted(features, drowned, first) is first
    some = block_of(features, release(features, columns, 4.0, Noise(key=bytes(32)))[0], 4.0)
    distance = compared(features, some, fitted(features, some, first))[0]
    assert 0.95 < distance / some.noise < 1.05


def mixed(n, seed=0):
    """Numbers, a heavy zero and categories that follow the flag."""
    r = np.random.default_rng(seed)
    flag = (r.random(n) < 0.3).astype(np.int64)
    dose = np.clip(0.5 + flag + 0.3 * r.normal(size=n), -2, 3)
    gain = np.where(r.random(n) < 0.8, 0, np.floor(np.exp(7 + 0.5 * r.normal(size=n)))).astype(np.int64)
    grade = np.where(r.random(n) < 0.2 + 0.6 * flag, 5, r.choice([1, 2], n))
    site = np.where(dose > 1.2, 2, r.integers(-1, 2, n))
    return [dose, gain, grade, site, flag]


def test_with_little_noise_the_law_of_the_records_comes_back():
    columns = mixed(790)
    model = match_embedding(CELLS, columns, 0.3, FLAG, np.random.default_rng(0), Noise(key=bytes(32)))
    drawn = model.sample(6000, np.random.default_rng(1))
    assert drawn[FLAG].mean() == pytest.approx(columns[FLAG].mean(), abs=0.02)
    for member in (0, 1):
        real, made = ([c[t[FLAG] == member] for c in t] for t in (columns, drawn))
        assert made[0].mean() == pytest.approx(real[0].mean(), abs=0.05)
        assert made[0].std() == pytest.approx(real[0].std(), abs=0.08)
        assert (made[1] < 100).mean() == pytest.approx(0.8, abs=0.06)
        assert (made[2] == 5).mean() == pytest.approx((real[2] == 5).mean(), abs=0.05)
        assert (made[3] == 2).mean() == pytest.approx((real[3] == 2).mean(), abs=0.05)
    assert (drawn[3] == 2)[drawn[0] > 1.4].mean() > 0.7, "site follows dose within a member of the target"


@pytest.mark.parametrize(("count", "parts"), [(-3.0, FEWEST), (799.0, FEWEST), (1600.0, 16), (1e9, MOST)])
def test_more_records_have_more_components(count, parts):
    assert len(Mixture.first(FEATURES[None], count, np.random.default_rng(0)).weights) == parts


@pytest.mark.parametrize("target", FEATURES)
def test_drawn_records_are_records_of_the_cells(target):
    model = match_embedding(CELLS, table(200), 50.0, target, np.random.default_rng(0))
    dose, gain, grade, site, flag = model.sample(500, np.random.default_rng(1))
    assert -2 <= dose.min() <= dose.max() <= 3
    assert 0 <= gain.min() <= gain.max() <= 10_000
    assert gain.dtype.kind == "i"
    assert set(grade.tolist()) <= {1, 2, 5}
    assert set(site.tolist()) <= {-1, 0, 1, 2}
    assert set(flag.tolist()) <= {0, 1}


def test_numbers_come_back_from_their_places():
    for cell, column in zip(CELLS, table(3000), strict=True):
        if cell.ordered:
            places = cell.places(column)
            assert 0 <= places.min() <= places.max() <= 1
            np.testing.assert_allclose(cell.at(places), column, rtol=1e-9, atol=1e-9)


def test_what_follows_the_release_is_a_function_of_it():
    features, columns = FEATURES[SITE], table(300)
    sums = release(features, columns, 2.0, Noise(key=bytes(32)))
    one, other = (matched(features, sums.copy(), 2.0, np.random.default_rng(3)) for _ in range(2))
    drawn = [each.sample(50, np.random.default_rng(4)) for each in (one, other)]
    assert all(np.array_equal(a, b) for a, b in zip(*drawn, strict=True))


def test_no_records_are_noise_and_no_fault():
    model = match_embedding(CELLS, table(0), 2.0, SITE, np.random.default_rng(0))
    assert len(model.sample(20, np.random.default_rng(1))[0]) == 20


@pytest.mark.parametrize(
    ("cells", "target", "said"), [(CELLS, 0, "no members"), (CELLS[FLAG:], 0, "beside the target")]
)
def test_what_has_no_features_is_refused(cells, target, said):
    with pytest.raises(ValueError, match=said):
        Features.drawn(cells, target, np.random.default_rng(0))


def test_cancer_is_learned_from_one_release():
    """At eps 4 of 398 records: marginal laws three times nearer than what the ranges say alone, and how they go together."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    ranges = {"mean radius": 60.0, "mean perimeter": 400.0, "mean area": 6000.0, "mean smoothness": 1.0}
    cells = [*(cells_of(name, "float64", range=(0.0, top)) for name, top in ranges.items()), Cells("target", 2)]
    order = np.random.default_rng(5).permutation(len(frame))
    train, test = ([frame[c.name].to_numpy()[rows] for c in cells] for rows in (order[:398], order[398:]))
    noise = Noise(key=bytes(32))
    model = match_embedding(cells, train, gaussian_sigma(4.0, 1e-5), 4, np.random.default_rng(0), noise)
    made = model.sample(4000, np.random.default_rng(1))
    r = np.random.default_rng(2)
    even = [cell.at(r.random(4000)) for cell in cells[:4]]

    def off(columns):
        grid = np.linspace(0.005, 0.995, 199)
        return [
            float(np.abs(np.quantile(a, grid) - np.quantile(b, grid)).mean() / b.std())
            for a, b in zip(columns[:4], test[:4], strict=True)
        ]

    assert np.mean(off(made)) < np.mean(off(even)) / 10
    assert max(off(made)) < 1.0
    malign = [
        float(column[label == 0].mean() - column[label == 1].mean())
        for column, label in ((made[0], made[4]), (test[0], test[4]))
    ]
    assert malign[0] == pytest.approx(malign[1], rel=0.35)
    assert np.corrcoef(made[0], made[1])[0, 1] > 0.7


def test_the_law_of_all_records_bears_the_noise_of_all_sums(monkeypatch):
    """Laws of members begin at that of all, whose sum has the noise of each of them."""
    seen = []

    def keeping(features, block, start):
        seen.append((block, start))
        return start

    monkeypatch.setattr(matching, "fitted", keeping)
    features = FEATURES[SITE]
    sums = release(features, table(400), 3.0, Noise(key=bytes(32)))
    matched(features, sums, 3.0, np.random.default_rng(0))
    (whole, first), *members = seen
    assert whole.count == pytest.approx(sum(block.count for block, _ in members))
    size = (features.size - 1) * 9.0
    assert whole.noise * whole.count**2 == pytest.approx(4 * size)
    assert [block.noise * block.count**2 for block, _ in members] == pytest.approx([size] * 4)
    assert all(start is first for _, start in members)
