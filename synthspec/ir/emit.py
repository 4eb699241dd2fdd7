"""Writing a document as YAML, without a library: what `synthspec.parse` reads back to the same value.

Block style, one line a scalar, no aliases, and quotes around every text that could be read as something else. Verification
writes the resolved spec again to see that it is the one of the plan, and starts sooner without a reader of YAML.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*( [A-Za-z0-9_./^*+-]+)*")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_SHORT = {
    '"': '\\"', "\\": "\\\\", "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f",
    "\r": "\\r", "\x1b": "\\e", "\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip


def emit(value: object) -> str:
    """A tree of mappings, sequences and scalars as YAML, keys in the order given.

    Raises ValueError for a number that is not finite and for half a surrogate pair, TypeError for anything else.
    """
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: object) -> Iterator[str]:
    """The lines of `value`, seen from its own column; there is at least one."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{_scalar(key)}:", item)
    elif isinstance(value, (list, tuple)) and value:
        for item in value:
            lines = _lines(item)
            yield f"- {next(lines)}"
            yield from (f"  {line}" for line in lines)
    else:
        yield _scalar(value)


def _entry(key: str, item: object) -> Iterator[str]:
    if not (isinstance(item, (dict, list, tuple)) and item):
        yield f"{key} {_scalar(item)}"
        return
    yield key
    # A sequence stands in the column of its key: its dashes set it apart.
    indent = "  " if isinstance(item, dict) else ""
    yield from (f"{indent}{line}" for line in _lines(item))


def _scalar(value: object) -> str:
    if isinstance(value, str):
        plain = _WORD.fullmatch(value) is not None and value.casefold() not in _RESERVED
        return value if plain else f'"{_escaped(value)}"'
    if isinstance(value, float):
        # YAML 1.1, which PyYAML speaks, takes 1e-05 for text: it needs the point.
        digits, exponent, power = json.dumps(value, allow_nan=False).partition("e")
        return f"{digits}{'' if '.' in digits else '.0'}{exponent}{power}"
    return json.dumps(value)


def _escaped(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return _beyond().sub(_escape, text)


@functools.cache  # to compile it takes longer than to write most documents, which need none of it
def _beyond() -> re.Pattern[str]:
    """What stands escaped between quotes: quotes, backslashes, breaks of lines, and what cannot be seen."""
    return re.compile("[^ !#-\\[\\]-~\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd]")


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("half of a surrogate pair is no text")
    if char in _SHORT:
        return _SHORT[char]
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
