"""Which conditions are half-spaces, in the units that fields are declared in."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.expr import BOOLEAN, PLAIN, TEXT, Number, compile_kernel, half_spaces, parse

ENV = {
    "power_in": Number.of("mW"), "power_out": Number.of("uW"), "level": Number.of("dBm"), "a": PLAIN, "b": PLAIN,
    "hot": Number.of("degC"), "on": BOOLEAN, "kind": TEXT,
}  # fmt: skip


def spaces(text):
    return half_spaces(parse(text).value, ENV)


def test_units_are_those_of_the_fields():
    (one,) = spaces("power_out <= power_in")
    scale = one.coefficients[0][1]
    assert dict(one.coefficients) == pytest.approx({"power_out": scale, "power_in": -1000 * scale})
    assert one.bound == 0.0


def test_a_conjunction_is_all_of_them():
    assert len(spaces("0 <= a and a + b < 3 and 2 * b >= a / 4")) == 3


@pytest.mark.parametrize(
    "text",
    ["a * b <= 1", "a^2 <= 4", "abs(a) <= 1", "1 / a <= 2", "a == b", "a <= 1 or b <= 1", "not (a <= 1)", "on", "kind == 'x'",
     "1 <= 2", "log10(a) <= 1", "a != b"],
)  # fmt: skip
def test_what_is_no_half_space_is_none(text):
    assert spaces(text) is None


@given(
    st.sampled_from(
        ["a + 2 * b <= 3", "a >= -(b - 1) / 2", "sqrt(4) * a - pi < b", "hot <= 30 degC", "3 * (a + b) > a - 7"]
    ),
    st.lists(st.floats(-50, 50), min_size=3, max_size=3),
)
def test_a_record_is_inside_exactly_when_the_condition_holds(text, numbers):
    values = dict(zip(("a", "b", "hot"), numbers, strict=True))
    (space,) = spaces(text)
    left = sum(coefficient * values[name] for name, coefficient in space.coefficients) - space.bound
    if abs(left) > 1e-6:
        holds = compile_kernel(parse(text).value, ENV).row({name: values[name] for name, _ in space.coefficients})
        assert holds == (left < 0)


def test_it_needs_no_numpy():
    code = (
        "import sys; from synthspec.expr import half_spaces, parse, PLAIN;"
        "assert half_spaces(parse('a <= b').value, {'a': PLAIN, 'b': PLAIN}); assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
