"""The JSON Schemas of the documents, generated from the models: 2020-12 for validators, draft-07 for editors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from synthspec.ir.canonical import Json
from synthspec.ir.manifest import Manifest
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.policy import Policy
from synthspec.spec.sref import SRef
from synthspec.spec.words import ASKED, words_of

Draft = Literal["2020-12", "draft-07"]
Kind = Literal["EngineSpec", "SRef", "Policy", "Manifest"]
MODELS: dict[Kind, type[BaseModel]] = {
    "EngineSpec": EngineSpec,
    "SRef": SRef,
    "Policy": Policy,
    "Manifest": Manifest,
}
_BASE = "https://synthspec.dev/schema/"
_DRAFTS: dict[Draft, str] = {
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft-07": "http://json-schema.org/draft-07/schema#",
}


def json_schema(kind: Kind, draft: Draft = "2020-12") -> dict[str, Json]:
    """The schema of `kind`."""
    body = cast("dict[str, Json]", MODELS[kind].model_json_schema(schema_generator=GenerateJsonSchema))
    _describe(body, MODELS[kind])
    required = body.get("required")
    if isinstance(required, list):
        body["required"] = [*required, *ASKED.get(kind, ())]
    written = _walk(body, _plain)
    if draft == "draft-07":
        written = _walk(written, _older)
    name = f"{kind.lower()}.v1.schema.json"
    head: dict[str, Json] = {
        "$schema": _DRAFTS[draft],
        "$id": f"{_BASE}{name}" if draft == "2020-12" else f"{_BASE}draft-07/{name}",
    }
    return {**head, **cast("dict[str, Json]", written)}


def _describe(body: dict[str, Json], document: type[BaseModel]) -> None:
    """Put the words of every key beside it, where it has none: editors show them."""
    described = cast(
        "dict[str, dict[str, Any]]", {**cast("dict[str, Json]", body.get("$defs", {})), document.__name__: body}
    )
    for model in _reached(document, set()):
        properties = described[model.__name__].get("properties", {})
        for name, info in model.model_fields.items():
            said, node = words_of(model, name), properties.get(info.alias or name)
            if said and node is not None and "description" not in node:
                node["description"] = said


def _reached(annotation: object, seen: set[type]) -> Iterator[type[BaseModel]]:
    """The models that `annotation` names, and those that they have fields of, once each."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:
            return
        seen.add(annotation)
        yield annotation
        for info in annotation.model_fields.values():
            yield from _reached(info.annotation, seen)
    for part in get_args(annotation):
        yield from _reached(part, seen)


def file_names() -> dict[str, tuple[Kind, Draft]]:
    """Where each schema lies below ``specs/``."""
    newest: dict[str, tuple[Kind, Draft]] = {
        f"schema/{kind.lower()}.v1.schema.json": (kind, "2020-12") for kind in MODELS
    }
    editors: dict[str, tuple[Kind, Draft]] = {
        "enginespec.v1.schema.json": ("EngineSpec", "draft-07"),
        "sref.v1.schema.json": ("SRef", "draft-07"),
    }
    return newest | editors


def _walk(node: Json, change: Callable[[dict[str, Json]], dict[str, Json]]) -> Json:
    if isinstance(node, dict):
        return {key: _walk(value, change) for key, value in change(node).items()}
    if isinstance(node, list):
        return [_walk(item, change) for item in node]
    return node


def _plain(node: dict[str, Json]) -> dict[str, Json]:
    """Without what pydantic adds for other tools: OpenAPI's `discriminator`, and titles that repeat the key."""
    return {
        key: value for key, value in node.items() if not (key in ("discriminator", "title") and not _is_property(node))
    }


def _is_property(node: dict[str, Json]) -> bool:
    # A mapping of property names to schemas may well have a property called `title`.
    return all(isinstance(value, (dict, bool)) for value in node.values())


def _older(node: dict[str, Json]) -> dict[str, Json]:
    """2020-12 in the words of draft-07."""
    changed = {{"$defs": "definitions", "prefixItems": "items"}.get(key, key): value for key, value in node.items()}
    reference = changed.get("$ref")
    if isinstance(reference, str):
        changed["$ref"] = reference.replace("#/$defs/", "#/definitions/")
    return changed
