"""What is left of a document whose model could not be built: enough to ask the rules about the rest of it.

A slip is mended by what was plainly meant (a key or a choice misspelt, a number in quotes, a quantity without its unit),
and counts as read. What cannot be guessed is left out or stood in for, and its key is named as lost: whatever somebody
concludes from that key may follow from the fault alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from synthspec.diag import nearest
from synthspec.ir.document import ANY_KEY
from synthspec.parse.blueprint import Blueprint, Schema, value_at
from synthspec.parse.document import MAX_FINDINGS, Composed, Recovered, Value
from synthspec.parse.faults import TAG, Fault, faults_of
from synthspec.parse.scalars import is_number, resolve
from synthspec.text import Path

ModelT = TypeVar("ModelT", bound=BaseModel)

_VERSION = ("apiVersion",)
_ROUNDS = 8
"""Leaving a required key out makes its parent faulty; this is how far up that goes."""
_NUMBER = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)")
_MISTYPED = 4
"""Letters of a value from which on a slip of the keyboard is believed."""


class _Beyond(Exception):  # noqa: N818 - it never leaves this module
    """The fault leaves nothing to build on."""


def recover(composed: Composed, model: type[ModelT]) -> Recovered[ModelT] | None:
    """The part of `composed` that `model` can be built from; None where a fault leaves too little, or there are too many."""
    if len(composed.doubtful) + len(composed.incomplete) > MAX_FINDINGS:
        return None
    salvage = _Salvage(composed, Blueprint(model))
    try:
        salvage.forget(composed.doubtful)
        salvage.give_up(composed.incomplete)
        for _ in range(_ROUNDS):
            try:
                built = model.model_validate(salvage.value, strict=True)
            except ValidationError as error:
                if error.error_count() > MAX_FINDINGS:
                    return None
                faults = faults_of(error, salvage.composed, salvage.blueprint)
                if any(fault.path == _VERSION and fault.kind != "missing" for fault in faults):
                    return None  # in another version the same words may say something else
                salvage.mend(faults)
            else:
                return Recovered(built, frozenset(salvage.lost))
    except _Beyond:
        pass
    return None


class _Salvage:
    def __init__(self, composed: Composed, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.composed = replace(composed, doubtful=frozenset(), incomplete=frozenset())
        self.lost: set[Path] = set()

    @property
    def value(self) -> dict[str, Value]:
        return self.composed.value

    def forget(self, paths: Iterable[Path]) -> None:
        """Leave out what the reader refused."""
        for path in sorted(paths, key=len, reverse=True):
            self._leave_out(path)

    def give_up(self, paths: Iterable[Path]) -> None:
        """Trust nothing that is not there where the reader refused a key: it may have been that one."""
        self.lost.update((*path, ANY_KEY) for path in paths)

    def mend(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            if fault.kind == "missing":
                self._stand_in(fault)
            elif fault.kind == "extra_forbidden":
                self._rename(fault)
            else:
                self._guess(fault)

    def _put(self, path: Path, new: Value) -> None:
        self.composed = replace(self.composed, value=cast("dict[str, Value]", _changed(self.value, path, new)))

    def _leave_out(self, path: Path) -> None:
        """Take a key out of its mapping; of a list, whose items have their places, take the whole."""
        while path and isinstance(path[-1], int):
            path = path[:-1]
        if not path:
            raise _Beyond
        self.lost.add(path)
        if isinstance(parent := value_at(self.value, path[:-1]), dict):
            self._put(path[:-1], {key: inner for key, inner in parent.items() if key != path[-1]})

    def _stand_in(self, fault: Fault) -> None:
        neutral = self._neutral(fault.spot.schema)
        if neutral is None or not fault.path or isinstance(fault.path[-1], int):
            self._leave_out(fault.path[:-1])
            return
        self.lost.add(fault.path)
        self._put(fault.path, neutral)

    def _neutral(self, schema: Schema) -> Value:
        """A value that the model takes in the place of one that is missing; None where there is none."""
        schema = self.blueprint.peel(schema)
        match schema["type"]:
            case "model":
                due = {key: field["schema"] for key, field in self.blueprint.fields(schema).items()}
                made = {key: self._neutral(inner) for key, inner in due.items() if inner["type"] != "default"}
                return None if None in made.values() else made
            case "union" | "tagged-union":
                choices = schema["choices"]
                choices = choices.values() if isinstance(choices, dict) else choices
                plain = (choice[0] if isinstance(choice, tuple) else choice for choice in choices)
                return next((found for each in plain if (found := self._neutral(each)) is not None), None)
            case "tuple" if schema.get("variadic_item_index") == 0:
                item = self._neutral(schema["items_schema"][0]) if schema.get("min_length") else None
                return () if not schema.get("min_length") else None if item is None else (item,)
            case "dict":
                return {}
            case _:
                return _neutral_scalar(schema)

    def _rename(self, fault: Fault) -> None:
        """Read a misspelt key as the one it is most like; a key that is like none says nothing, one like several anything."""
        parent = value_at(self.value, fault.path[:-1])
        if not isinstance(parent, dict):
            return
        written = str(fault.path[-1])
        known = [key for key in self.blueprint.fields(fault.spot.owner) if key not in parent]
        meant = fault.instead_of or nearest(written, known)
        if meant is not None and len(alike := _as_like(written, meant, known)) > 1:
            self.lost.update((*fault.path[:-1], name) for name in alike)
            meant = None
        keys = {written: meant}
        renamed = {keys.get(key, key): inner for key, inner in parent.items()}
        self._put(fault.path[:-1], {key: inner for key, inner in renamed.items() if key is not None})

    def _guess(self, fault: Fault) -> None:
        meant = self._meant(fault)
        if meant is None or meant == value_at(self.value, fault.path):
            self._leave_out(fault.path if fault.kind != TAG else fault.path[:-1])
        else:
            self._put(fault.path, meant)

    def _meant(self, fault: Fault) -> Value:
        """What was plainly meant by the value of `fault`; None where that cannot be told."""
        written = value_at(self.value, fault.path)
        example = _example(fault.spot.schema)
        if example is not None:
            number = _NUMBER.match(str(written))
            return f"{number[1]} {example.partition(' ')[2]}" if number and is_number(number[1]) else example
        if fault.kind == "C40.severity":
            return "block"
        if not isinstance(written, str):
            return None
        choices = fault.spot.variant.models if fault.kind == TAG and fault.spot.variant else ()
        words = [word for word in (*choices, *self.blueprint.literals(fault.spot.schema)) if isinstance(word, str)]
        near = nearest(written, words) if len(written) >= _MISTYPED else None
        if near is not None:
            return near
        number = _NUMBER.match(written)
        return _plain(number[1]) if fault.kind != TAG and number and is_number(number[1]) else None


def _as_like(word: str, near: str, known: Iterable[str]) -> list[str]:
    """The names that `word` is as much like as it is like `near`."""

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, name.casefold(), word.casefold()).ratio()

    return [name for name in known if likeness(name) >= likeness(near)]


def _plain(text: str) -> Value:
    value = resolve(text)
    return value if isinstance(value, int | float) else None


def _example(schema: Schema) -> str | None:
    """How a quantity of the kind that is due here is written; None for anything but a quantity."""
    function = schema.get("function")
    reader = getattr(function.get("function"), "__self__", None) if isinstance(function, dict) else None
    example = getattr(reader, "example", None)
    return example if isinstance(example, str) else None


def _neutral_scalar(schema: Schema) -> Value:
    match schema["type"]:
        case "bool":
            return False
        case "int":
            return int(schema.get("ge", 1)) or 1
        case "float":
            return 1.0
        case "str":
            return "1.0.0" if "pattern" in schema and "\\d" in schema["pattern"] else "unknown"
        case "literal":
            first = schema["expected"][0]
            return first if isinstance(first, str | int) else None
        case _:
            return _example(schema)


def _changed(node: Value, path: Path, new: Value) -> Value:
    if not path:
        return new
    key, rest = path[0], path[1:]
    if isinstance(node, tuple) and isinstance(key, int):
        return (*node[:key], _changed(node[key], rest, new), *node[key + 1 :])
    if not isinstance(node, dict):
        raise _Beyond
    return {**node, str(key): _changed(node.get(str(key), {}), rest, new)}
