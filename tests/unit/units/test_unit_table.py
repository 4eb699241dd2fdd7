"""The shipped table against pint: the same numbers, no name read in two ways, no constant of nature taken for a unit."""

import math
import re
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pint
import pytest

import synthspec.units.table as table
from synthspec.units import UnitError, known_spellings, parse_unit
from synthspec.units.registry import generated, look_up, render
from synthspec.units.spellings import CONSTANTS, INFORMATION, LEVEL, OWN, PREFIXES

# Spellings that pint does not have, or reads as something else: attometres per second, a microday.
OURS = {"amps", "mcd", "nat", "shannon", "bel", "ppb", "var", "gramme", "dimensionless"}


@pytest.fixture(scope="module")
def registry():
    return pint.UnitRegistry()


def test_the_table_is_what_pint_gives_now():
    assert Path(table.__file__).read_text(encoding="utf-8") == render(generated())


def test_every_spelling_means_what_it_means_to_pint(registry):
    compared = 0
    for spelling in known_spellings():
        unit = parse_unit(spelling)
        if unit.symbol.endswith(("dB", "dBm", "dBW", "Np", "bel", "ppb", "var", "nat")) or "gramme" in spelling:
            continue
        if "bit" in unit.symbol or spelling.endswith(("shannon", "shannons")) or spelling in OURS:
            continue
        theirs = registry.Unit(spelling)
        powers = {str(k): v for k, v in dict(theirs.dimensionality).items()}
        bases = ("[length]", "[mass]", "[time]", "[current]", "[temperature]", "[substance]", "[luminosity]")
        assert [powers.get(base, 0) for base in bases] == list(map(float, unit.dimension.exponents)), spelling
        low, high = (registry.Quantity(x, theirs).to_base_units().magnitude for x in (0.0, 1.0))
        assert high - low == pytest.approx(float(unit.factor), rel=1e-9), spelling
        assert low == pytest.approx(float(unit.offset), rel=1e-12), spelling
        compared += 1
    assert compared > 1200


def test_prefixes_are_those_of_pint(registry):
    for symbol, (name, factor) in PREFIXES.items():
        assert registry.Quantity(1, symbol + "meter").to("meter").magnitude == pytest.approx(float(factor), rel=1e-12)
        assert registry.Quantity(1, name + "meter").to("meter").magnitude == pytest.approx(float(factor), rel=1e-12)


def test_logarithmic_units_follow_their_definitions():
    assert LEVEL["decibel"] == ("1", "0")
    assert float(LEVEL["neper"][0]) == 20 / math.log(10)
    assert float(INFORMATION["nat"]) == 1 / math.log(2)
    assert parse_unit("kbit").factor == 1000
    assert parse_unit("KiB").factor == 8 * 1024
    assert {name for name in OWN if name not in OURS} == set()


def test_constants_of_nature_are_no_units():
    text = files("pint").joinpath("constants_en.txt").read_text(encoding="utf-8")
    defined = {match[1] for match in re.finditer(r"^(\w+)\s*=", text, re.MULTILINE)}
    assert defined - CONSTANTS <= {"standard_gravity", "standard_atmosphere"}
    for name in defined - {"standard_gravity"}:
        assert look_up(name) is None or name == "standard_atmosphere", name


@pytest.mark.parametrize("name", ["furlong", "fortnight", "slug", "fluid_ounce", "furlongs"])
def test_a_rare_unit_comes_from_pint(registry, name):
    unit = parse_unit(f"{name}/s")
    expected = registry.Quantity(1, name).to_base_units().magnitude
    assert float(unit.factor) == pytest.approx(expected, rel=1e-9)
    assert parse_unit(unit.symbol) == unit


@pytest.mark.parametrize(
    "name", ["kilofurlong", "decade", "octave", "particle", "pixel", "lambdas", "gauss", "micrometer"]
)
def test_what_pint_would_add_is_refused(name):
    assert look_up(name) is None


def test_exact_factors_stay_exact():
    assert parse_unit("in").factor == Fraction(254, 10000)
    assert parse_unit("degF").offset == Fraction(45967, 180)
    assert parse_unit("eV").factor == Fraction("1.602176634e-19")


def test_no_unit_without_a_name_in_the_table():
    with pytest.raises(UnitError):
        parse_unit("Furlong")
