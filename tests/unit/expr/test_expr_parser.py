import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.expr import BOOLEAN, PLAIN, TEXT, Number, infer, names, parse, to_text
from synthspec.expr.tree import Binary, Call, Constant, Expr, Name, String, Unary
from synthspec.text import Source
from synthspec.units import parse_unit

UNITS = [parse_unit(text) for text in ("mm^2", "dB", "m/s", "J/(kg*K)", "s^-1", "degC", "%", "dB/km", "m^-1*s^-1")]
numbers = st.floats(min_value=0, max_value=1e300, allow_subnormal=False).map(Constant)
quantities = st.builds(Constant, st.floats(-1e200, 1e200, allow_subnormal=False), st.sampled_from(UNITS))
plain_names = st.sampled_from(["x", "power_in", "pi", "min", "_a1", "order", "s"]).map(Name)
strings = st.text(alphabet="ab 'é(", max_size=5).map(String) | st.text(alphabet='a"', max_size=3).map(String)
leaves = numbers | quantities | plain_names | strings

OPERATORS = ["+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"]


def extend(children):
    signed = children.filter(lambda x: not (isinstance(x, Constant) and x.unit and x.value < 0))
    return (
        st.builds(Binary, st.sampled_from(OPERATORS), children, children)
        | st.builds(Unary, st.sampled_from(["-", "not"]), signed)
        | st.builds(Call, st.sampled_from(["abs", "min", "best"]), st.lists(children, max_size=3).map(tuple))
    )


trees = st.recursive(leaves, extend, max_leaves=14)


@settings(max_examples=300)
@given(trees)
def test_what_is_printed_reads_back(tree):
    outcome = parse(to_text(tree))
    assert outcome.diagnostics == ()
    assert outcome.value.root == tree


@given(trees)
def test_places_hold_the_text_of_their_nodes(tree):
    text = to_text(tree)
    for node in walk(parse(text).value.root):
        again = parse(text[slice(*node.at)])
        assert again.value.root == node


def walk(node):
    yield node
    for name in ("operand", "left", "right"):
        if hasattr(node, name):
            yield from walk(getattr(node, name))
    for argument in getattr(node, "arguments", ()):
        yield from walk(argument)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c", "(a / b) * c"),
        ("a ^ b ^ c", "a ^ (b ^ c)"),
        ("-a ^ 2", "-(a ^ 2)"),
        ("a ^ -b ^ c", "a ^ (-(b ^ c))"),
        ("-a * b", "(-a) * b"),
        ("a * -b", "a * (-b)"),
        ("not a == b", "not (a == b)"),
        ("not a and b", "(not a) and b"),
        ("a or b and c", "a or (b and c)"),
        ("a < b + c and d", "(a < (b + c)) and d"),
        ("+a", "a"),
        ("5 m / s", "(5 m) / s"),
        ("2*pi*x", "2 * pi * x"),
        ("10 dB*log10(x)", "10 dB * log10(x)"),
        ("-40 degC", "-40.0 degC"),
        ("x > 5 and y", "(x > 5) and y"),
        ("x\n  > 5", "x > 5"),
        ("min(a, b,)", "min(a,b)"),
    ],
)
def test_precedence(text, same):
    assert parse(text).value == parse(same).value


def test_a_unit_goes_on_only_without_spaces():
    speed, divided = parse("5 m/s").value.root, parse("5 m / s").value.root
    assert speed == Constant(5.0, parse_unit("m/s"))
    assert divided == Binary("/", Constant(5.0, parse_unit("m")), Name("s"))
    assert parse("5 N*m").value.root == Constant(5.0, parse_unit("N*m"))
    assert parse("2 W/(m*K)").value.root == Constant(2.0, parse_unit("W/(m*K)"))
    assert parse("2 m/(a + b)").value.root == Binary("/", Constant(2.0, parse_unit("m")), parse("a + b").value.root)
    assert parse("3 m²").value.root == Constant(3.0, parse_unit("m^2"))
    assert parse("5 % * x").value.root == Binary("*", Constant(5.0, parse_unit("%")), Name("x"))


def test_a_minus_belongs_to_a_quantity_but_not_to_one_in_parentheses():
    assert parse("-40 degC").value.root == Constant(-40.0, parse_unit("degC"))
    assert parse("-(40 degC)").value.root == Unary("-", Constant(40.0, parse_unit("degC")))
    assert parse("a - 40 degC").value.root == Binary("-", Name("a"), Constant(40.0, parse_unit("degC")))


@pytest.mark.parametrize(
    ("text", "code", "start", "end"),
    [
        # rows E01 and E02 of the security corpus
        ("__import__('os').system('x')", "expr.syntax", 16, 17),
        ("().__class__", "expr.syntax", 2, 3),
        ("f'{x}'", "expr.syntax", 1, 6),
        ("lambda: 1", "expr.syntax", 6, 7),
        ("9**9**9", "expr.syntax", 1, 3),
        ("(" * 10_000 + "x" + ")" * 10_000, "expr.too-large", 0, 20_001),
        ("(" * 900 + "x" + ")" * 900, "expr.too-large", 50, 51),
        ("-" * 1500 + "x", "expr.too-large", 50, 51),
        ("not " * 300 + "x", "expr.too-large", 200, 203),
        ("x^" * 300 + "x", "expr.too-large", 100, 101),
        ("+".join("x" * 300), "expr.too-large", 0, 201),
        ("1e999", "expr.too-large", 0, 5),
        ("1e-999", "expr.too-large", 0, 6),
        ("1e999 m", "expr.too-large", 0, 7),
        ("1e308 km", "unit.nonfinite", 0, 8),
        # our own
        ("", "expr.syntax", 0, 1),
        ("  ", "expr.syntax", 0, 2),
        ("x +", "expr.syntax", 3, 4),
        ("x y", "expr.syntax", 2, 3),
        ("(x", "expr.syntax", 0, 1),
        ("x)", "expr.syntax", 1, 2),
        ("x,y", "expr.syntax", 1, 2),
        ("min(x y)", "expr.syntax", 3, 4),
        ("'abc", "expr.syntax", 0, 4),
        ("x = 3", "expr.syntax", 2, 3),
        ("x && y", "expr.syntax", 2, 4),
        ("a < b < c", "expr.syntax", 6, 7),
        ("and x", "expr.syntax", 0, 3),
        ("40 mm ^ 2", "expr.syntax", 6, 7),
        ("5 N m", "expr.syntax", 4, 5),
        ("5 sin(x)", "expr.syntax", 2, 5),
        ("absolute(x)", "expr.unknown-name", 0, 8),
        ("x > 5 metr", "unit.unknown", 6, 10),
        ("2 m*radius", "unit.unknown", 4, 10),
        ("5 degC*m", "unit.offset-product", 2, 8),
        ("x > 5 m^99", "unit.too-large", 6, 10),
        ("x @ y", "expr.syntax", 2, 3),
        ("x\u200b", "expr.syntax", 1, 2),
    ],
)
def test_refused_with_its_place(text, code, start, end):
    began = time.perf_counter()
    (finding,) = parse(text).diagnostics
    assert time.perf_counter() - began < 1
    assert (finding.code, finding.span.start, finding.span.end) == (code, start, end)
    assert finding.message
    assert finding.help


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("lenn(x)", "did you mean 'len'?"),
        ("x ** 2", "write `^` for a power"),
        ("x = 3", "write `==` to compare"),
        ("a < b < c", "write two comparisons, `a < b and b < c`"),
        ("40 mm ^ 2", "write `40 mm^2` without spaces for the unit, `(40 mm)^2` for the square of the quantity"),
    ],
)
def test_help(text, help_):
    assert parse(text).diagnostics[0].help == help_


def test_the_deepest_and_longest_allowed_expressions_work():
    env = {"x": PLAIN}
    for text in ("(" * 49 + "x" + ")" * 49, "+".join("x" * 99), "-" * 49 + "x", "x + " * 99 + "x"):
        outcome = parse(text)
        assert outcome.ok
        assert infer(outcome.value, env).value == PLAIN
        assert parse(to_text(outcome.value)).value == outcome.value


def test_spans_of_plain_quoted_and_escaped_scalars():
    source = Source("s.yaml", "expr: x + yy\nexpr: 'x + yy'\nexpr: \"x +\\x20yy\"\n")
    for start, end, begin in [(6, 12, (1, 11)), (19, 27, (2, 12)), (34, 45, (3, 7))]:
        scalar = source.span(start, end)
        outcome = parse("x + yy", scalar, path=("constraints", 0, "expr"))
        found = dict(names(outcome.value))
        assert found["yy"].begin == begin
        (finding,) = infer(outcome.value, {"x": PLAIN}).diagnostics
        assert (finding.span.begin, finding.path) == (begin, ("constraints", 0, "expr"))
    # what cannot be mapped points at the whole scalar
    assert found["x"].text == '"x +\\x20yy"'


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_every_name_of_a_scalar_is_found_where_it_stands(quote):
    text = "first + second * third"
    source = Source("s.yaml", f"expr: {quote}{text}{quote}\n")
    tree = parse(text, source.span(6, 6 + len(text) + 2 * len(quote))).value
    assert [(name, span.text) for name, span in names(tree)] == [(name, name) for name in text.split()[::2]]


def test_names_come_in_order_and_without_constants():
    found = names(parse("b + a * pi + sin(b)").value)
    assert [name for name, _ in found] == ["b", "a", "b"]
    assert [span.text for _, span in found] == ["b", "a", "b"]


def test_layout_is_no_part_of_identity():
    assert parse("a+b").value == parse("  a  +\n b ").value
    assert hash(parse("a+b").value) == hash(parse("a + b").value)


ENV = {"x": PLAIN, "y": Number.of("mm"), "t": Number.of("degC"), "c": TEXT, "f": BOOLEAN}
PIECES = [
    "x",
    "y",
    "t",
    "c",
    "f",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "^",
    "<",
    "==",
    "and",
    "or",
    "not",
    " ",
    "1",
    "2.5e3",
]
PIECES += ["9", "mm", "degC", "dB", "'a'", "min", "best", "where", "log", "**", ".", "%", "pi", "9999", "e308"]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=40))
def test_any_text_gives_a_value_or_findings(text):
    outcome = parse(text)
    assert (outcome.value is None) == bool(outcome.diagnostics)
    if isinstance(outcome.value, Expr):
        checked = infer(outcome.value, ENV)
        assert (checked.value is None) == bool(checked.diagnostics)
        assert all(0 <= d.span.start < d.span.end <= len(text) for d in checked.diagnostics)
    else:
        assert outcome.diagnostics[0].code.startswith(("expr.", "unit."))
