"""Which values of a document an expression of CEL reads: checked against the models before anything is asked."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from synthspec.diag import did_you_mean
from synthspec.review.cel import Kind
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.units import Quantity

ROOTS: Mapping[str, type[BaseModel]] = {"new": EngineSpec, "old": EngineSpec, "new_sref": SRef, "old_sref": SRef}
_STRING = re.compile(r"""r?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_ROOT = re.compile(rf"(?<![\w.])(?:{'|'.join(ROOTS)})(?!\w)")
_STEP = re.compile(
    r"""\s*(?:\.\s*(?P<name>[A-Za-z_]\w*)(?!\w|\s*\()|\[\s*(?P<quote>["'])(?P<key>[^"'\\]*)(?P=quote)\s*\])"""
)
_HAS = re.compile(r"\bhas\s*\(\s*$")


@dataclass(frozen=True, slots=True)
class Reference:
    """``new.privacy.eps_budget`` as it stands in a text."""

    root: str
    path: tuple[str, ...]
    start: int
    end: int
    asked: bool
    """Whether it stands in ``has(...)``, which reads no value."""


def references(text: str) -> Iterator[Reference]:
    """Every chain of names from one of `ROOTS`, up to a call or an index that is computed."""
    strings = [found.span() for found in _STRING.finditer(text)]
    for found in _ROOT.finditer(text):
        if any(start <= found.start() < end for start, end in strings):
            continue
        path: list[str] = []
        position = found.end()
        while (step := _STEP.match(text, position)) is not None:
            path.append(step["name"] or step["key"])
            position = step.end()
        yield Reference(found.group(), tuple(path), found.start(), position, bool(_HAS.search(text[: found.start()])))


def unknown(reference: Reference) -> str:
    """What is wrong with a reference, with what may be meant; empty when the language has it."""
    places: list[Any] = [ROOTS[reference.root]]
    for depth, name in enumerate(reference.path):
        known = {key: kind for place in places for key, kind in _keys(place).items()}
        if "*" in known:
            places = [known["*"]]
            continue
        if name not in known:
            shown = ".".join((reference.root, *reference.path[:depth]))
            return f"{shown} has no {name!r}: {did_you_mean(name, known)}"
        places = [kind for place in places for key, kind in _keys(place).items() if key == name]
    return ""


def typed(text: str) -> tuple[str, dict[str, Kind]]:
    """`text` with each value that it reads as a name of its own, and the types of those names: what the checker looks at."""
    variables: dict[str, Kind] = {}
    pieces: list[str] = []
    position = 0
    for reference in references(text):
        kind = _kind(reference)
        if reference.asked or kind is None:
            continue
        name = f"value_{len(variables)}"
        variables[name] = kind
        pieces += [text[position : reference.start], name]
        position = reference.end
    return "".join([*pieces, text[position:]]), variables


def _kind(reference: Reference) -> Kind | None:
    places: list[Any] = [ROOTS[reference.root]]
    for name in reference.path:
        places = [kind for place in places for key, kind in _keys(place).items() if key in (name, "*")]
    kinds = {_scalar(leaf) for place in places for leaf in _leaves(place)}
    return kinds.pop() if len(kinds) == 1 and reference.path else None


def _scalar(leaf: object) -> Kind | None:
    table: dict[object, Kind] = {float: "double", Quantity: "double", bool: "bool", int: "int", str: "string"}
    return table.get(leaf)


def _keys(annotation: object) -> dict[str, Any]:
    """What may stand below a value of this type; ``*`` is any name."""
    found: dict[str, Any] = {}
    for leaf in _leaves(annotation):
        if isinstance(leaf, type) and issubclass(leaf, BaseModel):
            for name, info in leaf.model_fields.items():
                key = info.alias or name
                # Alternatives share names (`mechanism`); what any of them allows may be read.
                found[key] = Union[found[key], info.annotation] if key in found else info.annotation  # noqa: UP007
        elif get_origin(leaf) is dict:
            found["*"] = get_args(leaf)[1]
    return found


def _leaves(annotation: object) -> Iterator[object]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _leaves(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            if part is not type(None):
                yield from _leaves(part)
    elif origin is Literal:
        yield from {type(word) for word in get_args(annotation)}
    else:
        yield annotation
