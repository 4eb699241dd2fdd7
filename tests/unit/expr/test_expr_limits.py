"""The last expression that is taken and the first that is refused, for every limit."""

import pytest

from synthspec.expr import PLAIN, Context, Number, infer, parse

ENV = {"x": PLAIN, "r": Number.of("m")}
NAME = "x" * 1998


def codes(text, context=Context.ROW):
    parsed = parse(text)
    outcome = infer(parsed.value, ENV | {NAME: PLAIN}, context=context) if parsed.value else parsed
    return [finding.code for finding in outcome.diagnostics]


@pytest.mark.parametrize(
    ("last", "first", "code"),
    [
        (f"-{NAME} ", f"-{NAME}  ", "expr.too-large"),
        ("(" * 49 + "x" + ")" * 49, "(" * 50 + "x" + ")" * 50, "expr.too-large"),
        ("+".join("x" * 100), "+".join("x" * 101), "expr.too-large"),
        ("1e308", "1e309", "expr.too-large"),
        ("x^1024", "x^1025", "expr.too-large"),
        ("x^-1024", "x^-1025", "expr.too-large"),
        ("r^12", "r^13", "expr.type"),
        ("r^-12", "r^-13", "expr.type"),
        ("(r^12)^(1/12)", "(r^12)^(1/13)", "expr.type"),
        ("min(x, x)", "min(x)", "expr.type"),
        (f"max({', '.join('x' * 16)})", f"max({', '.join('x' * 17)})", "expr.type"),
        ("abs(x)", "abs()", "expr.type"),
        ("abs(x)", "abs(x, x)", "expr.type"),
        ("clip(x, 0, 1)", "clip(x, 0)", "expr.type"),
        ("clip(x, 0, 1)", "clip(x, 0, 1, 2)", "expr.type"),
    ],
)
def test_a_limit_is_the_last_value_that_is_taken(last, first, code):
    assert (codes(last), codes(first)) == ([], [code])


@pytest.mark.parametrize(("level", "found"), [("0", []), ("1", []), ("1.01", ["expr.type"]), ("-0.01", ["expr.type"])])
def test_the_level_of_a_quantile_goes_from_zero_to_one(level, found):
    assert codes(f"quantile(x, {level})", Context.HISTORY) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abs(x, x)", "`abs` takes 1 argument, not 2"),
        ("min()", "`min` takes 2 to 16 arguments, not 0"),
        ("clip(x)", "`clip` takes 3 arguments, not 1"),
        ("quantile(x)", "`quantile` takes 2 arguments, not 1"),
    ],
)
def test_the_number_of_arguments_is_told(text, message):
    (finding,) = infer(parse(text).value, ENV, context=Context.HISTORY).diagnostics
    assert finding.message == message


@pytest.mark.parametrize(
    ("text", "field"),
    [("2 m*radius", True), ("2 m/radius", True), ("2 m/(s*radius)", True), ("2 radius", False), ("2 radius*m", False)],
)
def test_what_may_be_a_field_behind_an_operator_is_told(text, field):
    (finding,) = parse(text).diagnostics
    assert finding.code == "unit.unknown"
    assert ("put spaces around the operator" in finding.help) is field
