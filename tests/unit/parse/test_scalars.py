"""Plain scalars: YAML 1.2 core, and a refusal wherever a YAML 1.1 reader would see something else."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synthspec.parse.refusals import Refusal
from synthspec.parse.scalars import resolve

READ = {
    "null": None, "true": True, "false": False, "0": 0, "-0": 0, "+3": 3, "-3": -3, "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63), "1e-4": 1e-4, "1E-4": 1e-4, ".5": 0.5, "-.5": -0.5, "1.": 1.0, "1e3": 1000.0,
    "1.10": 1.1, "0.0": 0.0, "0e5": 0.0, "1.0.0": "1.0.0", "50 ms": "50 ms", "299792458 m/s": "299792458 m/s",
    "10 dB": "10 dB", "-": "-", ".": ".", "..": "..", "+": "+", "1e": "1e", "e5": "e5", "nan": "nan", "inf": "inf",
    "y": "y", "n": "n", "nope": "nope", "truely": "truely", "12e": "12e", "2026-1": "2026-1", "a_1": "a_1", "1.2.3": "1.2.3",
    "0x": "0x", "0xg": "0xg", "5e-324": 5e-324, "/etc/no": "/etc/no", "1-2": "1-2", "é": "é",
}  # fmt: skip

REFUSED = {
    "": 'write null, or "" for an empty text',
    "no": 'quote it: "no", or write false',
    "Yes": 'quote it: "Yes", or write true',
    "ON": 'quote it: "ON", or write true',
    "oFf": 'quote it: "oFf", or write false',
    "True": 'quote it: "True", or write true',
    "FALSE": 'quote it: "FALSE", or write false',
    "~": 'quote it: "~", or write null',
    "NULL": 'quote it: "NULL", or write null',
    "010": 'quote it: "010", or write 10',
    "-007": 'quote it: "-007", or write -7',
    "00": 'quote it: "00", or write 0',
    "01.5": 'quote it: "01.5", or write 1.5',
    "0o17": 'quote it: "0o17", or write the number in decimal',
    "0x1F": 'quote it: "0x1F", or write the number in decimal',
    "-0b11": 'quote it: "-0b11", or write the number in decimal',
    "1_000": 'quote it: "1_000", or write 1000',
    "1_0.5_0e3": 'quote it: "1_0.5_0e3", or write 10.50e3',
    "1:30": 'quote it: "1:30"',
    "190:20:30.5": 'quote it: "190:20:30.5"',
    "2026-01-02": 'quote it: "2026-01-02"',
    "2026-13-45": 'quote it: "2026-13-45"',
    "2001-12-14t21:59:43.10-05:00": 'quote it: "2001-12-14t21:59:43.10-05:00"',
    "2001-12-14 21:59:43 Z": 'quote it: "2001-12-14 21:59:43 Z"',
    "=": 'quote it: "="',
    "<<": 'quote it: "<<"',
    ".inf": 'write a finite number, or quote it if it is a text: ".inf"',
    "-.INF": 'write a finite number, or quote it if it is a text: "-.INF"',
    ".NaN": 'write a finite number, or quote it if it is a text: ".NaN"',
}

OUT_OF_RANGE = [
    "9223372036854775808",
    "-9223372036854775809",
    "9" * 5000,
    "1e400",
    "-1e400",
    "1e-400",
    "0.1e-323",
    "9" * 400 + ".0",
]


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_read(text: str, value: object) -> None:
    got = resolve(text)
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize(("text", "remedy"), REFUSED.items())
def test_refused(text: str, remedy: str) -> None:
    got = resolve(text)
    assert isinstance(got, Refusal)
    assert (got.code, got.help) == ("syntax.ambiguous-scalar", remedy)


@pytest.mark.parametrize("text", OUT_OF_RANGE, ids=lambda text: text[:20])
def test_out_of_range(text: str) -> None:
    got = resolve(text)
    assert isinstance(got, Refusal)
    assert got.code == "schema.bad-value"
    assert len(got.message) < 200


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_as_python_writes_them(number: float) -> None:
    got = resolve(repr(number))
    assert isinstance(got, float)
    assert got == number
    assert math.copysign(1, got) == math.copysign(1, number)


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_as_python_writes_them(number: int) -> None:
    assert resolve(str(number)) == number


_YAML11 = yaml.SafeLoader("")
near_numbers = st.text("0123456789+-._:eExXobTtZ ", max_size=14)
near_words = st.text("yYeEsSnNoOfFtTrRuUaAlL~.iI", max_size=5)


@settings(deadline=None)
@given(near_numbers | near_words | st.from_regex(r"\A[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:.]{5,8}(Z|[+-]5)?)?\Z"))
@example("685230.15")
@example("+1:2:3")
@example("-._1")
@example("0_")
@example("0x_1")
@example("1__e+1")
def test_no_text_that_yaml_1_1_takes_for_something_else(text: str) -> None:
    """A scalar that we read as text is text to a YAML 1.1 reader too: no two tools disagree about an accepted file."""
    plain = text.strip() == text and not text.endswith(":")
    if plain and isinstance(resolve(text), str):
        tag = _YAML11.resolve(yaml.ScalarNode, text, (True, False))
        assert tag == "tag:yaml.org,2002:str"
