"""The front door for JSON from outside: bounded before it is parsed, and with exactly one meaning after."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from synthspec.ir.canonical import Json, canonical_bytes
from synthspec.sign.refusal import refuse

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 64
MAX_ITEMS = 500_000
_EXACT = 2**53

# Strings whole (possessive, and to the end where unterminated, so that scanning stays linear), else a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def load(data: bytes, what: str) -> Json:
    """Parse `data`, called `what` in messages.

    Raises:
        Refused: too large or deep, not UTF-8 (or with a byte-order mark), not JSON, a key twice, NaN or an infinity,
            an integer that a double cannot hold, a lone surrogate.

    """
    text = _decode(data, what)
    _bound(text, what)
    try:
        value: Json = json.loads(
            text, object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except json.JSONDecodeError as error:
        wrong = error.msg.removesuffix(" at").removesuffix(" starting")
        raise refuse("BAD_JSON", f"{what} is not JSON: {wrong} at character {error.pos}") from None
    if "\\" in text:
        _no_surrogates(value, what)
    return value


def load_canonical(data: bytes, what: str) -> Json:
    """As `load`, for bytes that were signed: they must be their own RFC 8785 form.

    Raises:
        Refused: as `load`, and for any other spelling of the same value.

    """
    value = load(data, what)
    if canonical_bytes(value) != data:
        raise refuse("NOT_CANONICAL", f"{what} is not in the canonical form of RFC 8785")
    return value


def decode_base64(text: Json, what: str) -> bytes:
    """The bytes of standard, padded base64 in its one canonical spelling.

    Raises:
        Refused: anything else, including the url-safe alphabet and non-zero trailing bits.

    """
    if not isinstance(text, str):
        raise refuse("SCHEMA", f"{what} is not a string")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise refuse("BASE64", f"{what} is not canonical base64")
    return data


def _decode(data: bytes, what: str) -> str:
    if len(data) > MAX_BYTES:
        raise refuse("TOO_LARGE", f"{what} has {len(data)} bytes; the limit is {MAX_BYTES}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse("NOT_UTF8", f"{what} is not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff") or "\0" in text:
        raise refuse("NOT_UTF8", f"{what} has a byte-order mark or is UTF-16 or UTF-32")
    return text


def _bound(text: str, what: str) -> None:
    """Refuse depth and bulk before the parser builds anything."""
    if sum(text.count(char) for char in ",[{") > MAX_ITEMS:
        raise refuse("TOO_LARGE", f"{what} has more than {MAX_ITEMS} items")
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise refuse("TOO_DEEP", f"{what} is nested deeper than {MAX_DEPTH}")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise refuse("DUPLICATE_KEY", f"the key {twice!r} is written twice")
    return found


def _constant(text: str) -> NoReturn:
    raise refuse("NON_FINITE", f"{text} is not a JSON number")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise refuse("NON_FINITE", f"{text} is beyond what a double can hold")
    return number


def _int(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= _EXACT:
        raise refuse("INT_RANGE", f"the integer {text} is beyond 2^53 - 1; it travels as a decimal string")
    return int(text)


def _no_surrogates(value: Json, what: str) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise refuse("BAD_JSON", f"{what} holds half of a surrogate pair")
    elif isinstance(value, list):
        for item in value:
            _no_surrogates(item, what)
    elif isinstance(value, dict):
        for key, item in value.items():
            _no_surrogates(key, what)
            _no_surrogates(item, what)
