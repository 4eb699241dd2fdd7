"""What a pydantic model expects at a place of a document.

A pydantic error names its place by a `loc` in which keys and indices are mixed with the tags of tagged unions and the
labels of plain ones. Walking the model's core schema beside it tells them apart and says, at the end, what was expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synthspec.parse.document import Value
from synthspec.text import Path

Schema = Mapping[str, Any]
"""One node of a pydantic core schema."""

_INNER = {
    "default": "schema",
    "nullable": "schema",
    "function-before": "schema",
    "function-after": "schema",
    "function-wrap": "schema",
    "definitions": "schema",
    "json-or-python": "python_schema",
    "lax-or-strict": "strict_schema",
}
_ANY: Schema = {"type": "any"}
_KEY_MARK = "[key]"


class Fork(NamedTuple):
    """A plain union on the way: how far the `loc` had come, where it stands, the branch that was tried."""

    depth: int
    at: Path
    label: str
    union: Schema


@dataclass(frozen=True, slots=True)
class Variant:
    """A tagged union on the way: where it stands, the key that chooses, the models by the tags one may write."""

    at: Path
    key: str | None
    models: Mapping[str, Schema]
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """The end of a walk: the place in the document and what the model expects there."""

    schema: Schema
    path: Path = ()
    owner: Schema | None = None
    field: FieldInfo | None = None
    forks: tuple[Fork, ...] = ()
    variant: Variant | None = None
    is_key: bool = False
    is_entry: bool = False


class Blueprint:
    """The core schema of `model`, with the references inside resolved."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.root: Schema = model.__pydantic_core_schema__
        self._definitions: dict[str, Schema] = {}
        self._variants: dict[int, Variant] = {}
        if self.root["type"] == "definitions":
            self._definitions = {definition["ref"]: definition for definition in self.root["definitions"]}

    def peel(self, schema: Schema) -> Schema:
        """`schema` without the wrappers that leave no trace in a document: defaults, None, validator functions."""
        while True:
            kind = schema["type"]
            if kind == "definition-ref":
                schema = self._definitions.get(schema["schema_ref"], _ANY)
            elif kind == "chain":
                schema = schema["steps"][0]
            elif kind in _INNER:
                schema = schema[_INNER[kind]]
            else:
                return schema

    def fields(self, model: Schema | None) -> dict[str, Schema]:
        """The field schemas of a model node by the names one writes; empty for anything else."""
        if model is None or model["type"] != "model":
            return {}
        inner = self.peel(model["schema"])
        named: dict[str, Any] = inner.get("fields", {}) if inner["type"] == "model-fields" else {}
        return {_written(name, field.get("validation_alias")): field for name, field in named.items()}

    def infos(self, model: Schema | None) -> dict[str, FieldInfo]:
        """The field declarations of a model node by the names one writes."""
        if model is None or model["type"] != "model":
            return {}
        return {_written(name, info.validation_alias): info for name, info in model["cls"].model_fields.items()}

    def branches(self, union: Schema) -> Iterator[Schema]:
        """The alternatives of a plain union, peeled; of anything else, itself."""
        union = self.peel(union)
        if union["type"] != "union":
            yield union
            return
        for choice in union["choices"]:
            yield from self.branches(choice[0] if isinstance(choice, tuple) else choice)

    def literals(self, schema: Schema) -> list[Any]:
        """The values a literal or enumeration (or a union with such branches) names."""
        found: list[Any] = []
        for branch in self.branches(schema):
            if branch["type"] == "literal":
                found.extend(branch["expected"])
            elif branch["type"] == "enum":
                found.extend(member.value for member in branch["members"])
        return found

    def variant(self, union: Schema, at: Path) -> Variant:
        """The tags one may write in a tagged union, and the key they are written under.

        With a function for a discriminator the key is found in the models: it is the field that is a literal of the tag.
        A tag that no model spells so is the function's own and is not offered.
        """
        if id(union) not in self._variants:
            self._variants[id(union)] = self._read_variant(union)
        return replace(self._variants[id(union)], at=at)

    def _read_variant(self, union: Schema) -> Variant:
        models = {str(tag): self.peel(choice) for tag, choice in union["choices"].items() if isinstance(choice, dict)}
        key = union["discriminator"] if isinstance(union["discriminator"], str) else None
        spelt = [(tag, name) for tag, model in models.items() for name in self._spelt_in(model, tag)]
        if key is None and spelt:
            key = max((name for _, name in spelt), key=[name for _, name in spelt].count)
        writable = {tag for tag, name in spelt if name == key}
        return Variant((), key, {tag: model for tag, model in models.items() if not writable or tag in writable})

    def _spelt_in(self, model: Schema, tag: str) -> Iterable[str]:
        for name, field in self.fields(model).items():
            inner = self.peel(field["schema"])
            if inner["type"] == "literal" and tag in inner["expected"]:
                yield name

    def locate(self, loc: tuple[str | int, ...], value: Value) -> Spot:
        """Follow a pydantic `loc` from the root; parts that the schema does not explain are looked up in `value`."""
        spot = Spot(schema=self.root)
        for depth, part in enumerate(loc):
            spot = self._step(replace(spot, schema=self.peel(spot.schema)), depth, part, value)
        return replace(spot, schema=self.peel(spot.schema))

    def _step(self, spot: Spot, depth: int, part: str | int, value: Value) -> Spot:
        schema = spot.schema
        match schema["type"]:
            case "model":
                field = self.fields(schema).get(str(part), {"schema": _ANY})
                info = self.infos(schema).get(str(part))
                deeper = (*spot.path, part)
                return replace(spot, path=deeper, schema=field["schema"], owner=schema, field=info, is_entry=False)
            case "tagged-union":
                variant = replace(self.variant(schema, spot.path), tag=str(part))
                return replace(spot, schema=schema["choices"].get(part, _ANY), variant=variant)
            case "union":
                fork = Fork(depth, spot.path, str(part), schema)
                return replace(spot, schema=self._branch(schema, str(part)), forks=(*spot.forks, fork))
            case "tuple" | "list" | "set" | "frozenset" if isinstance(part, int):
                return _into(spot, part, _item(schema, part))
            case "dict" if part == _KEY_MARK:
                return replace(spot, is_key=True)
            case "dict":
                return _into(spot, part, schema.get("values_schema", _ANY))
        if part == _KEY_MARK:
            return replace(spot, is_key=True)
        return _into(spot, part, _ANY) if holds(value, (*spot.path, part)) else spot

    def _branch(self, union: Schema, label: str) -> Schema:
        """The alternative that pydantic calls `label`; there is no public map, so its way of naming is followed."""
        for choice in union["choices"]:
            schema, given = choice if isinstance(choice, tuple) else (choice, None)
            if given == label or self._is_called(schema, label):
                return self.peel(schema)
        return _ANY

    def _is_called(self, schema: Schema, label: str) -> bool:
        kind: str = schema["type"]
        if kind in {"definition-ref", "default"}:
            inner = self._definitions.get(schema["schema_ref"], _ANY) if kind == "definition-ref" else schema["schema"]
            return self._is_called(inner, label)
        if kind == "model":
            return bool(label == schema["cls"].__name__)
        if kind == "literal":
            return label == f"literal[{','.join(map(repr, schema['expected']))}]"
        if kind.startswith("function-") and "schema" in schema:
            return label.startswith(f"{kind}[") and self._is_called(schema["schema"], label.partition(", ")[2][:-1])
        return label in {kind, f"constrained-{kind}"} or label.startswith(f"{kind}[")


def holds(value: Value, path: Path) -> bool:
    """Whether something is written at `path`."""
    return value_at(value, path) is not _NOTHING


def value_at(value: Value, path: Path) -> object:
    """What is written at `path` in `value`; an object of its own where nothing is."""
    here: object = value
    for part in path:
        if isinstance(here, tuple):
            here = here[part] if isinstance(part, int) and 0 <= part < len(here) else _NOTHING
        else:
            here = here.get(part, _NOTHING) if isinstance(here, dict) else _NOTHING
    return here


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()


def _into(spot: Spot, part: str | int, schema: Schema) -> Spot:
    """One step into a list or into a mapping with free keys: the field, and its owner, stay behind."""
    return replace(spot, path=(*spot.path, part), schema=schema, owner=None, field=None, is_entry=isinstance(part, str))


def _item(schema: Schema, index: int) -> Schema:
    items = schema.get("items_schema", _ANY)
    if not isinstance(items, list):
        return items if isinstance(items, dict) else _ANY
    variadic = schema.get("variadic_item_index")
    if variadic is not None and index >= variadic:
        index = variadic
    return items[index] if index < len(items) else _ANY


def _written(name: str, alias: object) -> str:
    return alias if isinstance(alias, str) else name
