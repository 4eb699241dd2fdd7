"""What a field can be held at, and in which unit."""

from __future__ import annotations

import pytest

from synthspec.ir.members import held_at, held_reasons
from synthspec.ir.schema import Field


def field(dtype="float64", unit="dB", **words):
    return Field(name="level", role="condition", dtype=dtype, unit=unit, **words)


@pytest.mark.parametrize(
    ("known", "written", "value"),
    [
        (field(), "5 dB", 5.0),
        (field(), 5, 5),
        (field(unit="s"), "250 ms", 0.25),
        (field(unit="K"), "20 degC", 293.15),
        (field("int32", "ms"), "2 s", 2000),
        (field(unit="m"), "5 s", "5 s"),  # of another kind
        (field(unit="m"), "5", "5"),
        (field(unit=""), "5 m", "5 m"),
        (field("categorical", "m", enum=("5 m", "6 m")), "5 m", "5 m"),
        (field("string", "m"), "5 m", "5 m"),
    ],
)
def test_a_value_with_a_unit_is_held_in_that_of_the_field(known, written, value):
    found = held_at(known, written)
    assert found == value
    assert type(found) is type(value)


def test_what_is_read_is_still_held_against_the_field():
    known = field(unit="s", range=(0.0, 1.0))
    assert not list(held_reasons(known, held_at(known, "250 ms")))
    assert list(held_reasons(known, held_at(known, "2 s"))) == ["'level' is held at 2.0, outside its range [0.0, 1.0]"]
    (reason,) = held_reasons(known, held_at(known, "5 m"))
    assert reason == "'level' is held at '5 m', which is not a number in s, nor one with a unit of that kind"
    whole = field("int32", "s")
    assert ["no whole number" in reason for reason in held_reasons(whole, held_at(whole, "250 ms"))] == [True]
