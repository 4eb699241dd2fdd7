from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.units import DIMENSIONLESS, Dimension, UnitError, parse_dimension
from synthspec.units.dimension import _NAMES

exponents = st.fractions(min_value=-6, max_value=6, max_denominator=4)
dimensions = st.lists(exponents, min_size=7, max_size=7).map(Dimension.of)


@given(dimensions, dimensions, dimensions)
def test_multiplication_is_an_abelian_group(a, b, c):
    assert a * b == b * a
    assert (a * b) * c == a * (b * c)
    assert a * DIMENSIONLESS == a
    assert (a / a).is_dimensionless
    assert (a * b) / b == a


@given(dimensions, exponents, exponents)
def test_powers_add_and_multiply(a, p, q):
    assert a**p * a**q == a ** (p + q)
    assert (a**p) ** q == a ** (p * q)


@given(dimensions)
def test_the_canonical_text_reads_back(a):
    assert parse_dimension(str(a)) == a


def test_canonical_text_and_name():
    power = Dimension.of([2, 1, -3, 0, 0, 0, 0])
    assert str(power) == "[L]^2 [M] [T]^-3"
    assert power.name == "power"
    assert power.describe() == "power [L]^2 [M] [T]^-3"
    assert str(DIMENSIONLESS) == "[1]"


def test_every_named_dimension_is_spelled_canonically():
    assert [text for text in _NAMES if str(parse_dimension(text)) != text] == []


@pytest.mark.parametrize(
    "text", ["[L] [T]^-1", "L T^-1", "L/T", "[L]·[T]^-1", "[L]*[T]^(-1)", "  [L]  [T]^-1 ", "[L]^(3/3) T^-1"]
)
def test_spellings_of_a_speed(text):
    assert parse_dimension(text).name == "speed"


@pytest.mark.parametrize("text", ["1", "[]", "[1]", "[L]/[L]", "L^0"])
def test_spellings_of_one(text):
    assert parse_dimension(text) is not None
    assert parse_dimension(text).is_dimensionless


def test_five_base_spelling_contains_the_ampere():
    assert parse_dimension("[Qe] [T]^-1") == parse_dimension("[I]")
    assert parse_dimension("[Temp]") == parse_dimension("[Θ]") == parse_dimension("Theta")


def test_rational_exponents():
    assert parse_dimension("[L]^(1/2)") ** 2 == parse_dimension("[L]")
    assert not parse_dimension("[L]^(1/2)").is_integral
    assert parse_dimension("[L]^(1/2)").exponents[0] == Fraction(1, 2)


@pytest.mark.parametrize(
    ("text", "code", "start", "end"),
    [
        ("[L] [X]", "unit.unknown", 5, 6),
        ("L Q^2", "unit.unknown", 2, 3),
        ("[L", "unit.syntax", 0, 2),
        ("", "unit.syntax", 0, 0),
        ("/T", "unit.syntax", 0, 2),
        ("L^(1/0)", "unit.syntax", 0, 7),
        ("L^99", "unit.too-large", 0, 4),
        ("L " * 200, "unit.too-large", 0, 400),
    ],
)
def test_what_is_no_dimension(text, code, start, end):
    with pytest.raises(UnitError) as caught:
        parse_dimension(text)
    assert (caught.value.code, caught.value.start, caught.value.end) == (code, start, end)
    assert caught.value.help


@given(st.text(alphabet="[]LMTIΘNJQe/^*()-+ 0123456789x", max_size=40) | st.text(max_size=30))
def test_any_text_is_a_dimension_or_a_unit_error(text):
    error = None
    try:
        parse_dimension(text)
    except UnitError as caught:
        error = caught
    assert error is None or 0 <= error.start <= error.end <= len(text)
