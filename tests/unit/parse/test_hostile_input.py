"""The S rows of the attack table, each with its code and the place it is reported at."""

from __future__ import annotations

import time

import pytest

from synthspec.diag import Outcome
from synthspec.parse import Composed, compose, read_source
from synthspec.text import Source

Finding = tuple[str, int, int]

AMBIGUOUS, ALIAS, TAG, YAML = "syntax.ambiguous-scalar", "syntax.alias", "syntax.tag", "syntax.yaml"
ENCODING, LARGE, DEEP, RANGE = "syntax.encoding", "syntax.too-large", "syntax.too-deep", "schema.bad-value"
DUPLICATE, DOCUMENTS, SHAPE = "syntax.duplicate-key", "syntax.multi-document", "schema.wrong-type"

LAUGHS = "a: &a [x]\n" + "".join(f"{b}: &{b} [*{a}]\n" for a, b in zip("abc", "bcd", strict=True))
BOMB = "a: &a {k: 1}\nb: {<<: [*a, *a]}\n"

ROWS: list[tuple[str, str | bytes, list[Finding]]] = [
    ("S01 billion laughs", LAUGHS, [(ALIAS, 1, 4)] + [(ALIAS, n, c) for n in (2, 3, 4) for c in (4, 8)]),
    ("S02 alias cycle", "a: &a [*a]\n", [(ALIAS, 1, 4), (ALIAS, 1, 8)]),
    ("S03 merge bomb", BOMB, [(ALIAS, 1, 4), (ALIAS, 2, 5)]),
    ("S04 duplicate key", "a: 1\nb: 2\na: 3\n", [(DUPLICATE, 3, 1)]),
    ("S05 duplicate by merge", "b: {<<: {a: 1}, a: 2}\n", [(ALIAS, 1, 5)]),
    ("S07 flow depth 1000", "a: " + "[" * 1000 + "]" * 1000, [(DEEP, 1, 67)]),
    ("S08 flow depth 20000", "a: " + "[" * 20_000 + "]" * 20_000, [(DEEP, 1, 67)]),
    ("S09 flow depth 400000, unclosed", "[" * 400_000, [(DEEP, 1, 65)]),
    ("S10 python object", "a: !!python/object/apply:os.system [ls]\n", [(TAG, 1, 4)]),
    ("S11 python name", "a: !!python/name:os.system x\nb: !!python/tuple [1]\n", [(TAG, 1, 4), (TAG, 2, 4)]),
    ("S12 local tag", "a: !foo 1\n", [(TAG, 1, 4)]),
    ("S12 tag handle", "%TAG !e! tag:e.org:\n---\na: 1\n", [(YAML, 1, 1)]),
    ("S12 undeclared handle", "a: !e!foo 1\n", [(TAG, 1, 4)]),
    ("S13 standard tags", "a: !!binary aGk=\nb: !!set {}\n", [(TAG, 1, 4), (TAG, 2, 4)]),
    ("S13 more of them", "a: !!omap []\nb: !!timestamp x\n", [(TAG, 1, 4), (TAG, 2, 4)]),
    ("S14 disguised numbers", "a: !!float 'nan'\nb: !!int '0x1F'\n", [(TAG, 1, 4), (TAG, 2, 4)]),
    ("S15 Norway", "a: [no, off, yes, on, NO]\n", [(AMBIGUOUS, 1, c) for c in (5, 9, 14, 19, 23)]),
    ("S16 sexagesimal", "a: 1:30\nb: 190:20:30\n", [(AMBIGUOUS, 1, 4), (AMBIGUOUS, 2, 4)]),
    ("S17 octal", "a: 010\nb: 0o10\nc: 0b11\n", [(AMBIGUOUS, n, 4) for n in (1, 2, 3)]),
    ("S18 underscore", "a: 1_000\n", [(AMBIGUOUS, 1, 4)]),
    ("S19 overflow", "a: 1E400\n", [(RANGE, 1, 4)]),
    ("S20 infinities", "a: .inf\nb: -.INF\nc: .nan\n", [(AMBIGUOUS, n, 4) for n in (1, 2, 3)]),
    ("S21 underflow", "a: 1e-400\n", [(RANGE, 1, 4)]),
    ("S22 dates", "a: 2026-01-02\nb: 2026-13-45\n", [(AMBIGUOUS, 1, 4), (AMBIGUOUS, 2, 4)]),
    ("S23 nulls", "a: ~\nb:\nc: Null\n", [(AMBIGUOUS, 1, 4), (AMBIGUOUS, 2, 1), (AMBIGUOUS, 3, 4)]),
    ("S25 5000 digits", "a: " + "9" * 5000 + "\n", [(RANGE, 1, 4)]),
    ("S26 long hexadecimal", "a: 0x" + "f" * 100_000 + "\n", [(LARGE, 1, 4)]),
    ("S26 long with underscores", "a: " + "9_" * 1000 + "9\n", [(AMBIGUOUS, 1, 4)]),
    ("S27 2^64", "a: 18446744073709551616\n", [(RANGE, 1, 4)]),
    ("S28 list key", "? [a]\n: 1\n", [(YAML, 1, 3)]),
    ("S28 mapping key", "{a: 1}: 2\n", [(YAML, 1, 1)]),
    ("S29 two documents", "a: 1\n---\nb: 2\n", [(DOCUMENTS, 2, 1)]),
    ("S30 empty", "", [(SHAPE, 1, 1)]),
    ("S30 only a comment", "# nothing\n", [(SHAPE, 1, 1)]),
    ("S30 scalar", "hello\n", [(SHAPE, 1, 1)]),
    ("S30 list", "\n- 1\n", [(SHAPE, 2, 1)]),
    ("S31 %YAML", "# c\n%YAML 1.1\n---\na: 1\n", [(YAML, 2, 1)]),
    ("S31 %YAML of a second document", "a: 1\n...\n%YAML 1.1\n---\nb: 1\n", [(DOCUMENTS, 3, 1)]),
    ("S32 anchor redefined", "a: &x 1\nb: &x 2\n", [(ALIAS, 1, 4), (ALIAS, 2, 4)]),
    ("S33 NUL", "a: some text\0\n", [(ENCODING, 1, 13)]),
    ("S33 NUL escaped", 'a: "x\\0"\n', [(ENCODING, 1, 4)]),
    ("S34 bidi override", "a: x\u202ey\n", [(ENCODING, 1, 5)]),
    ("S34 zero width", "a: 1\nb: x\u200by\n", [(ENCODING, 2, 5)]),
    ("S34 soft hyphen", "a\u00ad: 1\n", [(ENCODING, 1, 2)]),
    ("S34 tag characters", "a: x\U000e0041\U000e0042y\n", [(ENCODING, 1, 5)]),
    ("S34 escaped", 'a: "\\u202e"\n"\\u200b": 1\n', [(ENCODING, 1, 4), (ENCODING, 2, 1)]),
    ("S35 homoglyph", "a: 1\n\u0430: 2\n", [(ENCODING, 2, 1)]),
    ("S36 NFC and NFD", "\u00e9: 1\ne\u0301: 2\n", [(ENCODING, 2, 1)]),
    ("S37 surrogate", 'a: "\\uD800"\n', [(YAML, 1, 5)]),
    ("S37 surrogate in the bytes", b"a: \xed\xa0\x80\n", [(ENCODING, 1, 4)]),
    ("S38 UTF-16", "a: 1\n".encode("utf-16"), [(ENCODING, 1, 1)]),
    ("S38 UTF-16 without mark", "a: 1\n".encode("utf-16-le"), [(ENCODING, 1, 2)]),
    ("S38 Latin-1", "a: 1\nb: é\n".encode("latin-1"), [(ENCODING, 2, 4)]),
    ("S38 truncated", "a: é".encode()[:-1], [(ENCODING, 1, 4)]),
    ("S39 no-break indent", "a:\n\u00a0\u00a0b: 1\n", [(AMBIGUOUS, 1, 1), (ENCODING, 2, 1)]),
    ("S40 U+0085", "a: 1\u0085b: 2\n", [(ENCODING, 1, 5)]),
    ("S40 U+2028 in quotes", "a: 'x\u2028y'\n", [(ENCODING, 1, 6)]),
    ("S41 tab indent", "a:\n\tb: 1\n", [(YAML, 2, 1)]),
    ("S41 a: b: c", "a: b: c\n", [(YAML, 1, 5)]),
    ("S41 @x", "a: @x\n", [(YAML, 1, 4)]),
    ("S41 unclosed bracket", "x: 1\na: [1, 2\nb: 3\n", [(YAML, 2, 4)]),
    ("S41 unclosed quote", "x: 1\na: 'b\nc: 3\n", [(YAML, 2, 4)]),
    ("S42 12 MB", b"a: " + b"x" * 12_000_000, [(LARGE, 1, 1)]),
    ("S42 long scalar", "a: " + "x" * 70_000, [(LARGE, 1, 4)]),
    ("S43 300000 items", "a: [" + "1," * 300_000 + "]", [(LARGE, 1, 99_999)]),
    ("a mark in the middle", "a: 1\n\ufeffb: 2\n", [(ENCODING, 2, 1)]),
    ("lone carriage return", "a: 1\rb: 2\n", [(ENCODING, 1, 5)]),
    ("lone carriage return beside other scripts", "é: 1\rb: 2\n", [(ENCODING, 1, 5)]),
    ("%TAG flood", "%TAG !a! x\n" * 90_000, [(YAML, 1, 1)]),
    ("%TAG flood behind a document", "a: 1\n...\n" + "%TAG !a! x\n" * 90_000, [(DOCUMENTS, 3, 1)]),
    ("nested dashes", "a:\n " + "- " * 400_000, [(DEEP, 2, 128)]),
    ("zeros, then a letter", "a: 1\nb: " + "0" * 65_000 + "x", []),
    ("a million blank lines", "\n" * 1_000_000 + "a: 1", []),
    ("a list of dashes in brackets", "a: [x\n" + "- " * 400_000, [(LARGE, 1, 5), (YAML, 1, 4)]),
    ("a megabyte of one key", "? " + "x" * 900_000 + "\n: 1", [(LARGE, 1, 3)]),
    ("marks on marks", "a" + "\u0323\u0301" * 500 + ": 1", [(LARGE, 1, 1)]),
]


def read(data: str | bytes) -> Outcome[Composed]:
    return read_source(data.encode() if isinstance(data, str) else data, "spec.yaml").then(compose)


@pytest.mark.parametrize(("data", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_row(data: str | bytes, expected: list[Finding]) -> None:
    begin = time.process_time()
    outcome = read(data)
    took = time.process_time() - begin
    places = [(d.code, *d.span.begin) for d in outcome.diagnostics if d.span]
    assert places == expected
    assert outcome.ok == (not expected)
    assert all(d.message and d.help and d.file == "spec.yaml" for d in outcome.diagnostics)
    assert took < 1.0


def test_what_looks_hostile_and_is_not() -> None:
    text = "1: x\n1.0: y\nlr: 1e-4\nk: 1e3\nhome: ${HOME}\ncmd: $(rm -rf)\njinja: '{{ env.X }}'\nno: true\n"
    outcome = read(text)
    assert outcome.ok
    assert outcome.value is not None
    assert outcome.value.value == {
        "1": "x",
        "1.0": "y",  # S06: equal in Python, two keys here
        "lr": 1e-4,
        "k": 1000.0,
        "home": "${HOME}",  # S44: no expansion anywhere
        "cmd": "$(rm -rf)",
        "jinja": "{{ env.X }}",
        "no": True,
    }


@pytest.mark.parametrize(("depth", "fine"), [(64, True), (65, False)])
def test_depth_limit(depth: int, *, fine: bool) -> None:
    text = "a: " + "[" * (depth - 1) + "]" * (depth - 1)  # the root mapping is the first level
    assert read(text).ok == fine


@pytest.mark.parametrize(("nodes", "fine"), [(50_000, True), (50_001, False)])
def test_node_limit(nodes: int, *, fine: bool) -> None:
    text = "a: [" + "1," * (nodes - 3) + "]"  # beside the items: the root, the key, the list
    assert read(text).ok == fine


@pytest.mark.parametrize(("length", "fine"), [(65_536, True), (65_537, False)])
def test_scalar_limit(length: int, *, fine: bool) -> None:
    assert read("a: " + "x" * length).ok == fine


@pytest.mark.parametrize(("size", "fine"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_size_limit(size: int, *, fine: bool) -> None:
    assert read("a: 1\n#" + "x" * (size - 6)).ok == fine


def test_a_source_made_by_hand_meets_the_same_limits() -> None:
    for text, code in [("a: 1\n#" + "x" * (1 << 20), LARGE), ("a: \x07", ENCODING), ("a: \ud800", ENCODING)]:
        assert [d.code for d in compose(Source("s", text)).diagnostics] == [code]


def test_findings_end_somewhere() -> None:
    found = read("a: [" + "no," * 40_000 + "]").diagnostics
    assert len(found) == 101
    assert found[-1].code == LARGE
