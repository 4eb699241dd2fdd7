"""Clocks whose offset, skew and jitter are known: intervals cover them, and what a clock did is told, not smoothed over."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from synthspec.timebase import (
    ClockFit,
    TooFewReadingsError,
    find_gaps,
    find_steps,
    fit_clock,
    least_squares,
    theil_sen,
)
from synthspec.timebase.jitter import interval, jitter

CLOCKS = 200
WINDOW = 200.0


@dataclass(frozen=True)
class Clock:
    tau: NDArray[np.float64]
    error: NDArray[np.float64]
    offset: float
    skew: float
    jitter: float
    step: tuple[int, float] | None
    gap: int | None


def clock(seed: int) -> Clock:
    """Gaussian, Laplace, Student and contaminated jitter in turn; every fifth clock steps, every fifth has a gap."""
    rng = np.random.default_rng([7, seed])
    n = int(rng.integers(400, 1500))
    tau = np.sort(np.cumsum(rng.exponential(1.0, n)))
    jitter, offset = 10 ** rng.uniform(-8, -4), rng.normal() * 1e-3
    skew = rng.normal() * 10 ** rng.uniform(-8, -5)
    noise = (
        lambda: rng.standard_normal(n),
        lambda: rng.laplace(size=n) / np.sqrt(2),
        lambda: rng.standard_t(5, n) / np.sqrt(5 / 3),
        lambda: rng.standard_normal(n) * np.where(rng.random(n) < 0.05, 4, 1) / np.sqrt(0.95 + 0.05 * 16),
    )[seed % 4]()
    error, place, size, gap = offset + jitter * noise, int(rng.integers(n // 4, 3 * n // 4)), 0.0, None
    if seed % 5 == 1:
        size = jitter * rng.choice([-1, 1]) * rng.uniform(8, 1000)
        error[place:] += size
    if seed % 5 == 2:
        tau[place:] += rng.uniform(60, 900)
        gap = place
    return Clock(tau, error + skew * tau, offset, skew, jitter, (place, size) if size else None, gap)


@functools.cache
def fits(method: str) -> list[tuple[Clock, ClockFit]]:
    clocks = [clock(seed) for seed in range(CLOCKS)]
    return [(each, fit_clock(each.tau, each.error, WINDOW, method)) for each in clocks]  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["least_squares", "theil_sen"])
def test_intervals_cover_at_least_93_percent_of_200_clocks(method: str) -> None:
    covered: Counter[str] = Counter()
    for true, found in fits(method):
        line = found.main.line
        behind = true.step is not None and true.tau[true.step[0]] <= found.main.begin
        offset = true.offset + (true.step[1] if behind and true.step else 0.0)
        low, high = interval(found.jitter)
        covered["offset"] += line.offset.lower <= offset <= line.offset.upper
        covered["skew"] += line.skew.lower <= true.skew <= line.skew.upper
        covered["J"] += low <= true.jitter <= high
        # An interval that covers everything would pass as well: it has to be about as wide as the error is large.
        covered["sharp"] += line.skew.u < 4 * true.jitter / (np.std(true.tau) * np.sqrt(len(true.tau) / 4))
    assert {name: count for name, count in covered.items() if count < 0.93 * CLOCKS} == {}


def test_every_step_is_found_where_it_is_and_nothing_else() -> None:
    for true, found in fits("least_squares"):
        if true.step is None:
            assert found.steps == ()
            continue
        (step,) = found.steps
        assert abs(step.row - true.step[0]) <= 1
        assert step.size == pytest.approx(true.step[1], abs=5 * step.u)
        assert all(stretch.end <= step.before or stretch.begin >= step.after for stretch in found.stretches)


def test_every_gap_is_told() -> None:
    for true, found in fits("least_squares"):
        assert [gap.row for gap in found.gaps] == ([] if true.gap is None else [true.gap])
        for gap in found.gaps:
            crossed = [stretch for stretch in found.stretches if stretch.begin < gap.before and stretch.end > gap.after]
            assert not crossed or gap.length < WINDOW


def test_a_step_does_not_raise_the_jitter() -> None:
    true = clock(1)
    assert true.step is not None
    still = true.error.copy()
    still[true.step[0] :] -= true.step[1]
    with_step, without = (
        fit_clock(true.tau, error, WINDOW, "least_squares").jitter.rms for error in (true.error, still)
    )
    assert with_step == pytest.approx(without, rel=0.02)


def test_an_outlier_is_no_step_and_a_drift_is_none() -> None:
    rng = np.random.default_rng(3)
    tau = np.arange(500.0)
    error = 1e-6 * rng.standard_normal(500)
    error[250] += 1e-3
    assert find_steps(tau, error) == ()
    assert find_steps(tau, 1e-4 * tau + 1e-6 * rng.standard_normal(500)) == ()
    assert find_gaps(np.cumsum(rng.exponential(1.0, 20000))) == ()


def test_two_steps_are_two() -> None:
    rng = np.random.default_rng(4)
    tau = np.arange(1000.0)
    error = 1e-6 * rng.standard_normal(1000) + 3e-6 * tau
    error[300:] += 1e-3
    error[700:] -= 4e-5
    assert [step.row for step in find_steps(tau, error)] == [300, 700]


def test_exact_readings_give_the_exact_line() -> None:
    tau = np.linspace(3.0, 900.0, 400)
    for fit in (least_squares, theil_sen):
        line = fit(tau, 2e-3 - 4e-6 * tau)
        assert line.skew.value == pytest.approx(-4e-6, rel=1e-9)
        assert line.offset.value == pytest.approx(2e-3, rel=1e-9)


def test_least_squares_is_the_closed_form() -> None:
    rng = np.random.default_rng(5)
    tau = np.sort(rng.uniform(100, 500, 60))
    error = 1e-3 + 1e-6 * tau + 1e-7 * rng.standard_normal(60)
    line, (slope, level) = least_squares(tau, error), np.polyfit(tau, error, 1)
    cov = np.polyfit(tau, error, 1, cov=True)[1]
    assert (line.skew.value, line.offset.value) == pytest.approx((slope, level), rel=1e-9)
    assert (line.skew.u, line.offset.u) == pytest.approx((cov[0, 0] ** 0.5, cov[1, 1] ** 0.5), rel=1e-6)
    assert line.at(200.0)[1] == pytest.approx(float(np.array([200, 1]) @ cov @ np.array([200, 1])) ** 0.5, rel=1e-6)


def test_the_robust_line_shrugs_off_what_moves_the_other() -> None:
    rng = np.random.default_rng(6)
    tau = np.arange(1500.0)
    error = 5e-6 * tau + 1e-6 * rng.standard_normal(1500)
    error[1400::2] += 1e-2
    assert abs(theil_sen(tau, error).skew.value - 5e-6) < 2e-8
    assert abs(least_squares(tau, error).skew.value - 5e-6) > 1e-7


def test_alike_neighbours_widen_the_interval() -> None:
    rng = np.random.default_rng(8)
    noise = rng.standard_normal(2000)
    for row in range(1, 2000):
        noise[row] += 0.8 * noise[row - 1]
    tau = np.arange(2000.0)
    alike, shuffled = least_squares(tau, noise), least_squares(tau, rng.permutation(noise))
    assert alike.skew.u / shuffled.skew.u == pytest.approx(3.0, rel=0.15)


@pytest.mark.parametrize(
    ("skew", "strategy"), [(0.0, "bias"), (2e-9, "jitter"), (5e-6, "slope")], ids=["bias", "jitter", "slope"]
)
def test_the_strategy_is_what_dominates(skew: float, strategy: str) -> None:
    rng = np.random.default_rng(9)
    tau = np.arange(3000.0)
    found = fit_clock(tau, 1e-3 + skew * tau + 1e-6 * rng.standard_normal(3000), 300.0, "least_squares")
    assert found.strategy == strategy
    assert found.jitter.rms == pytest.approx(1e-6, rel=0.05)
    assert found.used.skew.value == pytest.approx(skew, abs=1e-10)


def test_the_declared_median_uses_the_offset_alone() -> None:
    tau = np.arange(100.0)
    found = fit_clock(tau, 1e-3 + 1e-6 * tau, 50.0, "median")
    assert (found.strategy, found.used.skew.value) == ("bias", 0.0)
    assert found.used.offset.value == pytest.approx(1e-3 + 49.5e-6)
    assert found.jitter.peak_to_peak == pytest.approx(99e-6)


def test_windows_are_half_open_and_meet() -> None:
    tau = np.concatenate([np.arange(0.0, 100.0, 1.0), [100.0, 100.5]])
    rng = np.random.default_rng(1)
    found = fit_clock(tau, 1e-5 * tau + 1e-9 * rng.standard_normal(len(tau)), 50.0, "least_squares")
    assert [(window.begin, window.end) for window in found.main.windows] == [(0.0, 50.0), (50.0, 150.0)]
    assert sum(len(window.line.residuals) for window in found.main.windows) == len(tau)
    places, errors = found.knots
    assert np.diff(errors) / np.diff(places) == pytest.approx(1e-5, rel=1e-3)
    assert found.largest_seam < 1e-8


def test_too_few_readings_are_refused() -> None:
    with pytest.raises(TooFewReadingsError, match="7 in all"):
        fit_clock(np.arange(7.0), np.zeros(7), 10.0, "least_squares")
    with pytest.raises(TooFewReadingsError):
        fit_clock(np.zeros(20), np.zeros(20), 10.0, "least_squares")


def test_jitter_counts_the_freedom_that_fits_took() -> None:
    residuals = np.array([1.0, -1.0, 2.0, -2.0, 0.5, -0.5])
    found = jitter([residuals], 2)
    assert found.rms == pytest.approx((10.5 / 4) ** 0.5)
    assert (found.n, found.freedom, found.peak_to_peak) == (6, 4, 4.0)
    assert interval(found)[1] > found.upper > found.rms > found.lower > interval(found)[0]


def held_out(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, float]], int | None]:
    """Clocks of another making: up to three steps from 8 times the jitter on, gaps of up to 2000 s, uneven readings."""
    r = np.random.default_rng([991, seed])
    n = int(r.integers(300, 900))
    tau = np.cumsum([r.exponential(1.0, n), np.ones(n), r.gamma(4, 0.25, n)][seed % 3])
    jitter, skew = 10 ** r.uniform(-9, -3), r.normal() * 10 ** r.uniform(-9, -4)
    noise = [r.standard_normal(n), r.laplace(size=n) / 2**0.5, r.standard_t(4, n) / 2**0.5][seed % 4 % 3]
    error, steps, gap = jitter * noise, [], None
    for row in np.sort(r.choice(np.arange(50, n - 50, 20), seed % 4, replace=False)).tolist():
        steps.append((row, float(jitter * r.choice([-1, 1]) * 10 ** r.uniform(np.log10(8), 3))))
        error[row:] += steps[-1][1]
    if seed % 5 == 2:
        gap = int(r.integers(40, n - 40) // 20 * 20 + 10)
        tau[gap:] += r.uniform(100, 2000)
    return tau, error + skew * tau, steps, gap


def test_every_step_of_clocks_of_another_making_is_reported_and_nothing_else() -> None:
    wrong = []
    for seed in range(100):
        tau, error, steps, gap = held_out(seed)
        found = [step.row for step in find_steps(tau, error)]
        matched = len(found) == len(steps) and all(
            abs(row - true) <= 2 for row, (true, _) in zip(found, steps, strict=True)
        )
        wrong += [] if matched else [(seed, found, steps)]
        assert [each.row for each in find_gaps(tau)] == ([] if gap is None else [gap])
    assert wrong == []


@pytest.mark.parametrize("apart", [10, 15, 20, 30])
def test_two_steps_close_together_are_two(apart: int) -> None:
    r = np.random.default_rng(apart)
    error = r.standard_normal(400)
    error[200:] += 30
    error[200 + apart :] += 40
    found = find_steps(np.arange(400.0), 1e-6 * error)
    assert [step.row for step in found] == pytest.approx([200, 200 + apart], abs=1)
    assert [step.size for step in found] == pytest.approx([30e-6, 40e-6], abs=3e-6)


@pytest.mark.parametrize("n", [20, 30, 59, 60, 100])
def test_a_short_clock_that_steps_is_told_too(n: int) -> None:
    for seed in range(20):
        error = 1e-6 * np.random.default_rng(seed).standard_normal(n)
        assert find_steps(np.arange(float(n)), error) == ()
        error[n // 2 :] += 1e-4
        (step,) = find_steps(np.arange(float(n)), error)
        assert step.row == n // 2


def test_rounded_readings_make_no_steps_and_hide_none() -> None:
    r = np.random.default_rng(4)
    for _ in range(20):
        error = np.round(r.standard_normal(200))
        assert find_steps(np.arange(200.0), error) == ()
        error[100:] += 50
        (step,) = find_steps(np.arange(200.0), error)
        assert step.row == 100
