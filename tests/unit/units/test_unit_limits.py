"""The last value that is taken and the first that is refused, for every limit of a unit, a dimension or a number."""

import math

import pytest

from synthspec.units import NUMBER, Affine, Dimension, UnitError, parse_dimension, parse_quantity, parse_unit
from synthspec.units.grammar import printable


def code(read, text):
    """The code of the error that `read` raises for `text`; empty when there is none."""
    try:
        read(text)
    except UnitError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("read", "last", "first"),
    [
        (parse_unit, "m" + " " * 119, "m" + " " * 120),
        (parse_unit, "m^12", "m^13"),
        (parse_unit, "m^-12", "m^-13"),
        (parse_unit, "(" * 6 + "m" + ")" * 6, "(" * 7 + "m" + ")" * 7),
        (parse_dimension, "L" + " " * 199, "L" + " " * 200),
        (parse_dimension, "L^64", "L^65"),
        (parse_dimension, "L^-64", "L^-65"),
        (parse_quantity, "1" * 60 + " m", "1" * 61 + " m"),
    ],
)
def test_a_limit_is_the_last_value_that_is_taken(read, last, first):
    assert (code(read, last), code(read, first)) == ("", "unit.too-large")


@pytest.mark.parametrize("count", [0, 6, 8])
def test_a_dimension_has_one_exponent_a_base(count):
    with pytest.raises(ValueError, match="7 exponents"):
        Dimension.of([1] * count)


@pytest.mark.parametrize(
    ("unit", "described"),
    [
        ("1", "dimensionless"),
        ("mW", "power [L]^2 [M] [T]^-3"),
        ("m^5", "[L]^5"),
        ("Np", "a level in dB"),
        ("byte", "information in bit"),
        ("dBm", "a power level in dB above 1 W"),
        ("dB^2", "a quantity in dB^2"),
        ("bit^2", "a quantity in bit^2"),
        ("dB/km", "a quantity in dB/m"),
        ("Mbit/s", "a quantity in bit/s"),
        ("dB*bit", "a quantity in dB*bit"),
        ("bit/dB", "a quantity in bit/dB"),
    ],
)
def test_a_kind_is_described_by_what_enters_it(unit, described):
    assert parse_unit(unit).kind.describe() == described


@pytest.mark.parametrize("over", ["m", "dB", "bit", "dB/km", "Mbit/s"])
@pytest.mark.parametrize("below", ["s", "dB^2", "bit", "kg*m"])
def test_kinds_are_divided_as_they_are_multiplied(over, below):
    a, b = parse_unit(over).kind, parse_unit(below).kind
    assert a / b * b == a
    assert (a / b).dimension == a.dimension / b.dimension
    assert (a / a, a / NUMBER) == (NUMBER, a)


@pytest.mark.parametrize("x", [-1.5, 0.0, 3])
def test_a_map_that_nothing_was_said_of_is_the_identity(x):
    assert Affine()(x) == x
    assert Affine(2.0)(x) == 2 * x
    assert Affine(divide=4.0, add=1.0)(x) == x / 4 + 1


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("m" * 40, "m" * 40), ("m" * 41, "m" * 40 + "…"), ("m\n\u200b", "m\\u000a\\u200b")]
)
def test_what_is_shown_of_a_text_has_an_end(text, shown):
    assert printable(text) == shown


def test_levels_of_nothing_and_beyond_every_number():
    level, share = parse_unit("dB"), parse_unit("1")
    assert share.convert(0.0, level) == -math.inf
    assert math.isnan(share.convert(-1.0, level))
    assert share.convert(math.inf, level) == math.inf
    assert share.convert(100.0, level) == pytest.approx(20.0)
    assert level.convert(4000.0, share) == math.inf
    assert level.convert(-math.inf, share) == 0.0
