import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.expr import BOOLEAN, INSTANT, PLAIN, TEXT, Context, Number, Origin, infer, parse
from synthspec.expr.printer import to_text
from synthspec.expr.tree import Binary, Call, Constant, Name
from synthspec.units import parse_unit

UNITS = {
    "power_in": "mW",
    "power_out": "uW",
    "temp": "degC",
    "hot": "K",
    "warmer": "delta_degC",
    "loss": "dB",
    "slope": "dB/km",
    "rx": "dBm",
    "size": "bit",
    "r": "mm",
    "ell": "km",
    "area": "mm^2",
    "x": "dimensionless",
    "share": "%",
    "angle": "deg",
    "dur": "ms",
}
ENV = {name: Number.of(unit) for name, unit in UNITS.items()} | {"label": TEXT, "flag": BOOLEAN, "ts": INSTANT}


def check(text, **options):
    return infer(parse(text).value, ENV, **options)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("10 dB * log10(power_in / power_out)", "dB"),
        ("loss + 3 dB", "dB"),
        ("loss / (1 dB)", "dimensionless"),
        ("slope * ell", "dB"),
        ("slope * ell + loss", "dB"),
        ("2 * loss", "dB"),
        ("rx - rx", "dB"),
        ("size / dur", "bit/s"),
        ("r * r", "m^2"),
        ("r^2 * pi", "m^2"),
        ("r / dur", "m/s"),
        ("sqrt(area)", "m"),
        ("area^0.5", "m"),
        ("area^(1/2)", "m"),
        ("(r^3)^(1/3)", "m"),
        ("r^-1", "m^-1"),
        ("abs(r - 3 m)", "m"),
        ("min(r, ell, 1 km)", "m"),
        ("clip(r, 0 mm, 1 m)", "m"),
        ("where(flag, r, ell)", "m"),
        ("exp(-ell / r)", "1"),
        ("sin(angle)", "1"),
        ("sin(30 deg)", "1"),
        ("x^x", "1"),
        ("share * r", "m"),
        ("len(label)", "1"),
        ("hot * x", "K"),
        ("ell / 3 km", "1"),
    ],
)
def test_the_kind_of_a_value(text, unit):
    outcome = check(text)
    assert outcome.diagnostics == ()
    assert outcome.value == Number(parse_unit(unit).kind)


@pytest.mark.parametrize(
    "text",
    [
        "power_out <= power_in",
        "loss <= 40 dB",
        "loss < 4 Np",
        "abs(area - pi * r^2) <= 0.5 * area + 100 mm^2",
        "temp > -40 degC and temp < 300 K",
        "temp - 20 degC < 5 delta_degC",
        "temp - 20 degC < 5 K",
        "rx > -30 dBm",
        "rx - 3 dB > rx + 3 dB",
        "label == 'a' or label != \"b\"",
        "flag == (x > 1)",
        "not flag and isnull(label)",
        "ts - ts < 5 s",
        "ts + 5 s > ts - 5 s",
        "where(x > 1, 'a', label) == 'a'",
        "share < 0.5",
    ],
)
def test_conditions(text):
    assert check(text, expected=BOOLEAN).diagnostics == ()


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("temp", Origin.PLACE),
        ("temp + 5 delta_degC", Origin.PLACE),
        ("5 K + temp", Origin.PLACE),
        ("temp - warmer", Origin.PLACE),
        ("min(temp, 20 degC)", Origin.PLACE),
        ("rx + 3 dB", Origin.PLACE),
        ("rx - loss", Origin.PLACE),
        ("ts - 5 s", Origin.PLACE),
        ("temp - temp", Origin.DIFFERENCE),
        ("2 * (temp - temp)", Origin.DIFFERENCE),
        ("warmer / 2", Origin.DIFFERENCE),
        ("-warmer", Origin.DIFFERENCE),
        ("abs(warmer)", Origin.DIFFERENCE),
        ("warmer * ell", Origin.AMOUNT),
        ("warmer + hot", Origin.AMOUNT),
        ("hot - hot", Origin.AMOUNT),
        ("ts - ts", Origin.AMOUNT),
        ("rx - rx", Origin.AMOUNT),
    ],
)
def test_places_amounts_and_differences(text, origin):
    assert check(text).value.origin is origin


@pytest.mark.parametrize(
    ("text", "code", "start", "end"),
    [
        ("power_out + temp", "unit.dim-mismatch", 0, 16),
        ("x + (power_out - temp)", "unit.dim-mismatch", 4, 22),
        ("r > 0", "unit.dim-mismatch", 0, 5),
        ("loss <= 40", "unit.dim-mismatch", 0, 10),
        ("loss + size", "unit.dim-mismatch", 0, 11),
        ("rx > 3 dB", "unit.dim-mismatch", 0, 9),
        ("rx > power_in", "unit.dim-mismatch", 0, 13),
        ("ts > 5 s", "unit.dim-mismatch", 0, 8),
        ("temp > 5 delta_degC", "unit.dim-mismatch", 0, 19),
        ("log(r)", "unit.dim-mismatch", 0, 6),
        ("log10(loss)", "unit.dim-mismatch", 0, 11),
        ("x^r", "unit.dim-mismatch", 0, 3),
        ("sqrt(power_in)", "unit.dim-mismatch", 0, 14),
        ("r^0.5", "unit.dim-mismatch", 0, 5),
        ("clip(r, 0, 1)", "unit.dim-mismatch", 0, 13),
        ("where(flag, r, x)", "unit.dim-mismatch", 0, 17),
        ("2 * temp", "unit.offset-product", 0, 8),
        ("temp / 2", "unit.offset-product", 0, 8),
        ("-temp", "unit.offset-product", 0, 5),
        ("-(5 degC)", "unit.offset-product", 0, 9),
        ("temp^2", "unit.offset-product", 0, 6),
        ("temp + temp", "unit.offset-product", 0, 11),
        ("abs(temp)", "unit.offset-product", 0, 9),
        ("rx + rx", "unit.offset-product", 0, 7),
        ("2 * rx", "unit.offset-product", 0, 6),
        ("temp - 5 K", "expr.type", 0, 10),
        ("r^x", "expr.type", 0, 3),
        ("r^13", "expr.type", 0, 4),
        ("r^0.123", "expr.type", 0, 7),
        ("label > 'a'", "expr.type", 0, 11),
        ("label == 3", "expr.type", 0, 10),
        ("label + 1", "expr.type", 0, 9),
        ("flag + 1", "expr.type", 0, 8),
        ("x and flag", "expr.type", 0, 10),
        ("not x", "expr.type", 0, 5),
        ("where(x, r, r)", "expr.type", 0, 14),
        ("where(flag, r, label)", "expr.type", 0, 21),
        ("len(x)", "expr.type", 0, 6),
        ("min(x)", "expr.type", 0, 6),
        ("clip(x, 1)", "expr.type", 0, 10),
        ("best(x)", "expr.type", 0, 7),
        ("mean(x) > 1", "expr.type", 0, 7),
        ("x > pwer", "expr.unknown-name", 4, 8),
        ("x > min", "expr.unknown-name", 4, 7),
        ("9^9^9", "expr.too-large", 0, 5),
        ("1e308*1e308", "expr.too-large", 0, 11),
        ("x + 1/0", "expr.too-large", 4, 7),
        ("log(0)", "expr.too-large", 0, 6),
    ],
)
def test_refused_with_its_place(text, code, start, end):
    (finding,) = check(text).diagnostics
    assert (finding.code, finding.span.start, finding.span.end) == (code, start, end)
    assert finding.help


def test_the_message_shows_the_chain():
    (finding,) = check("power_out + temp").diagnostics
    assert "`power_out` is power [L]^2 [M] [T]^-3, `temp` is temperature [Θ]" in finding.message
    assert [related.span.text for related in finding.related] == ["power_out", "temp"]


def test_a_bare_number_is_told_its_unit():
    assert check("r > 0").diagnostics[0].help == "give the number its unit: `0 mm`"
    assert check("loss <= 40").diagnostics[0].help == "give the number its unit: `40 dB`"


@pytest.mark.parametrize("text", ["label == 3", "3 != label", "label == r", "flag == label"])
def test_text_is_compared_with_text_in_quotes(text):
    (finding,) = check(text).diagnostics
    assert finding.message.startswith("these cannot be equal: ")
    assert finding.help == "put quotes around text"


def test_names_get_the_nearest_known_one():
    assert check("pwer_in > 1 mW").diagnostics[0].help == "did you mean 'power_in'?"
    assert "write `min(...)`" in check("x > min").diagnostics[0].help
    assert "`5 m/s`" in check("5 m / s > 3 m/s").diagnostics[0].help


def test_all_faults_are_found_at_once():
    codes = [finding.code for finding in check("(nope > 1) and (r > dur) and temp * 2 > 1").diagnostics]
    assert codes == ["expr.unknown-name", "unit.dim-mismatch", "unit.offset-product"]


@pytest.mark.parametrize(
    ("text", "expected", "code"),
    [
        ("r", BOOLEAN, "expr.type"),
        ("r > 1 m", Number.of("m"), "expr.type"),
        ("10 * log10(x)", Number.of("dB"), "unit.dim-mismatch"),
        ("r", Number.of("s"), "unit.dim-mismatch"),
        ("temp - temp", Number.of("degC"), "unit.dim-mismatch"),
        ("temp", Number.of("delta_degC"), "unit.dim-mismatch"),
        ("label", PLAIN, "expr.type"),
    ],
)
def test_what_the_place_asks_for(text, expected, code):
    (finding,) = check(text, expected=expected).diagnostics
    assert finding.code == code


@pytest.mark.parametrize(
    ("text", "unit"), [("r", "km"), ("temp", "degF"), ("temp - temp", "K"), ("hot", "degC"), ("share", "1")]
)
def test_what_the_place_accepts(text, unit):
    assert check(text, expected=Number.of(unit)).ok


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("best(loss)", Number.of("dB")),
        ("last(r)", Number.of("m")),
        ("mean(temp)", Number.of("degC")),
        ("std(temp)", Number.of("delta_degC")),
        ("std(r)", Number.of("m")),
        ("min(r)", Number.of("m")),
        ("max(r, 1 mm)", Number.of("m")),
        ("len(r)", PLAIN),
        ("len(label)", PLAIN),
        ("quantile(r, 0.9)", Number.of("m")),
    ],
)
def test_aggregates_over_a_history(text, expected):
    outcome = check(text, context=Context.HISTORY)
    assert outcome.diagnostics == ()
    assert outcome.value == expected


@pytest.mark.parametrize(
    "text", ["mean(r + ell)", "best(3)", "quantile(r)", "quantile(r, 2)", "quantile(r, x)", "best(label)"]
)
def test_aggregates_take_the_name_of_a_signal(text):
    assert [finding.code for finding in check(text, context=Context.HISTORY).diagnostics] == ["expr.type"]


# Dimensions against pint: the same expressions are homogeneous, and of the same dimension.

LINEAR = ["power_in", "power_out", "r", "ell", "area", "x", "share", "dur", "hot"]
atoms = st.sampled_from(LINEAR).map(Name) | st.sampled_from([Constant(2.0), Constant(3.0, parse_unit("mm"))])
grown = st.recursive(
    atoms,
    lambda c: (
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "*", "/", "<"]), c, c)
        | st.builds(lambda base, n: Binary("^", base, Constant(float(n))), c, st.integers(1, 3))
        | st.builds(lambda a, b: Call("min", (a, b)), c, c)
        | st.builds(lambda a: Call("exp", (a,)), c)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def registry():
    return pint.UnitRegistry()


def by_pint(node, registry):
    match node:
        case Name(name=name):
            return registry.Quantity(1.5, UNITS[name])
        case Constant(value=value, unit=unit):
            return registry.Quantity(value, unit.symbol if unit else "dimensionless")
        case Binary(operator="^", left=base, right=power):
            return amount(base, registry) ** int(power.value)
        case Binary(operator=operator, left=left, right=right):
            a, b = amount(left, registry).to_base_units(), amount(right, registry).to_base_units()
            quotient = a / (b if b.m else b.u)
            return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": lambda _: quotient, "<": a.__lt__}[operator](b)
        case Call(function="min", arguments=(left, right)):
            return min(amount(left, registry), amount(right, registry))
        case Call(arguments=(only,)):
            value = amount(only, registry).to("dimensionless").m
            return registry.Quantity(min(value, 2.0), "dimensionless")


def amount(node, registry):
    value = by_pint(node, registry)
    if isinstance(value, bool):
        raise TypeError
    return value


@settings(max_examples=200, deadline=None)
@given(grown)
def test_dimensions_agree_with_pint(registry, tree):
    outcome = infer(parse(to_text(tree)).value, ENV)
    if any(finding.code == "expr.too-large" for finding in outcome.diagnostics):
        return
    try:
        theirs = by_pint(tree, registry)
    except (pint.DimensionalityError, TypeError):
        assert not outcome.ok
        return
    assert outcome.diagnostics == ()
    if outcome.value == BOOLEAN:
        assert isinstance(theirs, bool)
    else:
        expected = registry.Quantity(1, outcome.value.coherent.symbol).dimensionality
        assert theirs.dimensionality == expected


@pytest.mark.parametrize("text", ["(t - u) * (r / r)", "(r / r) * (t - u)", "(t - u) / (r / r)", "(t - u) * 2"])
def test_a_difference_stays_one_through_every_pure_number_also_one_that_is_computed(text):
    env = {"t": Number.of(parse_unit("degC")), "u": Number.of(parse_unit("degC")), "r": Number.of(parse_unit("mm"))}
    outcome = infer(parse(text).value, env)
    assert not outcome.diagnostics
    assert outcome.value.origin is Origin.DIFFERENCE
    assert infer(parse(f"t + {text} > u").value, env).ok
