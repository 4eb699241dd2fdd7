"""Which texts may be keys: what looks the same on the screen must be the same key."""

from __future__ import annotations

import unicodedata

from synthspec.parse import refusals
from synthspec.parse.document import MAX_KEY
from synthspec.parse.refusals import Refusal
from synthspec.parse.source import hidden_reason

# Letters of other scripts that are drawn like Latin ones. A word that also has a letter of its own script is left alone:
# it cannot be taken for a Latin one.
_LATIN_TWIN = str.maketrans(
    "аеорсухіјѕԁԛԝһкАВЕКМНОРСТУХІЈЅ" + "οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdqwhkABEKMHOPCTYXIJS" + "oABEZHIKMNOPTYX",
)


def key_refusal(key: str, *, plain: bool) -> Refusal | None:
    """Why `key`, written `plain` or in quotes, may not be one; None when it may."""
    if plain and key == "<<":
        return refusals.MERGE_KEY
    if plain and not key:
        return refusals.EMPTY_KEY
    if len(key) > MAX_KEY:
        return refusals.long_key(len(key))
    fault = _fault(key)
    return Refusal("syntax.encoding", *fault) if fault else None


def _fault(key: str) -> tuple[str, str] | None:
    """What is wrong with the text of a key and what to do, or None: hidden, unnormalised or look-alike characters."""
    if key.isascii() and key.isprintable():
        return None
    if reason := hidden_reason(key):
        return f"in a key, {reason}", "delete it"
    if blank := next((char for char in key if char.isspace() and char != " "), None):
        name = unicodedata.name(blank, "a line break or tab")
        return (
            f"in a key, U+{ord(blank):04X} {name} looks like a space",
            "write a plain space; indent with plain spaces",
        )
    if not unicodedata.is_normalized("NFC", key):
        composed = unicodedata.normalize("NFC", key)
        return f"the key {key!r} is not in Unicode normal form C", f"write it with composed characters: {composed!r}"
    return _twin(key)


def _twin(key: str) -> tuple[str, str] | None:
    latin = unicodedata.normalize("NFKC", key).translate(_LATIN_TWIN)
    changed = [char for char in key if not char.isascii()]
    if not latin.isascii() or not all(_poses_as_latin(char) for char in changed):
        return None
    odd = changed[0]
    name = unicodedata.name(odd, "an unnamed character")
    return f"the key {key!r} holds U+{ord(odd):04X} {name}, which looks like {latin!r}", f"type it again: {latin}"


def _poses_as_latin(char: str) -> bool:
    wide = "\uff01" <= char <= "\uff5e" or "\U0001d400" <= char <= "\U0001d7ff"
    return wide or ord(char) in _LATIN_TWIN
