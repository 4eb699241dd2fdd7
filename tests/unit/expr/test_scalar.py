"""The operations on plain floats where they overflow, have no value or meet infinities, against IEEE 754."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.expr import BOOLEAN, PLAIN, TEXT, compile_kernel, infer, parse
from synthspec.expr.scalar import SCALAR, best, deviation, mean, quantile
from synthspec.expr.tree import Binary, Call, Constant, Name, String, Unary
from synthspec.expr.vector import table

EDGES = (-math.inf, -1e200, -8.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 8.0, 1e200, math.inf, math.nan)
EXPONENTS = (
    *(-math.inf, -3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 1e300, math.inf),
    math.nan,
)


def same(ours, theirs):
    """Equal to rounding, the signs of zeros and infinities included; NaN is NaN."""
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return ours == pytest.approx(theirs, rel=1e-14) and math.copysign(1, ours) == math.copysign(1, theirs)


@pytest.mark.parametrize("name", ["/", "^", "min", "max"])
def test_two_floats_give_what_ieee_754_gives(name):
    rights = EXPONENTS if name == "^" else EDGES
    with np.errstate(all="ignore"):
        pairs = [(a, b, float(table()[name](np.float64(a), np.float64(b)))) for a in EDGES for b in rights]
    wrong = [(a, b) for a, b, value in pairs if not same(SCALAR[name](a, b), value)]
    assert wrong == []


def test_a_root_as_a_power_is_what_ieee_754_calls_pow_and_not_a_square_root():
    for evaluate in (SCALAR["^"], lambda a, b: float(table()["^"](np.array([a]), b)[0])):
        with np.errstate(all="ignore"):
            assert same(evaluate(-math.inf, 0.5), math.inf)
            assert same(evaluate(-0.0, 0.5), 0.0)
            assert math.isnan(evaluate(-4.0, 0.5))
    assert same(SCALAR["sqrt"](-0.0), -0.0)


def test_minus_zero_is_below_zero():
    for operations in (SCALAR, table()):
        for a, b in ((0.0, -0.0), (-0.0, 0.0)):
            assert same(float(operations["min"](a, b)), -0.0)
            assert same(float(operations["max"](a, b)), 0.0)
            assert same(float(operations["clip"](a, b, b)), b)


ANY_FLOAT = st.one_of(st.sampled_from(EDGES), st.floats(allow_nan=True, allow_infinity=True))
ENV = {"x": PLAIN, "y": PLAIN}
OPERATIONS = [
    *("x + y", "x - y", "x * y", "x / y", "x ^ y", "min(x, y)", "max(x, y)", "clip(x, y, 2)", "clip(1, x, y)", "-x"),
    *(
        "x ^ 0.5",
        "x ^ -0.5",
        "x ^ 2",
        "x ^ 3",
        "x ^ -1",
        "x ^ 0",
        "x ^ 0.25",
        "2 ^ x",
        "where(x < y, x, y)",
        "1 / min(x, y)",
    ),
    *("abs(x)", "sqrt(x)", "exp(x)", "log(x)", "log10(x)", "tanh(x)", "x < y", "x <= y", "x > y", "x >= y", "x == y"),
    *("x != y", "isnull(x)", "isnull(x / y)", "x < y and not x == y", "x > 1 or y > 1"),
]


@pytest.mark.parametrize("text", OPERATIONS)
def test_a_row_and_a_column_agree_on_every_float(text):
    kernel = compile_kernel(parse(text).value, ENV)

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.lists(st.tuples(ANY_FLOAT, ANY_FLOAT), min_size=1, max_size=20))
    def agree(rows):
        columns = {"x": np.array([x for x, _ in rows]), "y": np.array([y for _, y in rows])}
        for (x, y), value in zip(rows, kernel(columns), strict=True):
            alone = kernel.row({"x": x, "y": y})
            assert alone == value if isinstance(alone, bool) else same(alone, float(value)), (x, y)

    agree()


@pytest.mark.parametrize("name", ["neg", "abs", "sqrt", "exp", "log", "log10", "sin", "cos", "tanh"])
def test_one_float_gives_what_ieee_754_gives(name):
    with np.errstate(all="ignore"):
        wrong = [x for x in (*EDGES, 710.0) if not same(SCALAR[name](x), float(table()[name](np.float64(x))))]
    assert wrong == []


def test_aggregates_of_one_value():
    assert mean([3.0]) == quantile([3.0], 0.0) == quantile([3.0], 1.0) == best([3.0], "max") == 3.0
    assert deviation([1.0, 3.0]) == pytest.approx(math.sqrt(2))
    assert math.isnan(best([math.nan], "min"))


@pytest.mark.parametrize("type_", [PLAIN, BOOLEAN, TEXT, infer(parse("1 m").value, {}).value])
def test_types_are_values(type_):
    assert hash(type_) == hash(dataclasses.replace(type_))
    for field in dataclasses.fields(type_):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(type_, field.name, None)


def test_a_node_that_nobody_wrote_stands_at_the_start():
    x = Name("x")
    for node in (x, Constant(1.0), String("x"), Unary("-", x), Binary("+", x, x), Call("abs", (x,))):
        assert node.at == (0, 0)
        assert hash(node) == hash(dataclasses.replace(node, at=(3, 4)))
