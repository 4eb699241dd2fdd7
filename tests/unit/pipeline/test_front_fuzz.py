"""Whatever is written, the answer is findings: no exception, no crash of a rule, and every place lies in its text.

`SYNTHSPEC_FUZZ=20000` tries so many of each kind.
"""

import os
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthspec.expr import BOOLEAN, PLAIN, TEXT, Number, compile_kernel, infer, parse, to_text
from synthspec.pipeline.front import Options, Spot, validate
from synthspec.rules.form import CRASHED
from synthspec.units import parse_unit

EXAMPLES = Path(__file__).parents[3] / "examples"
OPTIONS = Options(today=date(2026, 6, 1))
SPECS = sorted(EXAMPLES.glob("*/spec.yaml"))
SCHEMAS = sorted(EXAMPLES.glob("*/*.sref.yaml"))
MANY = settings(
    max_examples=int(os.environ.get("SYNTHSPEC_FUZZ", "120")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def answered(path, data):
    outcome = validate(Spot(path, "spec.yaml", data), OPTIONS)
    for found in outcome.diagnostics:
        assert found.code != CRASHED, found.message
        assert found.message
        assert found.help
        if found.span is not None:
            assert 0 <= found.span.start <= found.span.end <= max(len(found.span.source.text), 1)
    assert outcome.value is not None or any(found.is_error for found in outcome.diagnostics)
    assert outcome.value is None or not any(found.is_error for found in outcome.diagnostics)


BITS = [
    b"",
    b"\n",
    b"  ",
    b"- ",
    b": ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"#",
    b'"',
    b"'",
    b"|",
    b">",
    b"&a ",
    b"*a",
    b"!!int ",
    b"? ",
]
BITS += [
    b"<<: ",
    b"---\n",
    b"\t",
    b"\xff",
    b"\xc3",
    b"\xe2\x80\xae",
    b"\0",
    b"1e999",
    b"~",
    b"null",
    b"yes",
    b"synthspec:",
    b"%",
]


@MANY
@given(st.binary(max_size=400))
def test_bytes(data):
    answered(SPECS[0], data)


@MANY
@given(
    path=st.sampled_from([*SPECS, *SCHEMAS]),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(BITS) | st.binary(max_size=4)),
        min_size=1,
        max_size=6,
    ),
)
def test_bytes_in_a_sound_document(path, cuts):
    data = path.read_bytes()
    for place, length, new in cuts:
        start = int(place * len(data))
        data = data[:start] + new + data[start + length :]
    answered(path, data)


TREES = {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (*SPECS, *SCHEMAS)}


def words(node):
    if isinstance(node, dict):
        for key, inner in node.items():
            yield str(key)
            yield from words(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from words(inner)
    else:
        yield node


WORDS = sorted({word for tree in TREES.values() for word in words(tree)}, key=repr)
KEYS = st.sampled_from([word for word in WORDS if isinstance(word, str)]) | st.text(max_size=6)
LEAVES = (
    st.sampled_from(WORDS)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
) | st.text(max_size=12)
ANY_TREE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


def places(node, path=()):
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*path, key)
        yield from places(inner, (*path, key))


def put(node, path, value):
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = put(copy[path[0]], path[1:], value)
    return copy


@MANY
@given(data=st.data())
def test_trees(data):
    path = data.draw(st.sampled_from([*SPECS, *SCHEMAS]))
    tree = TREES[path]
    for share, value in data.draw(st.lists(st.tuples(st.floats(0, 1), ANY_TREE), min_size=1, max_size=5)):
        ways = list(places(tree))
        tree = put(tree, ways[min(int(share * len(ways)), len(ways) - 1)], value) if ways else tree
    answered(path, yaml.safe_dump(tree, sort_keys=False, allow_unicode=True).encode())


ENV = {
    name: Number.of(parse_unit(unit))
    for name, unit in (("p", "mW"), ("t", "degC"), ("g", "dB"), ("x", "dimensionless"))
}
ENV |= {"flag": BOOLEAN, "label": TEXT, "y": PLAIN}
TOKENS = [
    *ENV,
    "pi",
    "1",
    "2.5",
    "1e-3",
    "0",
    "10 dB",
    "3 mm",
    "20 degC",
    "'a'",
    "+",
    "-",
    "*",
    "/",
    "^",
    "(",
    ")",
    ",",
    "<",
]
TOKENS += [
    "<=",
    "==",
    "!=",
    ">",
    ">=",
    "and",
    "or",
    "not",
    "where(",
    "min(",
    "max(",
    "abs(",
    "sqrt(",
    "log10(",
    "exp(",
    "clip(",
]
TOKENS += [
    "len(",
    "isnull(",
    "mean(",
    "best(",
    "quantile(",
    "@",
    "'",
    "é",
    "__import__",
    "1e999",
    "99999999999999999999",
]
ROW = {"p": 1.5, "t": -20.0, "g": 3.0, "x": None, "flag": True, "label": "a", "y": 0.0}


@MANY
@given(st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join) | st.text(max_size=40))
def test_expressions(text):
    parsed = parse(text)
    assert (parsed.value is None) == bool(parsed.diagnostics)
    if parsed.value is None:
        return
    assert parse(to_text(parsed.value)).ok
    typed = infer(parsed.value, ENV)
    if not any(found.is_error for found in typed.diagnostics):
        kernel = compile_kernel(parsed.value, ENV)
        kernel.row(ROW)
        kernel({name: [ROW[name]] * 3 for name in kernel.names})


@pytest.mark.parametrize("path", [*SPECS, *SCHEMAS], ids=lambda path: path.name)
def test_what_is_cut_off_anywhere_is_answered(path):
    data = path.read_bytes()
    for end in range(0, len(data), 97):
        answered(path, data[:end])
