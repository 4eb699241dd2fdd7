"""Words for what a model takes and for what was written instead."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo

from synthspec.parse.blueprint import Blueprint, Schema
from synthspec.parse.refusals import abridged
from synthspec.spec.base import QuantityOf
from synthspec.text import Path

_KINDS = {
    "float": "a number",
    "decimal": "a number",
    "int": "a whole number",
    "str": "a text",
    "bool": "true or false",
    "none": "null",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozenset": "a list",
    "dict": "a mapping",
    "model": "a mapping",
    "tagged-union": "a mapping",
}
_BY_ERROR = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "null",
}
_BOUNDS = {"gt": "greater than {}", "ge": "at least {}", "lt": "less than {}", "le": "at most {}"}
_MAX_LISTED = 6


def taken(blueprint: Blueprint, schema: Schema, kind: str = "") -> str:
    """What `schema` takes, in words: ``a number``, ``'auto' or a number``; by the kind of error where it is unknown."""
    words: list[str] = []
    for branch in blueprint.branches(schema):
        words.extend(_branch_words(blueprint, branch))
    known = [word for word in dict.fromkeys(words) if word != "a whole number" or "a number" not in words]
    return one_of(known) if known else _BY_ERROR.get(kind, "another kind of value")


def kinds_taken(blueprint: Blueprint, schema: Schema) -> frozenset[str]:
    """The kinds of value among the branches of `schema`: ``a number``, ``a list`` ..."""
    return frozenset(_KINDS.get(branch["type"], "") for branch in blueprint.branches(schema))


def one_of(words: list[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def interval(blueprint: Blueprint, schema: Schema) -> str:
    """The bounds of a number: ``greater than 0 and at most 1``; empty without any."""
    for branch in blueprint.branches(schema):
        bounds = [words.format(number(branch[name])) for name, words in _BOUNDS.items() if name in branch]
        if bounds:
            return " and ".join(bounds)
    return ""


def number(value: object) -> str:
    """A bound as one would write it: 0 rather than 0.0, 1000000000000 rather than 1e+12."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def subject(path: Path, *, entry: bool = False) -> str:
    """The name under which a message speaks of `path`; `entry` for a key that the document is free to choose."""
    names = [index for index, part in enumerate(path) if isinstance(part, str)]
    if not names:
        return "the file"
    last = names[-1]
    name = str(path[last])
    if entry and last == len(path) - 1 and len(names) > 1:
        name = f"{subject(path[:last])}[{name!r}]"
    return abridged(name + "".join(f"[{index}]" for index in path[last + 1 :]), 80)


def written(value: object, text: str) -> str:
    """What stands in the document: `value` as read, `text` as written."""
    if value is None or isinstance(value, bool):
        return text
    if isinstance(value, int | float):
        return f"the number {abridged(text)}"
    if isinstance(value, str):
        return f"the text {abridged(value)!r}"
    return "a list" if isinstance(value, tuple) else "a mapping"


def example(info: FieldInfo | None) -> str | None:
    """An example of what to write in a field, where its declaration holds one."""
    if info is None:
        return None
    quantities = [note.example for note in info.metadata if isinstance(note, QuantityOf)]
    given: list[Any] = [*(info.examples or ()), *quantities]
    return str(given[0]) if given else None


def placeholder(blueprint: Blueprint, schema: Schema, info: FieldInfo | None) -> str:
    """What to put behind the colon of a key that has to be added."""
    if shown := example(info):
        return shown
    inner = blueprint.peel(schema)
    literals = [str(value) for value in blueprint.literals(inner)]
    if literals:
        return " | ".join(literals[:_MAX_LISTED])
    if inner["type"] == "tagged-union":
        variant = blueprint.variant(inner, ())
        return f"{{{variant.key}: {' | '.join(list(variant.models)[:_MAX_LISTED])}, ...}}"
    if inner["type"] == "model":
        needed = [name for name, info in blueprint.infos(inner).items() if info.is_required()]
        return f"{{{', '.join(f'{name}: ...' for name in needed[:_MAX_LISTED])}}}"
    return f"<{taken(blueprint, schema)}>"


def _branch_words(blueprint: Blueprint, branch: Schema) -> list[str]:
    literals = blueprint.literals(branch)
    if literals:
        return [repr(value) if isinstance(value, str) else str(value) for value in literals]
    if branch["type"] == "bool":
        return ["true", "false"]
    word = _KINDS.get(branch["type"])
    return [word] if word else []
