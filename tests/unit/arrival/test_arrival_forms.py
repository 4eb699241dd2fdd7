"""Both forms of T_arr against integrals that are known in closed form (S405-7)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.arrival import (
    GAUSS_KRONROD,
    SIMPSON,
    NotConvergedError,
    Path,
    Resolution,
    Rule,
    along,
    arrive,
    bad_steps,
    budget,
    chord_length,
)

C = 299792458.0
RULES = [GAUSS_KRONROD, SIMPSON]
pytestmark = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@pytest.mark.parametrize("degree", range(6))
def test_rules_are_exact_for_polynomials(rule: Rule, degree: int) -> None:
    exact = (1.0 - (-1.0) ** (degree + 1)) / (degree + 1)
    assert rule.weights @ rule.places**degree == pytest.approx(exact, abs=1e-15)
    if degree < 4:
        assert rule.embedded @ rule.places**degree == pytest.approx(exact, abs=1e-15)


def test_gauss_kronrod_has_its_degrees(rule: Rule) -> None:
    if rule is SIMPSON:
        assert rule.embedded @ rule.places**4 == pytest.approx(2 / 3)  # Simpson's own error: 2/5 + 4/15
        return
    assert rule.weights @ rule.places**22 == pytest.approx(2 / 23, rel=1e-13)
    assert rule.embedded @ rule.places**12 == pytest.approx(2 / 13, rel=1e-13)
    assert rule.embedded @ rule.places**14 != pytest.approx(2 / 15, rel=1e-6)


def test_linear_index(rule: Rule) -> None:
    length, n0, slope = 4e4, 1.468, 3e-9
    found = arrive(np.array([0.0, length]), lambda ell, _: (n0 + slope * ell, np.full_like(ell, C)), C, rule)
    exact = (n0 * length + slope * length**2 / 2) / C
    assert found.form1 == pytest.approx(exact, rel=1e-12)
    assert found.form2 == pytest.approx(exact, rel=1e-12)
    assert found.length == pytest.approx(length, rel=1e-15)


def test_exponential_index(rule: Rule) -> None:
    length, rise, scale = 1e6, 0.4, 7e4
    found = arrive(
        np.array([0.0, length]), lambda ell, _: (1.2 + rise * np.exp(-ell / scale), np.full_like(ell, C)), C, rule
    )
    exact = (1.2 * length + rise * scale * -math.expm1(-length / scale)) / C
    assert found.form1 == pytest.approx(exact, rel=1e-12)
    assert found.form2 == pytest.approx(exact, rel=1e-12)


def test_piecewise_speed_of_reference(rule: Rule) -> None:
    edges = np.array([0.0, 1.3e4, 2.9e4, 4e4])
    speeds, n0, slope = np.array([C, 0.97 * C, 1.01 * C]), 1.5, -2e-7
    found = arrive(edges, lambda ell, segment: (n0 + slope * ell, speeds[segment]), C, rule)
    parts = n0 * np.diff(edges) + slope * np.diff(edges**2) / 2
    assert found.form1 == pytest.approx(parts.sum() / C, rel=1e-12)
    assert found.form2 == pytest.approx((parts / speeds).sum(), rel=1e-12)
    assert found.segment_form2 == pytest.approx(parts / speeds, rel=1e-12)
    assert found.delta_local == pytest.approx(np.abs(parts / C - parts / speeds), rel=1e-9, abs=1e-18)
    assert found.floor == pytest.approx((np.diff(edges) / speeds).sum(), rel=1e-12)


def test_linear_speed_of_reference(rule: Rule) -> None:
    length, n0, drift = 5e4, 1.47, 0.3
    path = Path(np.array([0.0, length]), np.array([n0, n0]), np.array([C, C * (1 + drift)]))
    found = along(path, C, rule)
    assert found.form2 == pytest.approx(n0 * length / (C * drift) * math.log1p(drift), rel=1e-12)


def test_a_drift_of_one_millionth_along_a_thousand_kilometres(rule: Rule) -> None:
    length, drift = 1e6, 1e-6
    path = Path(np.linspace(0, length, 201), np.ones(201), np.linspace(C, C * (1 + drift), 201))
    # Calculus: L/c - L/(c d) ln(1 + d) = L/c (d/2 - d^2/3 + ...), about 1.7 ns.
    exact = length / C * (drift / 2 - drift**2 / 3)
    assert exact == pytest.approx(1.6678e-9, rel=1e-4)
    found = along(path, C, rule)
    assert found.delta_form == pytest.approx(exact, rel=1e-8)
    assert found.delta_local.sum() == pytest.approx(exact, rel=1e-8)


def test_a_constant_speed_leaves_round_off_only(rule: Rule) -> None:
    ell = np.linspace(0, 1e6, 101)
    path = Path(ell, 1.468 + 1e-4 * np.sin(ell / 1e4), np.full(101, C))
    found = along(path, C, rule)
    assert path.constant_c_ref
    assert found.delta_form <= 4 * math.ulp(found.form1)


def test_an_interface_without_notice_is_found_by_halving(rule: Rule) -> None:
    edge = math.pi * 1e3
    found = arrive(np.array([0.0, 1e4]), lambda ell, _: (np.where(ell < edge, 1.0, 2.0), np.full_like(ell, C)), C, rule)
    assert found.form1 == pytest.approx((edge + 2 * (1e4 - edge)) / C, rel=1e-12)


def test_what_does_not_settle_says_so(rule: Rule) -> None:
    with pytest.raises(NotConvergedError):
        arrive(np.array([-1.0, 2.0]), lambda ell, _: (1.0 / ell**2, np.full_like(ell, C)), C, rule)
    with pytest.raises(NotConvergedError):
        arrive(np.array([0.0, 2.0]), lambda ell, _: (ell * np.nan, np.full_like(ell, C)), C, rule)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(1.0, 1e5), min_size=1, max_size=8),
    st.lists(st.floats(1.0, 3.0), min_size=9, max_size=9),
    st.lists(st.floats(0.5, 1.5), min_size=9, max_size=9),
)
def test_laws_of_any_table(rule: Rule, steps: list[float], index: list[float], speed: list[float]) -> None:
    ell = np.r_[0.0, np.cumsum(steps)]
    path = Path(ell, np.array(index[: len(ell)]), C * np.array(speed[: len(ell)]))
    found = along(path, C, rule)
    trapezoid = math.fsum(np.diff(ell) * (path.n_eff[1:] + path.n_eff[:-1]) / 2)
    assert found.form1 == pytest.approx(trapezoid / C, rel=1e-12)
    assert found.segment_form1.sum() == pytest.approx(found.form1, rel=1e-12)
    assert found.segment_form2.sum() == pytest.approx(found.form2, rel=1e-12)
    assert found.form2 >= found.floor * (1 - 1e-12)
    longer = Path(2 * ell, path.n_eff, path.c_ref)
    assert along(longer, C, rule).form2 == pytest.approx(2 * found.form2, rel=1e-12)
    other = Path(ell[-1] - ell[::-1], path.n_eff[::-1], path.c_ref[::-1])
    assert along(other, C, rule).form2 == pytest.approx(found.form2, rel=1e-12)


def test_budget_covers_what_half_a_digit_changes(rule: Rule) -> None:
    ell = np.linspace(0, 4e4, 41)
    n_eff, c_ref = 1.468 + 2e-4 * np.sin(ell / 7e3), C * (1 + 1e-6 * ell / 4e4)
    exact = Path(ell, n_eff, c_ref)
    written = Path(ell, n_eff.round(6), c_ref.round(-1))
    found, true = along(written, C, rule), along(exact, C, rule)
    known = budget(written, found, C, rule, Resolution(ell=0.0, n_eff=1e-6, c_ref=10.0))
    assert 0 < known.u_delta < known.u_form1
    assert abs(found.form1 - true.form1) < 4 * known.u_form1
    assert abs(found.form2 - true.form2) < 4 * known.u_form2
    assert abs(found.delta_form - true.delta_form) < 4 * known.u_delta
    assert known.tol_derived == pytest.approx(2 * math.hypot(known.u_form1, known.u_form2, known.u_disc))


def test_budget_sees_what_lies_between_the_nodes(rule: Rule) -> None:
    curve = lambda ell: 1.4 + 0.05 * np.sin(ell / 1e3)  # noqa: E731
    ell = np.linspace(0, 3e3, 13)
    path = Path(ell, curve(ell), np.full(13, C))
    found = along(path, C, rule)
    known = budget(path, found, C, rule, Resolution(ell=0.0, n_eff=0.0, c_ref=0.0))
    missed = abs(found.form1 - (1.4 * 3e3 + 50.0 * (1 - math.cos(3.0))) / C)
    assert missed == pytest.approx(known.u_disc, rel=0.1)


def test_steps_and_chords(rule: Rule) -> None:
    del rule
    assert bad_steps(np.array([0.0, 1.0, 1.0, 3.0, 2.0])).tolist() == [2, 4]
    assert bad_steps(np.array([0.0, np.nan, 1.0])).tolist() == [1, 2]
    square = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0], [3.0, 10.0]])
    assert chord_length(square).tolist() == [0.0, 5.0, 5.0, 11.0]
    angles = np.linspace(0, 2 * math.pi, 20001)
    circle = chord_length(np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1))
    assert circle[-1] == pytest.approx(20000 * 2 * math.sin(math.pi / 20000), rel=1e-14)
    with pytest.raises(ValueError, match="increase"):
        Path(np.array([0.0, 0.0]), np.ones(2), np.ones(2))
