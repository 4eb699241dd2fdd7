"""What is written reads back to the same value, whatever the strings look like."""

from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.parse import compose
from synthspec.parse.emit import emit
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


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_is_written_reads_back(value: dict[str, object]) -> None:
    read = compose(Source("written", emit(value)))

    assert read.ok, read.diagnostics
    assert same(value, read.value.value)
