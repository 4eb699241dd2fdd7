"""Tokens of the expression language.

A number followed by a name is a quantity. Its unit goes on over `*` and `/` only where they are written without spaces:
``5 m/s`` is a speed, ``5 m / s`` divides five metres by the field `s`. So the reading never depends on what is a unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthspec.expr.tree import KEYWORDS, At
from synthspec.units.grammar import NAME as UNIT_NAME


class Fault(Exception):  # noqa: N818  (it never leaves the package: the parser turns it into a diagnostic)
    """What is wrong with an expression, and where."""

    def __init__(self, code: str, message: str, help: str, at: At) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.at = at


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, string, name, end, or the operator itself; `unit` is the range of a number's unit."""

    kind: str
    text: str
    at: At
    unit: At | None = None


_POWER = r"(?:\^[+-]?\d+|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
_FACTOR = rf"(?>{UNIT_NAME}){_POWER}(?!\s*\()"
_UNIT = re.compile(rf"{_FACTOR}(?:[*·⋅/]{_FACTOR}|/\({_FACTOR}(?:[*·⋅]{_FACTOR})*\))*")
_TOKEN = re.compile(
    r"(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<string>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<op><=|>=|==|!=|[-+*/^<>(),])"
)
_SPACE = re.compile(r"[ \t\r\n]*")
_FOREIGN = {
    "**": "write `^` for a power",
    "//": "write `/`",
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "|": "write `or`",
    "!": "write `not`, or `!=`",
    "=": "write `==` to compare",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "×": "write `*`",
    "·": "write `*`",
    "%": "there is no remainder here; a percentage stands after a number, `5 %`",
    ".": "names have no dots, and nothing has attributes",
    "[": "there is no indexing",
}
GRAMMAR = "names, numbers, quantities, + - * / ^, comparisons, and or not, and the functions of the language"


def tokens(text: str) -> list[Token]:
    """All tokens, an `end` last. Raises `Fault` at the first character that starts none."""
    found: list[Token] = []
    position = 0
    while (position := _skip(text, position)) < len(text):
        match = _TOKEN.match(text, position)
        if match is None or text.startswith("**", position):
            raise _foreign(text, position)
        kind = str(match.lastgroup)
        unit = _unit(text, match.end()) if kind == "number" else None
        position = unit[1] if unit else match.end()
        found.append(Token(match[0] if kind == "op" else kind, match[0], (match.start(), position), unit))
    found.append(Token("end", "", (len(text), len(text))))
    return found


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _unit(text: str, position: int) -> At | None:
    match = _UNIT.match(text, _skip(text, position))
    if match is None or re.split(r"[^A-Za-z_]", match[0], maxsplit=1)[0] in KEYWORDS:
        return None
    return match.span()


def _foreign(text: str, position: int) -> Fault:
    pair, char = text[position : position + 2], text[position]
    sign = pair if pair in _FOREIGN else char
    shown = repr(sign) if sign.isprintable() else f"U+{ord(char):04X}"
    if char in "\"'":
        return Fault("expr.syntax", "a string that does not end", f"close it with {char}", (position, len(text)))
    help_ = _FOREIGN.get(sign, f"an expression is made of {GRAMMAR}")
    return Fault("expr.syntax", f"{shown} has no meaning here", help_, (position, position + len(sign)))
