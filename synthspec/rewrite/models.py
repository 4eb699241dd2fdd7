"""A model of the language as a tree beside its text: what stands where, and in which order its keys are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import get_annotations

from pydantic import BaseModel

from synthspec.text import Path


def children(value: object) -> Iterator[tuple[str | int, object]]:
    """The parts of a model, mapping or list under the keys and indices of the text."""
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield info.alias or name, getattr(value, name)
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, tuple):
        yield from enumerate(value)


def walk(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """`value` and everything in it, each with its path."""
    yield path, value
    for key, child in children(value):
        yield from walk(child, (*path, key))


def key_order(model: BaseModel) -> tuple[str, ...]:
    """The keys of a model as the language lists them: those that its class declares, then those it shares with others."""
    infos = type(model).model_fields
    own = [name for cls in type(model).__mro__ for name in get_annotations(cls) if name in infos]
    return tuple(infos[name].alias or name for name in dict.fromkeys((*own, *infos)))
