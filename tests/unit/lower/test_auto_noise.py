"""Noise that is left to the compiler: the plan carries the number, and the same one each time."""

import sys
from datetime import date
from pathlib import Path

import pytest

from synthspec.accounting import PoissonGaussian, eps_total
from synthspec.lower import lower
from synthspec.pipeline.front import Options, spot, validate

EXAMPLE = Path(__file__).parents[3] / "examples" / "cancer-dp-vae" / "spec.yaml"


@pytest.fixture
def checked():
    return validate(spot(EXAMPLE), Options(today=date(2026, 6, 1))).value


def noise(checked):
    nodes = {node.id: node.op for node in lower(checked).value.nodes}
    assert nodes["sample"].fit == nodes["fit"]
    return nodes["fit"].privacy.noise


def test_the_plan_carries_the_least_noise_that_fits(checked):
    solved = noise(checked)
    assert eps_total(PoissonGaussian(0.16, solved.multiplier, 400), 1e-5).eps <= 4.0
    assert eps_total(PoissonGaussian(0.16, solved.multiplier * 0.999, 400), 1e-5).eps > 4.0
    assert (solved.rng, solved.dtype) == ("secret_csprng", "float64")


def test_without_an_accountant_the_noise_stays_open(checked, monkeypatch):
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    assert noise(checked).multiplier == "auto"
