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


class OneChange(BaseModel):
    """What a rule may read of one change: the keys of `Change.as_json`."""

    kind: str
    direction: str
    risk: str
    document: str
    path: str
    pointer: str
    name: str
    old: Any
    new: Any
    message: str
    fingerprint: str


class BothSides(BaseModel):
    """One figure before and after."""

    old: float
    new: float


class Figures(BaseModel):
    """What follows from several values of the spec: the names of `effects.effects`."""

    planned_eps: BothSides
    noise_multiplier: BothSides


class Step(BaseModel):
    """The step of its version that a change asks for."""

    required: str
    enough: bool


ROOTS: Mapping[str, type[BaseModel]] = {
    "new": EngineSpec,
    "old": EngineSpec,
    "new_sref": SRef,
    "old_sref": SRef,
    "change": OneChange,
    "effects": Figures,
    "bump": Step,
}
_EACH = r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,"
_EACH_CHANGE, _EACH_OF_ANY = re.compile(rf"(?<![\w.])changes\s*{_EACH}"), re.compile(_EACH)
_STRING = re.compile(r"""r?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_STEP = re.compile(
    r"""\s*(?:\.\s*(?P<name>[A-Za-z_]\w*)(?!\w|\s*\()|\[\s*(?P<quote>["'])(?P<key>[^"'\\]*)(?P=quote)\s*\])"""
)
_HAS = re.compile(r"\bhas\s*\(\s*$")


@dataclass(frozen=True, slots=True)
class Reference:
    """``new.privacy.eps_budget`` as it stands in a text."""

    root: str
    model: type[BaseModel]
    path: tuple[str, ...]
    start: int
    end: int
    asked: bool
    """Whether it stands in ``has(...)``, which reads no value."""


def references(text: str) -> Iterator[Reference]:
    """Every chain of names from one of `ROOTS`, up to a call or an index that is computed."""
    strings = [found.span() for found in _STRING.finditer(text)]
    roots = _roots(text)
    for found in re.finditer(rf"(?<![\w.])(?:{'|'.join(roots)})(?!\w)", text):
        if any(start <= found.start() < end for start, end in strings):
            continue
        path: list[str] = []
        position = found.end()
        while (step := _STEP.match(text, position)) is not None:
            path.append(step["name"] or step["key"])
            position = step.end()
        asked = bool(_HAS.search(text[: found.start()]))
        yield Reference(found.group(), roots[found.group()], tuple(path), found.start(), position, asked)


def _roots(text: str) -> dict[str, type[BaseModel]]:
    """`ROOTS`, and each name that `text` gives one of the changes: it reads what `change` does, unless it names more."""
    named, all_named = _EACH_CHANGE.findall(text), _EACH_OF_ANY.findall(text)
    own: dict[str, type[BaseModel]] = {name: OneChange for name in named if named.count(name) == all_named.count(name)}
    return {**own, **ROOTS}


def unknown(reference: Reference) -> str:
    """What is wrong with a reference, with what may be meant; empty when the language has it."""
    places: list[Any] = [reference.model]
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
    places: list[Any] = [reference.model]
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
        elif leaf is Any:
            found["*"] = Any
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
