"""libyaml's syntax errors in words that say what to do, at the place where something has to be done.

libyaml says where it gave up. That is the right place for a stray character, and the wrong one for a quote or bracket that
was opened far above: those are reported where they begin.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from yaml import MarkedYAMLError

from synthspec.parse.document import MAX_KEY
from synthspec.parse.refusals import EMPTY_KEY, Range, Refusal, abridged, lone_key, long_key, node_property

_Explained = tuple[Refusal, Range]
_WORD = re.compile(r"[^\s,\[\]{}#]*")
_ENTRY = re.compile(r"[ ]*(?:- +)*+(?:[^\s#:\"'\[{][^#:\n]*|\"[^\"\n]*\"|'[^'\n]*'):(?:[ ]|$)")
_CLOSING = {"[": "]", "{": "}"}
_OPENING = {"]": "[", "}": "{"}


def explain(error: MarkedYAMLError, text: str) -> _Explained:
    """The refusal of a scanner or parser error in `text`, and the offsets it points at."""
    problem, context = error.problem or "", error.context or ""
    at = _clamp(error.problem_mark.index if error.problem_mark else 0, text)
    origin = _clamp(error.context_mark.index if error.context_mark else at, text)
    for wording, handler in _HANDLERS:
        if problem.startswith(wording) or context.startswith(wording):
            return handler(text, origin, at)
    return _yaml(f"this is not YAML: {problem}", "see https://yaml.org/spec/1.2.2 for the form"), (at, at + 1)


def _clamp(offset: int, text: str) -> int:
    return max(0, min(offset, len(text)))


def _yaml(message: str, help_: str) -> Refusal:
    return Refusal("syntax.yaml", message, help_)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[_line_start(text, at) : len(text) if end < 0 else end].rstrip("\r")


def _indent(text: str, at: int) -> int:
    line = _line(text, at)
    return len(line) - len(line.lstrip(" "))


def _unexpected_start(text: str, _origin: int, at: int) -> _Explained:
    char = text[at : at + 1]
    if char == "\t":
        return _tab(text, at, at)
    found = _WORD.match(text, at)
    word = found.group() if found else char
    return _yaml(f"a plain text cannot begin with {char}", f'quote it: "{abridged(word)}"'), (
        at,
        at + max(len(word), 1),
    )


def _tab(text: str, _origin: int, at: int) -> _Explained:
    if text[at : at + 1] != "\t":
        at = text.find("\t", _line_start(text, at))
    return _yaml("a tab cannot indent", "indent with spaces"), (max(at, 0), max(at, 0) + 1)


def _unclosed_quote(text: str, origin: int, _at: int) -> _Explained:
    quote = text[origin : origin + 1]
    help_ = f"close it with {quote}"
    if quote == "'":
        help_ += "; inside, an apostrophe is written ''"
    return _yaml(f"the quote {quote} is not closed", help_), (origin, origin + 1)


def _in_flow(text: str, origin: int, at: int) -> _Explained:
    """Inside brackets something else than a comma or the closing bracket came: which of the two is missing?"""
    opening = text[origin : origin + 1]
    closing = _CLOSING.get(opening, "]")
    line = _line_start(text, at)
    here = text[line : line + 200]
    ended = not text[at:].strip()
    outside = line > origin and _indent(text, at) <= _indent(text, origin) and bool(_ENTRY.match(here))
    if ended or outside:
        return _yaml(f"the bracket {opening} is not closed", f"close it with {closing}"), (origin, origin + 1)
    char = text[at : at + 1]
    if char in _OPENING:
        return _yaml(f"{char} closes a bracket {opening}", f"write {closing} here"), (at, at + 1)
    return _yaml(f"a ',' or {closing} is missing before this", "separate the items with commas"), (at, at + 1)


def _no_content(text: str, _origin: int, at: int) -> _Explained:
    char = text[at : at + 1]
    if char in _OPENING:
        return _stray_bracket(char, at)
    if char == ",":
        return _yaml("a value is missing before the ','", "write the value, or delete the comma"), (at, at + 1)
    if char == ":":
        return _keyless(at)
    if not char:
        return _yaml("the file ends where a value is expected", "close what is open, or write the value"), (at, at)
    return _yaml(f"a value is expected here, not {char!r}", "quote it if it is a text"), (at, at + 1)


def _stray_bracket(char: str, at: int) -> _Explained:
    return _yaml(f"{char} closes nothing", f"delete it, or open with {_OPENING[char]}"), (at, at + 1)


def _keyless(at: int) -> _Explained:
    return EMPTY_KEY, (at, at + 1)


def _stray_colon(text: str, _origin: int, at: int) -> _Explained:
    """A second `key:` in a line, or one that continues the text of the line above."""
    start = _line_start(text, at)
    before = text[start:at]
    key, colon, value = before.partition(": ")
    if not colon:
        first = start + len(before) - len(before.lstrip())
        if before.startswith("---"):
            return _yaml("a mapping cannot begin on the line of ---", "begin it on the next line"), (start, start + 3)
        if at - first > MAX_KEY:
            return long_key(at - first), (first, at)
        message = f"{abridged(before.strip())}: does not line up with the keys around it"
        return _yaml(message, "give it the same indentation as the keys beside it"), (first, max(at, first + 1))
    rest = abridged(value.strip() + _line(text, at)[at - start :])
    message = "a second ':' followed by a space in one value"
    return _yaml(message, f'quote the value, {abridged(key.strip())}: "{rest}", or begin a new line'), (at, at + 1)


def _no_key(text: str, origin: int, at: int) -> _Explained:
    """In a block of keys, something that is none."""
    char = text[at : at + 1]
    before = text[_line_start(text, at) : at]
    if char in _OPENING:
        return _stray_bracket(char, at)
    if char == ":" and not before.strip():
        return _keyless(at)
    if before.strip():
        message = "there is more text after the end of the value"
        return _yaml(message, "put quotes around the whole value; inside '...' an apostrophe is written ''"), (
            at,
            at + 1,
        )
    if text.startswith(("- ", "-\n"), at):
        return _yaml("a list item stands among keys", "indent it under its key, or give it a key"), (at, at + 1)
    column = origin - _line_start(text, origin) + 1
    return _yaml(
        "this line does not line up with the keys around it",
        f"begin it in column {column}, or line it up with the line above it",
    ), (at, at + 1)


def _no_dash(text: str, origin: int, at: int) -> _Explained:
    column = origin - _line_start(text, origin) + 1
    message = "this line stands in a list but is no item of it"
    return _yaml(message, f"begin it with '- ' in column {column}, or mend its indentation"), (at, at + 1)


def _no_colon(text: str, origin: int, _at: int) -> _Explained:
    word = _line(text, origin)[origin - _line_start(text, origin) :].strip()
    return lone_key(word), (origin, origin + max(len(word), 1))


def _dash_beside_key(_text: str, _origin: int, at: int) -> _Explained:
    return _yaml("a list cannot begin on the line of its key", "begin '- ' on the next line, or write [ ]"), (
        at,
        at + 1,
    )


def _escape(text: str, _origin: int, at: int) -> _Explained:
    start = text.rfind("\\", 0, at + 1)
    start = start if start >= 0 else at
    message = f"{text[start : start + 2]} is no escape that YAML knows, or its code is no character"
    return _yaml(message, r"write a backslash as \\, or put the text into '...'"), (start, start + 2)


def _block_header(text: str, origin: int, _at: int) -> _Explained:
    sign = text[origin : origin + 1]
    message = f"after {sign} only a line break may stand"
    return _yaml(message, f"begin the text on the next line, or quote it if it begins with {sign}"), (
        origin,
        origin + 1,
    )


def _after_end(text: str, _origin: int, at: int) -> _Explained:
    at += len(text[at:]) - len(text[at:].lstrip())
    at = min(at, max(len(text) - 1, 0))
    return _yaml("there is text after the end of the document", "mend its indentation, or delete it"), (at, at + 1)


def _reference(text: str, origin: int, _at: int) -> _Explained:
    found = re.compile(r"\S*").match(text, origin)
    word = abridged(found.group() if found else "")
    message = "a plain text cannot begin with " + text[origin : origin + 1]
    return Refusal("syntax.alias", message, f'quote it: "{abridged(word)}"'), (origin, origin + max(len(word), 1))


def _tag(text: str, origin: int, _at: int) -> _Explained:
    word = _line(text, origin)[origin - _line_start(text, origin) :].split(" ")[0]
    return node_property(word), (origin, origin + max(len(word), 1))


def _directive(_text: str, origin: int, _at: int) -> _Explained:
    return _yaml("a line cannot begin with %", "quote the text, or delete the line"), (origin, origin + 1)


_HANDLERS: tuple[tuple[str, Callable[[str, int, int], _Explained]], ...] = (
    ("found character that cannot start any token", _unexpected_start),
    ("found a tab character", _tab),
    ("while scanning a quoted scalar", _unclosed_quote),
    ("while parsing a quoted scalar", _escape),
    ("while scanning an alias", _reference),
    ("while scanning an anchor", _reference),
    ("while scanning a tag", _tag),
    ("while parsing a tag", _tag),
    ("found undefined tag handle", _tag),
    ("while scanning a directive", _directive),
    ("while scanning a %", _directive),
    ("while scanning a block scalar", _block_header),
    ("mapping values are not allowed", _stray_colon),
    ("mapping keys are not allowed", _no_content),
    ("block sequence entries are not allowed", _dash_beside_key),
    ("did not find expected ',' or", _in_flow),
    ("did not find expected key", _no_key),
    ("did not find expected '-' indicator", _no_dash),
    ("could not find expected ':'", _no_colon),
    ("did not find expected node content", _no_content),
    ("did not find expected <document start>", _after_end),
)
