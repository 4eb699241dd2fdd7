"""Every key of the language: where it may stand, what it takes, what it is where nothing is written, what it means.

Read off the models, their words and their guards, so that a new field is told of without anybody writing a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synthspec.parse.blueprint import Blueprint, Schema
from synthspec.report.key_words import default_of, loosening, takes
from synthspec.spec.engine import Unlisted
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.guards import guard_of
from synthspec.spec.policy import Policy
from synthspec.spec.sref import SRef
from synthspec.spec.words import ASKED, words_of

DOCUMENTS: tuple[type[BaseModel], ...] = (EngineSpec, SRef, Policy)
ANY = "<name>"
"""Stands in a path for a key that the document chooses."""
_INDEX = re.compile(r"\[[0-9]*\]|\.[0-9]+(?=\.|$)")

Chosen = tuple[tuple[str, str], ...]
"""What has to be written for a variant to hold: ``(("family", "vae"), ("name", "mlp"))``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key, as some variants of its section have it.

    `where` is what has to be written for the section to be there, any of it; `of` names the variants, and is empty where all
    have the key alike. `path` has ``[]`` behind a list and ``<name>`` for a
    key that the document chooses. `section` says whether keys of its own stand below it.
    """

    kind: str
    path: tuple[str, ...]
    where: tuple[str, ...]
    of: tuple[str, ...]
    takes: str
    default: str
    required: bool
    asked: bool
    """Whether a rule asks for it, although the models do without."""
    words: str
    loosens: str
    section: bool

    @property
    def name(self) -> str:
        """The key itself."""
        return self.path[-1]

    @property
    def dotted(self) -> str:
        """The path as one writes it."""
        return _dotted(self.kind, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The keys that stand at one place, with what has to be chosen for the place to be there."""

    kind: str
    path: tuple[str, ...]
    of: tuple[str, ...]
    says: tuple[tuple[str, str], ...]
    """What each model says of itself, under the name of its variant."""
    keys: tuple[Key, ...]

    @property
    def title(self) -> str:
        """The dotted path; of a whole document its kind."""
        return _dotted(self.kind, self.path) if self.path else self.kind


def _dotted(kind: str, path: tuple[str, ...]) -> str:
    """`path` under its document, but for those of an EngineSpec, which people write without."""
    return ".".join(path if kind == EngineSpec.__name__ else (kind, *path))


@dataclass(frozen=True, slots=True)
class _Variant:
    """One model that may stand at a place, with each way of choosing it."""

    schema: Schema
    chosen: tuple[Chosen, ...]

    @property
    def model(self) -> type[BaseModel]:
        found: type[BaseModel] = self.schema["cls"]
        return found


@cache
def sections() -> tuple[Section, ...]:
    """Every section of the three documents, in the order of the language."""
    return tuple(section for document in DOCUMENTS for section in _Reader(document).whole())


def keys() -> tuple[Key, ...]:
    """Every key, in the order of the language."""
    return tuple(key for section in sections() for key in section.keys)


def find_keys(text: str) -> tuple[Key, ...]:
    """The keys at the dotted path `text`, or whose path ends with it where none is there; indices may be left out.

    >>> [key.dotted for key in find_keys("clip.norm")]
    ['privacy.clip.norm']
    """
    parts = tuple(part for part in _INDEX.sub("", text).split(".") if part)
    if not parts:
        return ()
    exact = [key for key in keys() if _leads(parts, (key.kind, *key.path)) or _leads(parts, key.path)]
    if exact:  # what several documents have, a spec has first
        return tuple(key for key in exact if key.kind == exact[0].kind)
    return tuple(key for key in keys() if _ends(parts, key.path))


def document(name: str) -> Section | None:
    """The keys at the top of the document called `name`."""
    return next((each for each in sections() if each.kind == name and not each.path), None)


def section_at(key: Key) -> Section | None:
    """The keys below `key`."""
    plain = _plain(key.path)
    below = [each for each in sections() if each.kind == key.kind and _plain(each.path) == plain]
    return below[0] if below else None


def spelled_paths() -> tuple[str, ...]:
    """Every dotted path that one may ask for, and every key by itself."""
    paths = (".".join(_plain(key.path)) for key in keys())
    return tuple(dict.fromkeys((*paths, *(key.name for key in keys()), *(each.__name__ for each in DOCUMENTS))))


def _plain(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.removesuffix("[]") for part in path if part != ANY)


def _leads(parts: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether `parts` is `path`; a name that the document chooses may be written, or left out."""
    if not parts or not path:
        return not parts and not path
    if path[0] == ANY:
        return _leads(parts[1:], path[1:]) or _leads(parts, path[1:])
    return parts[0] == path[0].removesuffix("[]") and _leads(parts[1:], path[1:])


def _ends(parts: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return any(_leads(parts, path[start:]) for start in range(1, len(path)) if path[start] != ANY)


class _Reader:
    """Reads one document's sections off its models."""

    def __init__(self, document: type[BaseModel]) -> None:
        self.kind = document.__name__
        self.blueprint = Blueprint(document)

    def whole(self) -> Iterator[Section]:
        """The document itself, and every section below."""
        return self.read((), (_Variant(self.blueprint.peel(self.blueprint.root), ((),)),))

    def read(self, path: tuple[str, ...], variants: tuple[_Variant, ...]) -> Iterator[Section]:
        """The section at `path`, and all below it."""
        shared = _shared(variants)
        where = _needed(variants, shared)
        labels = tuple(dict.fromkeys(_label(variant, shared) for variant in variants))
        found = (key for variant in variants for key in self._keys(path, variant, shared))
        keys = (replace(key, where=where) for key in _merged(labels, found))
        yield Section(
            kind=self.kind,
            path=path,
            of=where,
            says=tuple((_label(each, shared), _says(each.model)) for each in variants if _says(each.model)),
            keys=tuple(keys),
        )
        for below, nested in self._below(path, variants).items():
            yield from self.read(below, tuple(nested))

    def _keys(self, path: tuple[str, ...], variant: _Variant, shared: Chosen) -> Iterator[Key]:
        infos = self.blueprint.infos(variant.schema)
        tags = {name for chosen in variant.chosen for name, _ in chosen[-1:]}
        for name, field in self.blueprint.fields(variant.schema).items():
            info = infos[name]
            attribute = _attribute(variant.model, info)
            yield Key(
                kind=self.kind,
                path=(*path, name),
                where=(),
                of=() if name in tags else (_label(variant, shared),),
                takes=takes(self.blueprint, field["schema"]),
                default=default_of(info),
                required=info.is_required(),
                asked=not path and name in ASKED.get(self.kind, ()),
                words=words_of(variant.model, attribute),
                loosens=loosening(guard_of(variant.model, attribute), optional=_may_be_absent(info)),
                section=any(True for _ in self._models((*path, name), field["schema"])),
            )

    def _below(self, path: tuple[str, ...], variants: tuple[_Variant, ...]) -> dict[tuple[str, ...], list[_Variant]]:
        """The models below `path`, by their places; one that is chosen in several ways stands there once."""
        found: dict[tuple[str, ...], list[_Variant]] = {}
        for variant in variants:
            for name, field in self.blueprint.fields(variant.schema).items():
                for place, chosen, schema in self._models((*path, name), field["schema"]):
                    ways = tuple((*outer, *chosen) for outer in variant.chosen)
                    at = found.setdefault(place, [])
                    known = next((each for each in at if each.schema["cls"] is schema["cls"]), None)
                    if known is None:
                        at.append(_Variant(schema, ways))
                    else:
                        at[at.index(known)] = replace(known, chosen=(*known.chosen, *ways))
        return found

    def _models(self, path: tuple[str, ...], schema: Schema) -> Iterator[tuple[tuple[str, ...], Chosen, Schema]]:
        """The models that may stand at `path`, in it as items, or under names of its own."""
        schema = self.blueprint.peel(schema)
        match schema["type"]:
            case "model" if not issubclass(schema["cls"], Unlisted):
                yield path, (), schema
            case "tagged-union":
                variant = self.blueprint.variant(schema, ())
                for tag, model in variant.models.items():
                    yield path, ((variant.key or "", tag),), self.blueprint.peel(model)
            case "union":
                for branch in self.blueprint.branches(schema):
                    yield from self._models(path, branch)
            case "tuple":
                for item in schema["items_schema"]:
                    yield from self._models((*path[:-1], f"{path[-1]}[]"), item)
            case "dict":
                yield from self._models((*path, ANY), schema["values_schema"])


def _attribute(model: type[BaseModel], info: FieldInfo) -> str:
    """What the models call a field, which is another name where the language writes ``C40-511``."""
    return next(name for name, each in model.model_fields.items() if each is info)


def _may_be_absent(info: FieldInfo) -> bool:
    return not info.is_required() and info.default is None


def _says(model: type[BaseModel]) -> str:
    """What a model says of itself, its own words only."""
    return " ".join((model.__dict__.get("__doc__") or "").replace("``", "`").split())


def _shared(variants: tuple[_Variant, ...]) -> Chosen:
    """What every way to every variant has in common, from the left."""
    ways = [chosen for variant in variants for chosen in variant.chosen]
    found: list[tuple[str, str]] = []
    for steps in zip(*ways, strict=False):
        if len(set(steps)) > 1:
            break
        found.append(steps[0])
    return tuple(found)


def _label(variant: _Variant, shared: Chosen) -> str:
    """The words that choose `variant` among its like: ``vae mlp``."""
    ways = (" ".join(word for _, word in chosen[len(shared) :]) for chosen in variant.chosen)
    return ", ".join(dict.fromkeys(filter(None, ways)))


def _needed(variants: tuple[_Variant, ...], shared: Chosen) -> tuple[str, ...]:
    """What has to be written elsewhere for this place to be there: ``family: diffusion``."""
    if shared and len(variants) > 1:
        return tuple(f"{name}: {word}" for name, word in shared)
    if len(variants) > 1:
        return ()
    ways = (" and ".join(f"{name}: {word}" for name, word in chosen) for chosen in variants[0].chosen)
    return tuple(filter(None, ways))


def _merged(labels: tuple[str, ...], found: Iterable[Key]) -> Iterator[Key]:
    """Keys that several variants have alike, told once; the word that chooses between variants takes any of theirs."""
    groups: dict[tuple[object, ...], list[Key]] = {}
    for key in found:
        alike = (key.path, key.takes if key.of else "", key.default, key.words, key.loosens)
        groups.setdefault(alike, []).append(key)
    for members in groups.values():
        of = tuple(dict.fromkeys(label for key in members for label in key.of))
        taken = dict.fromkeys(word for key in members for word in key.takes.split(" or "))
        yield replace(
            members[0],
            of=() if len(of) == len(labels) else of,
            takes=members[0].takes if members[0].of else " or ".join(taken),
        )
