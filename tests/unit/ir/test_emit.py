"""What is written reads back to the same value, whatever the strings look like."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.ir.emit import emit
from synthspec.parse import compose
from synthspec.parse.source import hidden_reason
from synthspec.text import Source

KEYS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,10}[A-Za-z0-9_]", fullmatch=True)
TRICKY = st.sampled_from(
    ["no", "1e-4", "010", "1:30", "2026-01-01", "50 ms", "~", "null", "a: b", "# x", "- a", "0x1f", "="]
)


def may_be_written(text: str) -> bool:
    """Whether a document may hold `text`: some letters, such as the Hangul fillers, cannot be seen."""
    return hidden_reason(text) is None


LEAF = st.one_of(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20).filter(may_be_written),
    TRICKY,
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=4).map(tuple), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def same(a: object, b: object) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, tuple) else a == b


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_is_written_reads_back(value: dict[str, object]) -> None:
    read = compose(Source("written", emit(value)))

    assert read.ok, read.diagnostics
    assert same(value, read.value.value)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
ANYTHING = st.recursive(
    st.one_of(LEAF, TEXTS, st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=12,
)


def listed(value: object) -> object:
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    return [listed(item) for item in value] if isinstance(value, (list, tuple)) else value


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXTS, ANYTHING, min_size=1, max_size=4))
def test_another_reader_of_yaml_understands_the_same(value: dict[str, object]) -> None:
    assert yaml.load(emit(value), yaml.CSafeLoader) == listed(value)


class Dumper(yaml.CSafeDumper):
    """The library's writer, told which texts stand without quotes."""

    def ignore_aliases(self, data: object) -> bool:
        return True


Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if emit({"x": text}) == f"x: {text}\n" else '"'
    ),
)
ONE_LINE = TEXTS.filter(lambda text: not set(text) & set("\n\r\x85\u2028\u2029"))


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.one_of(ONE_LINE, TRICKY, st.integers(), st.booleans(), st.none()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ONE_LINE, inner, max_size=3)),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, (dict, list)))
)
def test_it_looks_as_the_library_writes_it_without_folding_lines(value: object) -> None:
    assert emit(value) == yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10**6)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", ["a", "\udfff"]])
def test_what_no_reader_takes_is_not_written(value: object) -> None:
    with pytest.raises(ValueError, match=r"surrogate|not JSON compliant"):
        emit({"x": value})
