"""Syntax errors: the place somebody has to look at, and words that say what to do there."""

from __future__ import annotations

import pytest

from synthspec.parse import compose
from synthspec.text import Source

CASES = [
    # text, (line, column), words of the message, words of the help
    ("a:\n\tb: 1", (2, 1), "a tab cannot indent", "indent with spaces"),
    ("key: value\n\tother: 1", (2, 1), "a tab cannot indent", "indent with spaces"),
    ("a: |\n\tx", (2, 1), "a tab cannot indent", "indent with spaces"),
    ("a: >\n x\n\ty\n", (3, 1), "a tab cannot indent", "indent with spaces"),
    ("a: b: c", (1, 5), "a second ':'", 'quote the value, a: "b: c"'),
    ("x: 1\n  path: C: d", (2, 3), "path: does not line up", "same indentation"),
    ("a: 1\n  b: 2", (2, 3), "b: does not line up", "same indentation"),
    ("a:\n- b\n c: 1", (3, 2), "c: does not line up", "same indentation"),
    ("a:\n  b: 1\n c: 2", (3, 2), "does not line up", "begin it in column 1"),
    ("a: @x, y", (1, 4), "cannot begin with @", 'quote it: "@x"'),
    ("a: `x`", (1, 4), "cannot begin with `", 'quote it: "`x`"'),
    ("a: %x", (1, 4), "cannot begin with %", 'quote it: "%x"'),
    ("a: 1\n%foo\n", (2, 1), "cannot begin with %", "delete the line"),
    ("a: 'x\nb: c\n", (1, 4), "the quote ' is not closed", "an apostrophe is written ''"),
    ('a: "x\nb: c\n', (1, 4), 'the quote " is not closed', 'close it with "'),
    ('a: "x\n--- y"', (1, 4), 'the quote " is not closed', 'close it with "'),
    ("a: 'it's'", (1, 8), "more text after the end of the value", "an apostrophe is written ''"),
    ('a: "x" y', (1, 8), "more text after the end of the value", "quotes around the whole value"),
    ('"a" "b": 1', (1, 5), "more text after the end of the value", "quotes around the whole value"),
    ("a: [b, c]d", (1, 10), "more text after the end of the value", "quotes around the whole value"),
    ("a: [1, 2\nb: c\n", (1, 4), "the bracket [ is not closed", "close it with ]"),
    ("a: [1, 2", (1, 4), "the bracket [ is not closed", "close it with ]"),
    ("a: {x: 1\nb: c\n", (1, 4), "the bracket { is not closed", "close it with }"),
    ("a: [1, 2}", (1, 9), "} closes a bracket [", "write ] here"),
    ('a: [\n  "x"\n  "y"\n]', (3, 3), "a ',' or ] is missing", "separate the items with commas"),
    ("a: {b: 1 c: 2}", (1, 11), "a ',' or } is missing", "separate the items with commas"),
    ("a: 1\n]", (2, 1), "] closes nothing", "open with ["),
    ("a: ]", (1, 4), "] closes nothing", "open with ["),
    ("a: {b: 1}}", (1, 10), "} closes nothing", "open with {"),
    ("a: , b", (1, 4), "a value is missing before the ','", "delete the comma"),
    ("a: [1,,2]", (1, 7), "a value is missing before the ','", "write the value"),
    ("a: {,}", (1, 5), "a value is missing before the ','", "delete the comma"),
    ("foo\nbar: 1", (1, 1), "'foo' is a key without a value", "key: value"),
    ("a: 1\nfoo\nbar: 1", (2, 1), "'foo' is a key without a value", "key: value"),
    ("a: - b", (1, 4), "a list cannot begin on the line of its key", "on the next line"),
    ("a: 1\n- b", (2, 1), "a list item stands among keys", "indent it under its key"),
    ("a:\n  - b\n  c: 1", (3, 3), "is no item of it", "'- ' in column 3"),
    ("a: |x\n  y", (1, 4), "after | only a line break may stand", "quote it"),
    ('a: "x\\q"', (1, 6), r"\q is no escape", r"write a backslash as \\"),
    ('a: "\\U00110000"', (1, 5), r"\U is no escape", "'...'"),
    ("a: 1\n...\nb: 1", (3, 1), "text after the end of the document", "delete it"),
    ("--- a: 1", (1, 1), "cannot begin on the line of ---", "on the next line"),
]

OTHER_CODES = [
    ("a: *", (1, 4), "syntax.alias", 'quote it: "*"'),
    ("a: *.csv", (1, 4), "syntax.alias", 'quote it: "*.csv"'),
    ("a: & b", (1, 4), "syntax.alias", 'quote it: "&"'),
    ("a: [b, ! ]", (1, 8), "syntax.tag", "delete it"),
    ("a: !!str no", (1, 4), "syntax.tag", "delete it"),
    ("a: &x", (1, 4), "syntax.alias", "delete it"),
    ("a: !<x", (1, 4), "syntax.tag", "quote the text if it begins with !"),
    ("a: !foo!x y", (1, 4), "syntax.tag", "quote the text if it begins with !"),
    ("x" * 2000 + ": 1", (1, 1), "syntax.too-large", "shorten it"),
    ("a:b", (1, 1), "schema.wrong-type", "put a space after the colon: a: b"),
    ("a: {b:1}", (1, 5), "syntax.ambiguous-scalar", "put a space after the colon: b: 1"),
    ("a: {b, c: 1}", (1, 5), "syntax.ambiguous-scalar", "items without keys belong in [ ]"),
    ("a:\n  -\n  - 1", (2, 3), "syntax.ambiguous-scalar", "write null"),
    ("a: 1\n: 2\n", (2, 1), "syntax.ambiguous-scalar", "write the key"),
    ("? \n: 2\n", (1, 2), "syntax.ambiguous-scalar", "write the key"),
    ("a: {r: 1, : t}", (1, 11), "syntax.ambiguous-scalar", "write the key"),
    ("{: 2}", (1, 2), "syntax.ambiguous-scalar", "write the key"),
]


@pytest.mark.parametrize(("text", "place", "message", "remedy"), CASES, ids=[case[0][:24] for case in CASES])
def test_syntax(text: str, place: tuple[int, int], message: str, remedy: str) -> None:
    outcome = compose(Source("s", text))
    assert outcome.value is None
    (finding,) = outcome.diagnostics
    assert finding.code == "syntax.yaml"
    assert finding.span is not None
    assert finding.span.begin == place
    assert message in finding.message
    assert remedy in finding.help


@pytest.mark.parametrize(("text", "place", "code", "remedy"), OTHER_CODES, ids=[case[0][:24] for case in OTHER_CODES])
def test_other_codes(text: str, place: tuple[int, int], code: str, remedy: str) -> None:
    (finding,) = compose(Source("s", text)).diagnostics
    assert finding.span is not None
    assert (finding.code, finding.span.begin) == (code, place)
    assert remedy in finding.help


def test_what_was_found_before_a_syntax_error_is_kept() -> None:
    found = compose(Source("s", "a: no\na: off\nb: [1\n")).diagnostics
    assert [(d.code, d.span and d.span.begin) for d in found] == [
        ("syntax.ambiguous-scalar", (1, 4)),
        ("syntax.duplicate-key", (2, 1)),
        ("syntax.ambiguous-scalar", (2, 4)),
        ("syntax.yaml", (3, 4)),
    ]
