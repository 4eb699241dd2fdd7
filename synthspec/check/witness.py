"""Asking a rule about a document of which something could not be read.

What a rule finds after it has looked at a key that could not be read is not believed: it may be a consequence of the
damage. Which keys it looks at is seen, not declared: the part of the document that holds such a key is handed to it as a
copy whose class tells when the key is asked for. Everything else is the document itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import is_dataclass, replace
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from synthspec.ir.document import ANY_KEY
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.schema import Schema
from synthspec.text import Path

T = TypeVar("T")
Note = Callable[[], None]

_WHOLE = frozenset({"__dict__", "__pydantic_fields_set__", "__pydantic_serializer__", "model_fields_set"})
"""What is asked of a model by somebody who looks at all of it: to compare, copy or write it."""
_FROM_FIELD = {
    "unit": ("unit", "dimension", "expr"),
    "dim": ("dimension",),
    ANY_KEY: (ANY_KEY,),
    **{name: (name,) for name in ("name", "role", "dtype", "shape", "nullable", "enum", "range", "resolution", "expr")},
}
"""What of a bound field comes from which key of the SRef's."""
_FROM_SREF = {"fields": "fields", "modality": "modality", "alias_map": "aliases", "constraints": "rules", "keys": "pk"}


class Witness:
    """Whether one of the keys that were lost has been asked for."""

    __slots__ = ("_harmless",)

    def __init__(self) -> None:
        self._harmless = True

    def note(self) -> None:
        self._harmless = False

    def fresh(self) -> Callable[[], bool]:
        """Forget what was asked for; the answer tells whether all that is asked for from now on is sound."""
        self._harmless = True
        return lambda: self._harmless


def watched(document: T, lost: Iterable[Path], note: Note) -> T:
    """`document` itself, or a copy that calls `note` when one of the `lost` keys is asked for."""
    changed = _watch(document, tuple(lost), note)
    if changed is None:
        raise ValueError("a document cannot be lost as a whole")
    return cast(T, changed)


def stand_in(resolved: ResolvedSpec, witness: Witness) -> ResolvedSpec:
    """`resolved` with its documents watched; the same spec when nothing of it is lost."""
    if not resolved.spec_lost and not resolved.sref_lost:
        return resolved
    return replace(
        resolved,
        spec=watched(resolved.spec, resolved.spec_lost, witness.note),
        sref=watched(resolved.sref, resolved.sref_lost, witness.note),
        schema=watched(resolved.schema, tuple(_bound(resolved.schema, resolved.sref_lost)), witness.note),
    )


def _bound(schema: Schema, lost: Iterable[Path]) -> Iterable[Path]:
    """The parts of a bound schema that follow from lost keys of the SRef."""
    for path in lost:
        if path[0] == "fields" and len(path) > 2 and isinstance(path[1], int) and path[1] < len(schema.fields):
            yield from (("fields", path[1], name) for name in _FROM_FIELD.get(str(path[2]), ()))
        elif path[0] == ANY_KEY:
            yield path
        elif path[0] in _FROM_SREF:
            yield (_FROM_SREF[str(path[0])],)


def _watch(node: object, lost: tuple[Path, ...], note: Note) -> object | None:
    """`node` with the `lost` keys below it watched; None where only who holds the node can tell that it is looked at."""
    if not lost:
        return node
    if () in lost or not (isinstance(node, (BaseModel, dict, tuple)) or is_dataclass(node)):
        return None
    below: dict[str | int, tuple[Path, ...]] = {}
    for path in lost:
        below[path[0]] = (*below.get(path[0], ()), path[1:])
    if isinstance(node, (dict, tuple)):
        return _watch_entries(node, below, note)
    return _watch_keys(node, below, note)


def _watch_entries(
    node: dict[str, Any] | tuple[Any, ...], below: dict[str | int, tuple[Path, ...]], note: Note
) -> object | None:
    entries: dict[str | int, object] = dict(enumerate(node) if isinstance(node, tuple) else node.items())
    for key, paths in below.items():
        inner = _watch(entries[key], paths, note) if key in entries else None
        if inner is None:
            return None
        entries[key] = inner
    return tuple(entries.values()) if isinstance(node, tuple) else entries


def _watch_keys(node: object, below: dict[str | int, tuple[Path, ...]], note: Note) -> object:
    attributes = _attributes(node)
    silent: set[str] = set()
    parts: dict[str, object] = {}
    for key, paths in below.items():
        if key == ANY_KEY or key not in attributes:
            silent.update(_unwritten(node, attributes.values()))
            continue
        name = attributes[key]
        inner = _watch(getattr(node, name), paths, note)
        if inner is None:
            silent.add(name)
        else:
            parts[name] = inner
    copy = node.model_copy(update=parts) if isinstance(node, BaseModel) else replace(cast(Any, node), **parts)
    if silent:
        object.__setattr__(copy, "__class__", _telling(type(node), frozenset(silent), note))
    return copy


def _attributes(node: object) -> dict[str | int, str]:
    """The attributes of a model or a noun by the keys that one writes."""
    if isinstance(node, BaseModel):
        return {info.alias or name: name for name, info in type(node).model_fields.items()}
    return {name: name for name in cast(Any, node).__dataclass_fields__}


def _unwritten(node: object, names: Iterable[str]) -> set[str]:
    """The keys of which one was written in a way that could not be read: those that seem not to be there."""
    return set(names) - (node.model_fields_set if isinstance(node, BaseModel) else set())


def _telling(kind: type[T], silent: frozenset[str], note: Note) -> type[T]:
    """A class like `kind`, an instance of which calls `note` when one of its `silent` attributes is asked for."""

    def look(self: object, name: str) -> object:
        if name in silent or name in _WHOLE:
            note()
        return object.__getattribute__(self, name)

    # Made by `type`, not by pydantic's metaclass: nothing of the model is built anew, and it is no model of its own.
    return type.__new__(type(kind), kind.__name__, (kind,), {"__slots__": (), "__getattribute__": look})
