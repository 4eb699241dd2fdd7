import subprocess
import sys
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.units import Scale, UnitError, known_spellings, parse_quantity, parse_unit


def refused(text):
    with pytest.raises(UnitError) as caught:
        parse_unit(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("m/s", "m/s"),
        ("m s^-1", "m/s"),
        ("m·s⁻¹", "m/s"),
        ("meters/second", "m/s"),
        ("m**2", "m^2"),
        ("m²", "m^2"),
        ("mm^2", "mm^2"),
        ("m*m", "m^2"),
        ("m^2/m", "m"),
        ("J/(kg*K)", "J/(kg*K)"),
        ("J/kg/K", "J/(kg*K)"),
        ("(m/s)^2", "m^2/s^2"),
        ("( m / s ) ^ 2", "m^2/s^2"),
        ("1/s", "s^-1"),
        ("1/(m*s)", "m^-1*s^-1"),
        ("1", "dimensionless"),
        ("m/m", "dimensionless"),
        ("dimensionless", "dimensionless"),
        ("dimensionless*m", "m"),
        ("µW", "uW"),
        ("μW", "uW"),
        ("kΩ", "kohm"),
        ("\u2126", "ohm"),
        ("°C", "degC"),
        ("percent", "%"),
        ("kilometers", "km"),
        ("Mbit/s", "Mbit/s"),
        ("dB/km", "dB/km"),
        ("degC^1", "degC"),
        ("  ms ", "ms"),
    ],
)
def test_canonical_spelling(text, canonical):
    assert parse_unit(text).symbol == canonical
    assert parse_unit(canonical) == parse_unit(text)


@pytest.mark.parametrize(
    ("text", "code", "start", "end"),
    [
        # rows U02 .. U14 of the security corpus
        ("m**(9**9)", "unit.syntax", 1, 2),
        ("m**9**9", "unit.syntax", 4, 5),
        ("m**99", "unit.too-large", 0, 5),
        ("2**(9**9)", "unit.syntax", 0, 1),
        ("9**9**9**9", "unit.syntax", 0, 1),
        ("10**10**10 m", "unit.syntax", 0, 1),
        ("m" * 100_000, "unit.too-large", 0, 100_000),
        ("1" * 100_000, "unit.too-large", 0, 100_000),
        ("(" * 5000, "unit.too-large", 0, 5000),
        ("(" * 20 + "m" + ")" * 20, "unit.too-large", 7, 8),
        ("*".join("m" * 2000), "unit.too-large", 0, 3999),
        ("m**1e400", "unit.syntax", 4, 5),
        ("m\u200b", "unit.syntax", 1, 2),
        ("\u202em", "unit.syntax", 0, 1),
        ("m # comment", "unit.syntax", 2, 3),
        ("m\ns", "unit.syntax", 1, 2),
        ("m;s", "unit.syntax", 1, 2),
        ("m@s", "unit.syntax", 1, 2),
        ("{m}", "unit.syntax", 0, 1),
        ("m%s", "unit.syntax", 1, 2),
        ("lambda: 1", "unit.unknown", 0, 6),
        ("[1,2]", "unit.syntax", 0, 1),
        ("m/0", "unit.syntax", 2, 3),
        ("m**m", "unit.syntax", 1, 2),
        ("os.system('x')", "unit.unknown", 0, 2),
        ("", "unit.syntax", 0, 1),
        ("   ", "unit.syntax", 3, 4),
        ("MM", "unit.unknown", 0, 2),
        ("b", "unit.unknown", 0, 1),
        ("e", "unit.unknown", 0, 1),
        ("kilokilometer", "unit.unknown", 0, 13),
        ("degC*m", "unit.offset-product", 0, 6),
        ("W/degC", "unit.offset-product", 0, 6),
        ("degF^2", "unit.offset-product", 0, 6),
        ("dBm/Hz", "unit.offset-product", 0, 6),
        # our own
        ("J/kg K", "unit.syntax", 5, 6),
        ("J/kg*K", "unit.syntax", 5, 6),
        ("m/", "unit.syntax", 2, 3),
        ("/s", "unit.syntax", 0, 1),
        ("(m", "unit.syntax", 0, 2),
        ("m)", "unit.syntax", 1, 2),
        ("m/sx", "unit.unknown", 2, 4),
        ("m/(s*sx)", "unit.unknown", 5, 7),
        ("electron_mass", "unit.unknown", 0, 13),
        ("planck_length", "unit.unknown", 0, 13),
        ("pixel", "unit.unknown", 0, 5),
        ("Em^12*Em^12*Em^12*Em^12", "unit.too-large", 0, 23),
        ("m^7*m^6", "unit.too-large", 0, 7),  # m^13, which would not be read back
        ("1/(s^7*s^6)", "unit.too-large", 0, 11),
    ],
)
def test_refused_with_its_place(text, code, start, end):
    began = time.perf_counter()
    error = refused(text)
    assert (error.code, error.start, error.end) == (code, start, end)
    assert error.message
    assert error.help
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("secnod", "did you mean `second`?"),
        ("KM", "did you mean `km`?"),
        ("m2", "did you mean `m^2`?"),
        ("Celsius", "did you mean `celsius`?"),
    ],
)
def test_did_you_mean(text, help_):
    assert refused(text).help == help_


def test_scales_and_deltas():
    assert parse_unit("degC").scale is Scale.OFFSET
    assert parse_unit("degC").delta == parse_unit("delta_degC")
    assert parse_unit("degF").delta == parse_unit("delta_degF")
    assert parse_unit("dBm").delta == parse_unit("dB")
    assert parse_unit("dB").scale is Scale.LOGARITHMIC
    assert parse_unit("bit").scale is Scale.LOGARITHMIC
    assert parse_unit("dB/km").scale is Scale.LINEAR
    assert parse_unit("mm").delta == parse_unit("mm")


def test_logarithmic_units_are_dimensionless_but_no_numbers():
    for text in ("dB", "Np", "bit", "nat"):
        assert parse_unit(text).dimension.is_dimensionless
        assert not parse_unit(text).is_dimensionless
    assert parse_unit("dB").kind != parse_unit("bit").kind
    assert parse_unit("deg").is_dimensionless


SYMBOLS = ["m", "km", "s", "ms", "kg", "K", "uW", "dB", "bit", "mol", "cd", "A", "ohm", "deg", "%", "delta_degC"]


@given(st.lists(st.tuples(st.sampled_from(SYMBOLS), st.integers(-3, 3).filter(bool)), min_size=1, max_size=5))
def test_a_product_reads_back_and_multiplies(factors):
    text = "*".join(f"{symbol}^{power}" for symbol, power in factors)
    totals = Counter()
    for symbol, power in factors:
        totals[symbol] += power
    if any(abs(power) > 12 for power in totals.values()):
        assert refused(text).code == "unit.too-large"
        return
    unit = parse_unit(text)
    assert parse_unit(unit.symbol) == unit
    expected = parse_unit("1").kind
    factor = 1
    for symbol, power in factors:
        expected *= parse_unit(symbol).kind ** power
        factor *= parse_unit(symbol).factor ** power
    assert (unit.kind, unit.factor) == (expected, factor)


def test_every_spelling_is_read_and_its_canonical_form_is_itself():
    for spelling in known_spellings():
        unit = parse_unit(spelling)
        assert parse_unit(unit.symbol) == unit, spelling


@given(st.text(alphabet="msKdBgegC%°µ²/*^() -+.0123456789·", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_unit_or_a_unit_error(text):
    for read in (parse_unit, parse_quantity):
        error = None
        try:
            read(text)
        except UnitError as caught:
            error = caught
        assert error is None or error.code.startswith("unit.")
        assert error is None or 0 <= error.start <= error.end <= len(text) + 1


def test_the_shipped_table_needs_neither_pint_nor_numpy():
    code = (
        "import sys; from synthspec.units import parse_quantity, parse_unit\n"
        "for t in ('50 ms', '299792458 m/s', '10 dB', '25 degC', '100 mm^2'): parse_quantity(t).si\n"
        "assert not {'pint', 'numpy'} & set(sys.modules), 'too much is loaded'\n"
        "parse_unit('furlong'); assert 'pint' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
