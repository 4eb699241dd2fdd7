"""The door to CEL, the Common Expression Language: rules of a policy are compiled and asked here, and nowhere else.

The library is Google's ``cel-expr-python``, the reference implementation with its type checker and its limit on iterations.
Whatever stands behind `Engine` can take its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol

EXTRA = "pip install 'synthspec[policy]'"
Kind = Literal["map", "maps", "string", "double", "int", "bool", "any"]


class CelMissingError(Exception):
    """A policy governs, and nothing is installed that can ask its rules."""

    def __init__(self) -> None:
        super().__init__(f"a policy governs this change, and asking its rules needs CEL: {EXTRA}")


class CelError(Exception):
    """An expression that is not one of CEL, or of another type than it has to be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an expression came to. `why` says what happened where it is neither true nor false."""

    value: bool | None
    why: str = ""


class Program(Protocol):
    """A compiled expression."""

    def ask(self, values: Mapping[str, object]) -> Answer:
        """What it comes to for `values`. Never raises: an error is an answer that is not true."""


class Engine(Protocol):
    """Something that understands CEL."""

    def compile(self, text: str, variables: Mapping[str, Kind]) -> Program:
        """Raises CelError for what is no expression, or none that is true or false."""


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The installed engine. Raises CelMissingError."""
    try:
        from cel_expr_python import cel
    except ImportError as error:
        raise CelMissingError from error
    return _Google(cel)


@dataclass(frozen=True, slots=True)
class _Google:
    cel: Any

    def compile(self, text: str, variables: Mapping[str, Kind]) -> Program:
        kinds = self.cel.Type
        a_map = kinds.Map(kinds.STRING, kinds.DYN)
        types = {
            "map": a_map,
            "maps": kinds.List(a_map),
            "string": kinds.STRING,
            "double": kinds.DOUBLE,
            "int": kinds.INT,
            "bool": kinds.BOOL,
            "any": kinds.DYN,
        }
        environment = self.cel.NewEnv(variables={name: types[kind] for name, kind in variables.items()})
        try:
            compiled = environment.compile(text)
        except RuntimeError as error:
            raise CelError(_first(str(error))) from error
        found = compiled.return_type().name()
        if found not in ("BOOL", "DYN"):
            raise CelError(f"it is of type {found.lower()}, and has to be true or false")
        return _Compiled(compiled)


@dataclass(frozen=True, slots=True)
class _Compiled:
    expression: Any

    def ask(self, values: Mapping[str, object]) -> Answer:
        try:
            found = self.expression.eval(data=dict(values))
            kind, value = found.type().name(), found.plain_value()
        except Exception as error:  # noqa: BLE001 - whatever the library raises, a rule that fails denies
            return Answer(None, _first(str(error)))
        if kind == "BOOL" and isinstance(value, bool):
            return Answer(value)
        return Answer(None, _first(str(value)) if kind == "ERROR" else f"it is {kind.lower()}, neither true nor false")


def _first(text: str) -> str:
    """The first line of what the library says, without its own codes."""
    line = text.strip().splitlines()[0] if text.strip() else "it failed"
    for prefix in ("INVALID_ARGUMENT: ", "ERROR: ", "NOT_FOUND: ", "UNKNOWN: ", "INTERNAL: ", "<input>:"):
        line = line.removeprefix(prefix)
    return line
