"""Laws of the reader: data come back as they were written, each with the place it stands at, and nothing raises."""

from __future__ import annotations

import json
import math
import unicodedata
from pathlib import Path as File

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from synthspec.diag import Outcome
from synthspec.parse import Composed, Value, compose, read_source
from synthspec.parse.keys import key_refusal
from synthspec.parse.source import hidden_reason
from synthspec.text import Path, Source

# Without a deadline: other work on the machine is no fault of the reader.
law = settings(max_examples=60, deadline=None)
EXAMPLES = File(__file__).parents[3] / "examples"

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12).filter(lambda text: hidden_reason(text) is None)
keys = (
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda key: key_refusal(key, plain=False) is None)
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
documents = st.dictionaries(
    keys,
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
    ),
    max_size=4,
)


class QuotingDumper(yaml.SafeDumper):
    """Writes every text in quotes; PyYAML would leave out those that only YAML 1.2 needs."""

    quote = "'"

    def ignore_aliases(self, data: object) -> bool:
        return True


class DoubleQuotingDumper(QuotingDumper):
    quote = '"'


def _quoted(dumper: QuotingDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=dumper.quote)


QuotingDumper.add_representer(str, _quoted)
DoubleQuotingDumper.add_representer(str, _quoted)


def as_json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


def as_block(data: object) -> str:
    return yaml.dump(data, Dumper=QuotingDumper, allow_unicode=True, sort_keys=False, width=math.inf)


def as_flow(data: object) -> str:
    return yaml.dump(data, Dumper=DoubleQuotingDumper, default_flow_style=True, sort_keys=False, width=math.inf)


def frozen(data: object) -> object:
    """`data` as the reader gives it: tuples for lists."""
    if isinstance(data, dict):
        return {key: frozen(value) for key, value in data.items()}
    return tuple(map(frozen, data)) if isinstance(data, list) else data


def read(text: str) -> Outcome[Composed]:
    return read_source(text.encode(), "s").then(compose)


def composed(text: str) -> Composed:
    outcome = read(text)
    assert outcome.value is not None, outcome.diagnostics
    assert outcome.diagnostics == ()
    return outcome.value


def nodes(value: Value, path: Path = ()) -> dict[Path, Value]:
    found = {path: value}
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    for part, child in children:
        found |= nodes(child, (*path, part))
    return found


@pytest.mark.parametrize("dump", [as_json, as_block, as_flow])
@law
@given(data=documents)
def test_data_come_back(dump: object, data: dict[str, object]) -> None:
    assert callable(dump)
    value = composed(dump(data)).value
    assert value == frozen(data)
    assert repr(value) == repr(frozen(data))  # 1 is no 1.0, and no True


@pytest.mark.parametrize("dump", [as_json, as_block])
@law
@given(data=documents)
def test_every_node_has_its_place(dump: object, data: dict[str, object]) -> None:
    assert callable(dump)
    document = composed(dump(data))
    found = nodes(document.value)
    assert set(document.places) == set(found)
    for path, value in found.items():
        place = document.places[path]
        assert (place.key is None) == (not path or isinstance(path[-1], int))
        if place.key is not None:
            assert list(composed(f"{place.key.text}: 1").value) == [path[-1]]
        if not isinstance(value, tuple | dict) or dump is as_json:
            assert repr(composed(f"k: {place.value.text}").value) == repr({"k": value})


def test_places_of_a_block() -> None:
    text = "a: 1  # c\nb😀:\n  - 'x'\n  -  y z \n\n# c\nd: |\n  one\n  two\ne: {f: [g, h ] }\n"
    places = composed("\ufeff" + text).places
    spans = {path: (place.value.begin, place.value.text) for path, place in places.items()}
    assert spans[("a",)] == ((1, 4), "1")
    assert spans[("b😀",)] == ((3, 3), "- 'x'\n  -  y z")
    assert spans[("b😀", 0)] == ((3, 5), "'x'")
    assert spans[("b😀", 1)] == ((4, 6), "y z")
    assert spans[("d",)] == ((7, 4), "|\n  one\n  two\n")
    assert spans[("e",)] == ((10, 4), "{f: [g, h ] }")
    assert spans[("e", "f", 1)] == ((10, 12), "h")
    assert spans[()][0] == (1, 1)
    assert places[("b😀",)].name.text == "b😀"


def test_columns_after_characters_beyond_the_first_plane_and_crlf() -> None:
    outcome = read("a: '😀😀'\r\n# 😀\r\n'😀': no\r\nz: [😀, off]\r\n")
    assert [d.span.begin for d in outcome.diagnostics if d.span] == [(3, 6), (4, 8)]


@law
@given(
    st.lists(st.sampled_from(["[{}]", "[1, {}]", '{{"a": {}}}', '{{"b": [2], "c": {}}}']), max_size=8),
    keys.map(lambda key: json.dumps(key, ensure_ascii=False)),
)
def test_duplicates_are_found_at_any_depth(wrappers: list[str], key: str) -> None:
    text = f'{{{key}: {{"in": 1}}, {key}: {{"in": 2}}}}'
    for wrapper in wrappers:
        text = wrapper.format(text)
    text = f'"root": {text}\n'
    outcome = read(text)
    (finding,) = outcome.diagnostics
    second = text.index(key + ":", text.index(key + ": {") + 1) if not wrappers else text.rindex(f"{key}: ")
    assert finding.code == "syntax.duplicate-key"
    assert finding.span is not None
    assert (finding.span.start, finding.span.text) == (second, key)
    assert finding.path[-1] == json.loads(key)
    assert [(related.span.text, related.span.start < second) for related in finding.related] == [(key, True)]
    assert outcome.value is not None
    assert outcome.value.places[(*finding.path, "in")].value.text == "1"  # the first one counts


SIGNS = "abn01:-,[]{}&*!|>%@`'\"#?~ \t\n\r.=\\\u00a0é😀\u0301\u200b\u2028\ud800"
WORDS = (
    ": ",
    "- ",
    "? ",
    "\n  ",
    "\n    ",
    "---\n",
    "...\n",
    "<<: ",
    "&a ",
    "*a",
    "!!str ",
    "no",
    "010",
    "1e400",
    "\\x",
    "%TAG ! x\n",
)
pieces = st.sampled_from([*SIGNS, *WORDS])


def reads_or_says_why(outcome: Outcome[Composed]) -> None:
    assert outcome.ok or any(d.is_error for d in outcome.diagnostics)
    for finding in outcome.diagnostics:
        assert finding.message
        assert finding.help
        assert finding.span is not None
        assert 0 <= finding.span.start <= len(finding.span.source.text)
        assert finding.span.end >= finding.span.start


@law
@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf")
@example(b"a: \xff")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reads_or_says_why(read_source(data, "s").then(compose))


@law
@given(st.lists(pieces, max_size=40).map("".join))
@example("&a *a")
@example("? *a : 1")
@example("- &a : *a")
@example("{? [x] : {<<: *b}, }")
def test_any_text_is_read_or_refused(text: str) -> None:
    reads_or_says_why(compose(Source("s", text)))


@law
@given(st.lists(pieces, max_size=30).map("".join))
def test_what_is_read_agrees_with_libyaml(text: str) -> None:
    """Where we read a document at all, its shape and its texts are those that libyaml's own composer finds."""
    assume("\ud800" not in text)
    outcome = read(text)
    if not outcome.ok or outcome.value is None:
        return
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    assert _shape(node) == _texts(outcome.value.value, outcome.value, ())


def _shape(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _shape(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return tuple(map(_shape, node.value))
    return node.value if node.style in {"'", '"', "|", ">"} else "plain"


def _texts(value: Value, document: Composed, path: Path) -> object:
    if isinstance(value, dict):
        return {key: _texts(child, document, (*path, key)) for key, child in value.items()}
    if isinstance(value, tuple):
        return tuple(_texts(child, document, (*path, index)) for index, child in enumerate(value))
    return value if document.places[path].value.text[:1] in {"'", '"', "|", ">"} else "plain"


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda file: file.name)
def test_examples_are_read_without_a_finding(file: File) -> None:
    outcome = read_source(file.read_bytes(), file.name).then(compose)
    assert outcome.ok
    assert outcome.diagnostics == ()


def test_what_was_refused_is_marked_for_the_next_stage() -> None:
    outcome = read("a: no\nb: {c: [1, ~], <<: {}}\nd: {e: 1, e\u0301: 2}\n")
    assert outcome.value is not None
    assert outcome.value.doubtful == {("a",), ("b", "c", 1)}
    assert outcome.value.incomplete == {("b",), ("d",)}
    assert outcome.value.value["d"] == {"e": 1}
