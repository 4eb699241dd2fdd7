"""The operations on plain floats where they overflow, have no value or meet infinities, against IEEE 754."""

import dataclasses
import math

import numpy as np
import pytest

from synthspec.expr import BOOLEAN, PLAIN, TEXT, infer, parse
from synthspec.expr.scalar import SCALAR, best, deviation, mean, quantile
from synthspec.expr.tree import Binary, Call, Constant, Name, String, Unary
from synthspec.expr.vector import table

EDGES = (-math.inf, -1e200, -8.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 8.0, 1e200, math.inf, math.nan)
# Not 0.5, which numpy takes for a square root: it has none of minus infinity, whose power of 0.5 is infinite.
EXPONENTS = (-math.inf, -3.0, -2.0, -1.0, -0.5, 0.0, 0.25, 1 / 3, 1.0, 2.0, 3.0, 4.0, 5.0, 1e300, math.inf, math.nan)


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
    # The sign of the least of two zeros is anybody's.
    signed = [(a, b, value) for a, b, value in pairs if value or name in {"/", "^"}]
    wrong = [(a, b) for a, b, value in signed if not same(SCALAR[name](a, b), value)]
    assert wrong == []


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
