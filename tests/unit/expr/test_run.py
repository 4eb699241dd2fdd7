"""A kernel over one block of rows after another: the function of its rows, whatever its buffers held before."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.expr import BOOLEAN, PLAIN, TEXT, Number, compile_kernel, parse
from synthspec.units import parse_unit

ENV = {"p": Number.of("mW"), "q": Number.of("uW"), "t": Number.of("degC"), "x": PLAIN, "flag": BOOLEAN, "label": TEXT}
NUMBERS = ("p", "q", "t", "x")
TEXTS = [
    "q <= p",
    "p + q - p * x + sqrt(q * q)",
    "(p + q) * (p - q) / (p * x - q) + (q + p)",
    "10 dB * log10(p / q) <= 40 dB and not x > 2",
    "abs(t - 20 degC) <= 60 K or flag",
    "(x * x + 1) ^ 2 - exp(-x) * min(x, x * x, 3)",
    "where(p > q and flag, p + q, abs(q - p))",
    "clip(x * 2, x - 1, x + 1) == x * 2",
    "label == 'a' and x * 2 != x + 1",
    "isnull(x + x) or isnull(label)",
    "flag",
    "p",
    "t",
    "-x",
    "2 * x * x - tanh(x * x)",
]
CELLS = {
    **dict.fromkeys(NUMBERS, st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.5, -3.0, 1e300, math.inf, 20.0]))),
    "flag": st.booleans(),
    "label": st.sampled_from(["a", "b", None]),
}
BLOCKS = st.lists(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=4), min_size=1, max_size=4)


def columns(block):
    return {
        name: np.array([row[name] for row in block], dtype=float if name in NUMBERS else bool if name == "flag" else object)
        for name in ENV
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(BLOCKS, st.sampled_from(TEXTS))
def test_blocks_one_after_another_are_the_function_of_their_rows(blocks, text):
    kernel = compile_kernel(parse(text).value, ENV)
    run = kernel.run()
    for block in blocks:
        with np.errstate(all="ignore"):
            expected = [kernel.row(row) for row in block]
        given_ = columns(block)
        kept = {name: column.copy() for name, column in given_.items()}
        np.testing.assert_allclose(run(given_), expected, rtol=1e-14)
        for name, column in given_.items():
            np.testing.assert_array_equal(column, kept[name])


def test_what_was_given_is_not_what_is_computed_with():
    """A buffer must never be the column of the caller, though no unit has to be converted."""
    column = np.array([1.0, 2.0])
    run = compile_kernel(parse("-(x + x)").value, ENV, parse_unit("%")).run()
    assert run({"x": column}).tolist() == [-200.0, -400.0]
    assert column.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint16", "int64", "bool"])
def test_every_sort_of_number_is_computed_in_float64(dtype):
    numbers = np.array([0, 1, 1, 0, 1]).astype(dtype) if dtype == "bool" else np.arange(1, 6).astype(dtype)
    for text in ("x * x / 3", "q * 3 + q", "q"):
        run = compile_kernel(parse(text).value, ENV).run()
        name = "x" if "x" in text else "q"
        found = run({name: numbers})
        assert found.dtype == np.float64
        np.testing.assert_array_equal(
            found, run.__class__(compile_kernel(parse(text).value, ENV))({name: numbers * 1.0})
        )


def test_the_second_block_needs_no_array_of_its_own():
    run = compile_kernel(parse("q + q * x <= p * x").value, ENV).run()
    block = {name: np.arange(1.0, 9.0) for name in ("p", "q", "x")}
    first = run(block)
    assert run({name: column + 1 for name, column in block.items()}) is first


def test_columns_of_several_shapes_are_spread_over_each_other():
    kernel = compile_kernel(parse("p * x").value, ENV)
    found = kernel({"p": np.ones((2, 3)), "x": np.arange(3.0)})
    np.testing.assert_allclose(found, np.ones((2, 3)) * 1e-3 * np.arange(3.0))
    assert kernel({"p": 1000.0, "x": 2.0}) == pytest.approx(2.0)
