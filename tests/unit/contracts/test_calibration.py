"""Thresholds from the null: all symbols at once, at the stated confidence, and never in a metric's favour by rounding."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.contracts import CONTRACTS
from synthspec.contracts.calibration import SHARES, joint_limits, least_cuts

TERMS = {term.symbol: term for contract in CONTRACTS for term in contract.terms if term.symbol}
THREE = ("tol_W1", "tol_KID", "covg_min")


def keeps(limits, judged):
    return all(value <= limits[s] if TERMS[s].relation == "<=" else value >= limits[s] for s, value in judged.items())


@pytest.mark.parametrize(("confidence", "least"), [(0.95, 19), (0.9, 9), (0.5, 1), (0.99, 99)])
def test_the_fewest_cuts(confidence, least):
    assert least_cuts(confidence) == least
    values = {"tol_W1": [0.1] * least}
    assert joint_limits(values, TERMS, confidence, 0.0) == {"tol_W1": 0.1}
    if least > 1:
        with pytest.raises(ValueError, match=f"at least {least}"):
            joint_limits({"tol_W1": [0.1] * (least - 1)}, TERMS, confidence, 0.0)


def test_a_new_cut_keeps_all_limits_at_the_stated_confidence():
    """Correlated and independent symbols alike; without any margin."""
    r = np.random.default_rng(5)
    kept, trials, cuts = 0, 1500, 59
    for _ in range(trials):
        z = r.standard_normal((cuts + 1, 3)) + r.standard_normal((cuts + 1, 1)) * r.choice([0.0, 2.0])
        z[:, 2] = 1 / (1 + np.exp(-z[:, 2]))
        past = {symbol: z[:-1, i].tolist() for i, symbol in enumerate(THREE)}
        kept += keeps(joint_limits(past, TERMS, 0.9, 0.0), dict(zip(THREE, z[-1], strict=True)))
    assert kept / trials > 0.9 - 4 * math.sqrt(0.09 / trials)
    assert kept / trials < 0.99, "limits that nothing breaks prove nothing"


@pytest.mark.parametrize("law", ["normal", "lognormal", "poisson"])
def test_however_many_symbols_there_are_and_however_few_cuts(law):
    """Ten independent symbols and the default number of cuts, by which every symbol has a worst cut of its own."""
    r = np.random.default_rng(6)
    symbols = ["tol_W1", "tol_KID", "tol_MMD", "tol_SW2", "tol_PSI", "tol_FID", "tol_ACF", "density_min", "tol_PSD"]
    kept, trials, cuts = 0, 400, 39
    for _ in range(trials):
        z = {"normal": r.normal, "lognormal": r.lognormal, "poisson": lambda size: r.poisson(0.5, size)}[law](
            size=(cuts + 1, len(symbols))
        ).astype(float)
        past = {symbol: z[:-1, i].tolist() for i, symbol in enumerate(symbols)}
        kept += keeps(joint_limits(past, TERMS, 0.95, 0.0), dict(zip(symbols, z[-1].tolist(), strict=True)))
    assert kept / trials > 0.95 - 4 * math.sqrt(0.0475 / trials)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=19, max_size=40),
    st.sampled_from(["tol_KID", "tol_W1", "density_min"]),
    st.floats(0, 0.5),
)
def test_the_worst_cuts_are_kept_and_margins_only_widen(values, symbol, margin):
    bare = joint_limits({symbol: values}, TERMS, 0.95, 0.0)[symbol]
    wide = joint_limits({symbol: values}, TERMS, 0.95, margin)[symbol]
    kept = sum(keeps({symbol: bare}, {symbol: value}) for value in values)
    assert kept >= math.ceil((len(values) + 1) * 0.95 - 1e-9)
    assert wide >= bare if TERMS[symbol].relation == "<=" else wide <= bare


def test_shares_stay_shares():
    for symbol in SHARES:
        limits = joint_limits({symbol: [0.0] * 10 + [1.0] * 9}, TERMS, 0.95, 0.5)
        assert 0 <= limits[symbol] <= 1
    assert set(TERMS) >= SHARES


def test_unequal_numbers_of_cuts_are_refused():
    with pytest.raises(ValueError, match="from each cut"):
        joint_limits({"tol_W1": [0.1] * 19, "tol_KID": [0.1] * 18}, TERMS, 0.95, 0.1)


def test_digits_are_rounded_away_from_the_claim():
    assert joint_limits({"tol_W1": [0.123412] * 19}, TERMS, 0.95, 0.0) == {"tol_W1": 0.1235}
    assert joint_limits({"covg_min": [0.76549] * 19}, TERMS, 0.95, 0.0) == {"covg_min": 0.7654}
