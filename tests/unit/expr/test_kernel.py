import math
import subprocess
import sys

import numpy as np
import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.expr import BOOLEAN, INSTANT, PLAIN, TEXT, Number, compile_kernel, infer, parse
from synthspec.expr.tree import Binary, Call, Constant, Name
from synthspec.units import parse_unit

UNITS = {"p": "mW", "q": "uW", "r": "mm", "ell": "km", "area": "mm^2", "x": "dimensionless", "share": "%", "t": "degC"}
ENV = {name: Number.of(unit) for name, unit in UNITS.items()} | {"label": TEXT, "flag": BOOLEAN, "ts": INSTANT}


def kernel(text, output=None):
    return compile_kernel(parse(text).value, ENV, parse_unit(output) if output else None)


# One generator of well-typed expressions a kind: everything it makes is homogeneous.


def lengths(inner):
    return st.one_of(
        st.sampled_from(["r", "ell"]).map(Name),
        st.builds(Constant, st.floats(0.5, 20), st.sampled_from([parse_unit(u) for u in ("mm", "in", "km")])),
        st.builds(lambda a, b: Binary("+", a, b), inner["length"], inner["length"]),
        st.builds(lambda a, b: Binary("*", a, b), inner["length"], inner["number"]),
        st.builds(lambda a, b: Call("max", (a, b)), inner["length"], inner["length"]),
        st.builds(lambda a: Call("sqrt", (a,)), inner["area"]),
        st.builds(lambda a, b: Binary("/", a, b), inner["area"], inner["length"]),
    )


def areas(inner):
    return st.one_of(
        st.just(Name("area")),
        st.builds(lambda a, b: Binary("*", a, b), inner["length"], inner["length"]),
        st.builds(lambda a: Binary("^", a, Constant(2.0)), inner["length"]),
    )


def plain(inner):
    return st.one_of(
        st.sampled_from(["x", "share", "pi"]).map(Name),
        st.floats(0.5, 20).map(Constant),
        st.builds(lambda a, b: Binary("/", a, b), inner["length"], inner["length"]),
        st.builds(lambda f, a: Call(f, (a,)), st.sampled_from(["tanh", "sqrt", "sin", "abs"]), st.just(Name("x"))),
        st.builds(lambda a: Call("log10", (Binary("/", Name("p"), a),)), st.just(Name("q"))),
    )


def level(depth):
    if depth == 0:
        names = {"length": ["r", "ell"], "area": ["area"], "number": ["x", "share"]}
        return {kind: st.sampled_from(found).map(Name) for kind, found in names.items()}
    inner = level(depth - 1)
    return {"length": lengths(inner), "area": areas(inner), "number": plain(inner)}


expressions = st.one_of(*level(3).values())
rows = st.fixed_dictionaries({name: st.floats(0.5, 50.0) for name in ("p", "q", "r", "ell", "area", "x", "share")})


@pytest.fixture(scope="module")
def registry():
    return pint.UnitRegistry()


FUNCTIONS = {"tanh": math.tanh, "sin": math.sin, "log10": math.log10}


def by_pint(node, row, registry):
    match node:
        case Name(name="pi"):
            return registry.Quantity(math.pi, "dimensionless")
        case Name(name=name):
            return registry.Quantity(row[name], UNITS[name])
        case Constant(value=value, unit=unit):
            return registry.Quantity(value, unit.symbol if unit else "dimensionless")
        case Binary(operator="^", left=base, right=power):
            return by_pint(base, row, registry) ** int(power.value)
        case Binary(operator=operator, left=left, right=right):
            a, b = by_pint(left, row, registry), by_pint(right, row, registry)
            return {"+": lambda: a + b, "*": lambda: a * b, "/": lambda: a / b}[operator]()
        case Call(function="max", arguments=(left, right)):
            return max(by_pint(left, row, registry), by_pint(right, row, registry))
        case Call(function="sqrt", arguments=(only,)):
            return by_pint(only, row, registry) ** 0.5
        case Call(function="abs", arguments=(only,)):
            return abs(by_pint(only, row, registry))
        case Call(function=function, arguments=(only,)):
            value = by_pint(only, row, registry).to("dimensionless").m
            return registry.Quantity(FUNCTIONS[function](value), "dimensionless")


@settings(max_examples=150, deadline=None)
@given(expressions, st.lists(rows, min_size=1, max_size=3))
def test_a_kernel_agrees_with_pint_row_by_row(registry, tree, table):
    from synthspec.expr.printer import to_text

    run = compile_kernel(parse(to_text(tree)).value, ENV)
    columns = {name: np.array([row[name] for row in table]) for name in table[0]}
    expected = [by_pint(tree, row, registry).to(run.unit.symbol).m for row in table]
    np.testing.assert_allclose(run(columns), expected, rtol=1e-9)
    np.testing.assert_allclose([run.row(row) for row in table], expected, rtol=1e-9)


CELLS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, -3.0, 1e300, -1e300, math.inf, -math.inf, math.nan, 710.0])
TOTAL = [
    "x / share",
    "x ^ share",
    "x ^ -1",
    "(-x) ^ share",
    "sqrt(x)",
    "log(x)",
    "log10(x)",
    "exp(x)",
    "sin(x)",
    "cos(x)",
    "tanh(x)",
    "min(x, share)",
    "max(x, share)",
    "clip(x, share, 1)",
    "where(x > share, x, 0)",
    "x < share or not x == share",
    "isnull(x)",
    "x - share",
    "x * share",
    "abs(x)",
    "x != x",
    "-x >= share and x <= share",
]


@settings(deadline=None)
@given(CELLS, CELLS, st.sampled_from(TOTAL))
def test_rows_and_columns_are_the_same_function_everywhere(a, b, text):
    env = {"x": PLAIN, "share": PLAIN}
    run = compile_kernel(parse(text).value, env)
    # Vector units of some processors round a power to another last place than the C library: 2.5 ^ 2.5.
    np.testing.assert_allclose(run({"x": [a], "share": [b]})[0], run.row({"x": a, "share": b}), rtol=1e-15, atol=0)


def test_the_examples_of_the_fibre():
    loss = kernel("10 dB * log10(p / q)", "dB")
    np.testing.assert_allclose(loss({"p": [1.0, 2.0], "q": [1000.0, 1.0]}), [0.0, 10 * np.log10(2000)], rtol=1e-15)
    assert loss.unit.symbol == "dB"
    assert loss.names == ("p", "q")
    passive = kernel("q <= p")
    # 1500 uW are 1.5 mW to the last bit
    numbers = np.arange(1, 2000, dtype=np.float64)
    assert passive({"q": numbers * 1000, "p": numbers}).all()
    assert passive({"q": [1500.1], "p": [1.5]}).tolist() == [False]


@pytest.mark.parametrize(
    ("text", "output", "cells", "value"),
    [
        ("t", "degF", {"t": 100.0}, 212.0),
        ("t", "K", {"t": 0.0}, 273.15),
        ("t - 20 degC", "delta_degF", {"t": 25.0}, 9.0),
        ("t + 9 delta_degF", "degC", {"t": 20.0}, 25.0),
        ("t - 0 degC", None, {"t": 25.0}, 25.0),
        ("r * 2", "in", {"r": 12.7}, 1.0),
        ("share * 2", "%", {"share": 10.0}, 20.0),
        ("share * 2", None, {"share": 10.0}, 0.2),
        ("5 dBm", "dBW", {}, -25.0),
        ("1 Np", "dB", {}, 20 / math.log(10)),
        ("100 mm^2", None, {}, 1e-4),
        ("-40 degC", "degF", {}, -40.0),
        ("sin(30 deg)", None, {}, 0.5),
        ("len(label)", None, {"label": "abc"}, 3.0),
        ("where(label == 'abc', 1, 2)", None, {"label": "abc"}, 1.0),
    ],
)
def test_values_by_hand(text, output, cells, value):
    run = kernel(text, output)
    assert run.row(cells) == pytest.approx(value, abs=1e-12)
    found = run({name: [cell, cell] for name, cell in cells.items()})
    np.testing.assert_allclose(found, value if not cells else [value, value], atol=1e-12)


def test_columns_of_every_sort():
    assert kernel("isnull(x)")({"x": [1.0, None, math.nan]}).tolist() == [False, True, True]
    assert kernel("isnull(label)")({"label": ["a", None]}).tolist() == [False, True]
    assert kernel("isnull(flag)")({"flag": [True, False]}).tolist() == [False, False]
    assert kernel("label == 'a' and flag")({"label": ["a", "a", "b"], "flag": [True, False, True]}).tolist() == [
        True,
        False,
        False,
    ]
    assert kernel("label != 'a'")({"label": np.array(["a", "b"])}).tolist() == [False, True]
    assert kernel("where(flag, label, 'none')")({"flag": [True, False], "label": ["a", "b"]}).tolist() == ["a", "none"]
    assert kernel("x > 0")({"x": np.array([1, -1], dtype=np.int8)}).tolist() == [True, False]
    assert kernel("x * 2")({"x": np.ones((2, 1, 3), dtype=np.float32)}).shape == (2, 1, 3)
    assert kernel("x * 2")({"x": np.ones(2, dtype=np.float32)}).dtype == np.float64
    stamps = np.array(["2026-01-01T00:00:00", "2026-01-01T00:00:01.5", "NaT"], dtype="datetime64[ns]")
    found = kernel("(ts - ts) + 1 s")({"ts": stamps})
    np.testing.assert_array_equal(found, [1.0, 1.0, np.nan])


def test_a_kernel_does_not_touch_its_columns():
    column = np.array([1.0, 2.0])
    kernel("r * 2 + r")({"r": column})
    assert column.tolist() == [1.0, 2.0]


def test_an_unchecked_expression_is_a_bug():
    with pytest.raises(ValueError, match="equal dimensions"):
        kernel("r + x")
    with pytest.raises(ValueError, match="declared"):
        kernel("r", "s")
    assert not infer(parse("r + x").value, ENV).ok


def test_checking_and_compiling_load_no_numpy():
    code = (
        "import sys\n"
        "from synthspec.expr import Number, compile_kernel, parse\n"
        "run = compile_kernel(parse('10 dB * log10(p / q)').value, {'p': Number.of('mW'), 'q': Number.of('uW')})\n"
        "assert run.row({'p': 1.0, 'q': 100.0}) == 10.0\n"
        "assert not {'pint', 'numpy'} & set(sys.modules), 'too much is loaded'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
