import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.units import Quantity, UnitError, parse_quantity, parse_unit, spell_number

finite = st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-9 else x)
GROUPS = [
    ("m", "km", "mm", "in", "mi", "ly"),
    ("s", "ms", "us", "h", "d"),
    ("W", "mW", "uW", "hp"),
    ("K", "degC", "degF"),
    ("delta_degC", "delta_degF"),
    ("m/s", "km/h", "mph"),
    ("J", "kWh", "eV", "cal"),
    ("mm^2", "m^2", "ha"),
    ("rad", "deg", "%", "ppm"),
]
pairs = st.sampled_from(GROUPS).flatmap(lambda group: st.tuples(st.sampled_from(group), st.sampled_from(group)))


@pytest.fixture(scope="module")
def registry():
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


@given(finite, pairs)
def test_conversion_there_and_back(value, pair):
    here, there = map(parse_unit, pair)
    moved = Quantity(value, here).to(there)
    scale = max(abs(value), abs(float((here.offset - there.offset) / here.factor)))
    assert Quantity(moved, there).to(here) == pytest.approx(value, rel=1e-14, abs=scale * 1e-14)


@given(finite, pairs)
def test_conversion_agrees_with_pint(registry, value, pair):
    ours = Quantity(value, parse_unit(pair[0])).to(pair[1])
    theirs = registry.Quantity(value, pair[0]).to(pair[1]).magnitude
    scale = 1e3 if "deg" in pair[1] and "delta" not in pair[1] else abs(theirs)
    assert ours == pytest.approx(theirs, rel=1e-11, abs=scale * 1e-12)


@given(finite, pairs)
def test_si_is_the_way_of_every_conversion(value, pair):
    here, there = map(parse_unit, pair)
    assert there.from_si(here.to_si(value)) == pytest.approx(Quantity(value, here).to(there), rel=1e-12, abs=1e-9)


@given(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["ms", "m/s", "dB", "degC", "J/(kg*K)", "s^-1"])
)
def test_the_canonical_spelling_reads_back(value, unit):
    quantity = Quantity(value, parse_unit(unit))
    if value == 0 or math.isfinite(quantity.si):
        assert parse_quantity(quantity.canonical) == quantity


@given(st.integers(1, 10**6), st.integers(0, 6))
def test_whole_milliwatts_and_microwatts_meet_to_the_last_bit(number, digits):
    here = Quantity(float(number), parse_unit("mW")).si
    assert Quantity(float(number * 1000), parse_unit("uW")).si == here


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("25 degC", "K", 298.15),
        ("32 degF", "degC", 0.0),
        ("9 delta_degF", "K", 5.0),
        ("9 delta_degF", "delta_degC", 5.0),
        ("1 Np", "dB", 20 / math.log(10)),
        ("30 dBm", "W", 1.0),
        ("1 mW", "dBm", 0.0),
        ("0 dBm", "dBW", -30.0),
        ("20 dB", "1", 100.0),
        ("100 dimensionless", "dB", 20.0),
        ("1 nat", "bit", 1 / math.log(2)),
        ("2 kB", "bit", 16000.0),
        ("299792458 m/s", "km/s", 299792.458),
        ("-40 degC", "degF", -40.0),
    ],
)
def test_conversions_by_hand(text, unit, value):
    assert parse_quantity(text).to(unit) == pytest.approx(value, rel=1e-14, abs=1e-12)


def test_logarithms_agree_with_pint(registry):
    assert parse_quantity("17 dBm").to("mW") == pytest.approx(registry.Quantity(17, "dBm").to("mW").magnitude)
    assert parse_quantity("3 Np").to("1") == pytest.approx(registry.Quantity(3, "Np").to("dimensionless").magnitude)


@pytest.mark.parametrize(
    ("text", "value", "canonical"),
    [
        ("50 ms", 50.0, "50 ms"),
        ("50ms", 50.0, "50 ms"),
        ("5e-3  meters", 5e-3, "0.005 m"),
        (".5 W", 0.5, "0.5 W"),
        ("+2. mW", 2.0, "2 mW"),
        ("5 1/s", 5.0, "5 s^-1"),
        ("5 %", 5.0, "5 %"),
    ],
)
def test_reading(text, value, canonical):
    quantity = parse_quantity(text)
    assert (quantity.value, quantity.canonical, quantity.text) == (value, canonical, text)


@pytest.mark.parametrize(
    ("text", "code", "start", "end"),
    [
        ("50", "unit.bare-number", 0, 2),
        (" 1e3 ", "unit.bare-number", 1, 4),
        ("1e9999 m", "unit.nonfinite", 0, 6),
        ("1e308 km", "unit.nonfinite", 0, 5),
        ("1e-999 m", "unit.nonfinite", 0, 6),
        ("nan m", "unit.nonfinite", 0, 5),
        ("-inf m", "unit.nonfinite", 0, 6),
        ("5 5 m", "unit.syntax", 2, 3),
        ("+-+-+m", "unit.syntax", 0, 1),
        ("1.000,5 m", "unit.syntax", 5, 6),
        ("m", "unit.syntax", 0, 1),
        ("", "unit.syntax", 0, 0),
        ("5 metr/s", "unit.unknown", 2, 6),
        ("9" * 5000 + " m", "unit.too-large", 0, 140),
        ("1_000 m", "unit.unknown", 1, 5),
    ],
)
def test_refused_with_its_place(text, code, start, end):
    with pytest.raises(UnitError) as caught:
        parse_quantity(text)
    assert (caught.value.code, caught.value.start, caught.value.end) == (code, start, end)


def test_an_expected_unit_checks_and_helps():
    ms = parse_unit("ms")
    assert parse_quantity("2 s", like=ms).to(ms) == 2000
    with pytest.raises(UnitError, match="m is length") as wrong:
        parse_quantity("5 m", like=ms)
    assert (wrong.value.code, wrong.value.start, wrong.value.end) == ("unit.dim-mismatch", 2, 3)
    with pytest.raises(UnitError) as bare:
        parse_quantity("50", like=ms)
    assert "`50 ms`" in bare.value.help


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5 m", "s"),
        ("5 dB", "bit"),
        ("5 dBm", "dB"),
        ("5 W", "dB"),
        ("5 K", "1"),
        ("5 delta_degC", "degC"),
        ("5 degC", "delta_degF"),
    ],
)
def test_no_conversion_between_kinds(text, unit):
    with pytest.raises(UnitError) as caught:
        parse_quantity(text).to(unit)
    assert caught.value.code == "unit.dim-mismatch"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_spelled_so_that_they_read_back(value):
    assert float(spell_number(value)) == value
