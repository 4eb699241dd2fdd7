"""What a plain (unquoted) scalar means: YAML 1.2 core, minus everything that YAML 1.1 reads differently.

A reader that guesses turns Norway's `no` into false and the tag `010` into 8. Where the two versions of the language, or
two of its libraries, disagree, the writer is asked to say which is meant.
"""

from __future__ import annotations

import re

from synthspec.parse.document import Scalar
from synthspec.parse.refusals import Refusal, abridged

_CORE: dict[str, Scalar] = {"null": None, "true": True, "false": False}
_WORDS = {
    "yes": "true",
    "on": "true",
    "true": "true",
    "no": "false",
    "off": "false",
    "false": "false",
    "null": "null",
    "~": "null",
}
_LONGEST_WORD = max(map(len, _WORDS))
_NUMERIC_START = frozenset("0123456789+-.")

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"([-+]?)0(?=[0-9])0*+([0-9]*+(?:\.[0-9]*+)?(?:[eE][-+]?[0-9]+)?)")
_OTHER_BASE = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)")
_GROUPED = re.compile(r"(?=[^_]*_)[-+]?\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-9]{1,2})+(?:\.[0-9_]*)?")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]*)?)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?"
)
_NON_FINITE = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)
_DIGIT_NOT_ZERO = re.compile(r"[1-9]")

_INT64 = 1 << 63
_INT64_DIGITS = 19


def resolve(text: str) -> Scalar | Refusal:
    """The value of a plain scalar: null, true, false, a finite number, text; or why it may not be written so."""
    if not text:
        return Refusal("syntax.ambiguous-scalar", "a value is missing", 'write null, or "" for an empty text')
    if text[0] in _NUMERIC_START:
        return _number(text)
    if text in _CORE:
        return _CORE[text]
    if len(text) <= _LONGEST_WORD and text.lower() in _WORDS:
        return _ambiguous(text, f"write {_WORDS[text.lower()]}")
    if text in {"=", "<<"}:
        return _ambiguous(text)
    return text


def is_number(text: str) -> bool:
    """Whether `text`, unquoted, would be read as a number."""
    value = resolve(text)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str) -> Scalar | Refusal:
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NON_FINITE.fullmatch(text):
        return Refusal(
            "syntax.ambiguous-scalar",
            f"{text} is not allowed: every number is finite",
            f'write a finite number, or quote it if it is a text: "{text}"',
        )
    return _lookalike(text)


def _lookalike(text: str) -> Scalar | Refusal:
    """What YAML 1.1, or another library, would read as a number or a date; other text as it is."""
    if zero := _LEADING_ZERO.fullmatch(text):
        return _ambiguous(text, f"write {zero[1].removeprefix('+')}{zero[2] or 0}")
    if _OTHER_BASE.fullmatch(text):
        return _ambiguous(text, "write the number in decimal")
    if _GROUPED.fullmatch(text):
        return _ambiguous(text, f"write {text.replace('_', '')}")
    if _SEXAGESIMAL.fullmatch(text):
        return _ambiguous(text)
    if _DATE.fullmatch(text):
        return _ambiguous(text)
    return text


def _ambiguous(text: str, otherwise: str = "") -> Refusal:
    shown = abridged(text)
    remedy = f'quote it: "{shown}"' if shown == text else "quote it if it is a text"
    if otherwise and shown == text:
        remedy += f", or {otherwise}"
    return Refusal("syntax.ambiguous-scalar", f"{shown} is not read the same by every YAML reader", remedy)


def _integer(text: str) -> int | Refusal:
    # The length is looked at first: Python refuses to convert thousands of digits, and slowly so.
    digits = text.lstrip("+-")
    if len(digits) <= _INT64_DIGITS:
        value = int(text)
        if -_INT64 <= value < _INT64:
            return value
    return _out_of_range(text, "an integer fits in 64 bits: -9223372036854775808 to 9223372036854775807")


def _float(text: str) -> float | Refusal:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        return _out_of_range(text, "the largest number is about 1.8e308")
    if value == 0.0 and _DIGIT_NOT_ZERO.search(re.split("[eE]", text)[0]):
        return _out_of_range(text, "it is not 0 but would be read as 0; the smallest number is about 4.9e-324")
    return value


def _out_of_range(text: str, why: str) -> Refusal:
    shown = text if len(text) <= 40 else f"{text[:12]}... ({len(text)} characters)"
    return Refusal(
        "schema.bad-value", f"{shown} is out of range: {why}", "write a number in range, or quote it if it is a text"
    )
