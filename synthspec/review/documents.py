"""Documents of one side of a change, each with the schema that it names on the same side."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

from pydantic import BaseModel

from synthspec.diag import Diagnostic, Outcome
from synthspec.ir.document import Document
from synthspec.ir.resolved import ResolvedSpec
from synthspec.parse import Composed, compose, read_source, validate_model
from synthspec.pipeline.front import KINDS
from synthspec.resolve import bind_schema, filled, without_gaps
from synthspec.review.trees import FolderTree, Tree, beside
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef

_MARK = b"synthspec/"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A document that could be read, or the findings that say why not."""

    path: str
    """From the root of its tree."""
    shown: str
    kind: str
    data: bytes = field(repr=False)
    document: Document[BaseModel] | None = None
    sref: Loaded | None = None
    faults: tuple[Diagnostic, ...] = ()

    @property
    def model(self) -> BaseModel | None:
        return None if self.document is None else self.document.model

    @cached_property
    def lines(self) -> frozenset[bytes]:
        """What it says, line by line in no order."""
        return frozenset(line.strip() for line in self.data.splitlines())

    @property
    def identity(self) -> tuple[bytes, bytes]:
        """The bytes that the meaning follows from."""
        return self.data, b"" if self.sref is None else self.sref.data

    def resolved(self) -> ResolvedSpec | None:
        """The spec with its bound schema; None where there is none, or its units cannot be understood."""
        if self.document is None or self.sref is None or self.sref.document is None:
            return None
        spec = cast("Document[EngineSpec]", self.document)
        sref = cast("Document[SRef]", self.sref.document)
        schema = bind_schema(sref)
        if schema.value is None or any(fault.is_error for fault in schema.diagnostics):
            return None
        return ResolvedSpec(
            spec=spec.model,
            sref=sref.model,
            schema=without_gaps(schema.value, spec.model, sref.model),
            filled=filled(spec.model, sref.model),
            spec_places=spec.places,
            sref_places=sref.places,
            root=Path(),
            path_source=self._path_source(sref.model),
        )

    def _path_source(self, sref: SRef) -> str:
        if sref.path is None or self.sref is None:
            return ""
        there = posixpath.join(posixpath.dirname(self.sref.path), sref.path.source)
        return posixpath.relpath(there, posixpath.dirname(self.path) or ".")


class Shelf:
    """The documents of a tree, each read once."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._loaded: dict[str, Loaded | None] = {}

    def load(self, path: str) -> Loaded | None:
        """The document at `path`; None where there is no file, or one that is none of ours."""
        if path not in self._loaded:
            data = self.tree.read(path)
            self._loaded[path] = None if data is None or not _may_be_ours(data) else self._read(path, data)
        return self._loaded[path]

    def read_as(self, path: str, kind: str) -> Loaded | None:
        """The file at `path` as a document of `kind`, whatever it says that it is; None where there is no file."""
        data = self.tree.read(path)
        if data is None or kind not in KINDS:
            return None
        read = read_source(data, self._shown(path)).then(compose).then(lambda found: _document(found, KINDS[kind]))
        return Loaded(path=path, shown=self._shown(path), kind=kind, data=data, faults=read.diagnostics)

    def all(self) -> dict[str, Loaded]:
        """Every document of the tree by its path."""
        found = ((path, self.load(path)) for path in self.tree.paths())
        return {path: document for path, document in found if document is not None}

    def _read(self, path: str, data: bytes) -> Loaded | None:
        shown = self._shown(path)
        composed = read_source(data, shown).then(compose)
        if composed.value is None:
            broken = Loaded(path=path, shown=shown, kind="", data=data, faults=composed.diagnostics)
            return broken if _MARK in data else None
        if _MARK not in data and not str(composed.value.value.get("apiVersion")).startswith(_MARK.decode()):
            return None
        kind = composed.value.value.get("kind")
        model = KINDS.get(str(kind))
        if model is None:
            return None
        read = _document(composed.value, model)
        faults = (*composed.diagnostics, *read.diagnostics)
        sref = self._sref(path, read.value) if kind == "EngineSpec" else None
        return Loaded(path=path, shown=shown, kind=str(kind), data=data, document=read.value, sref=sref, faults=faults)

    def _sref(self, path: str, document: Document[BaseModel] | None) -> Loaded | None:
        named = None if document is None else cast("EngineSpec", document.model).sref
        where = beside(path, named) if isinstance(named, str) else None
        found = None if where is None else self.load(where)
        return found if found is not None and found.kind == "SRef" else None

    def _shown(self, path: str) -> str:
        if isinstance(self.tree, FolderTree):
            return os.path.relpath(self.tree.root / path)
        return f"{self.tree.label}{path}"


def _may_be_ours(data: bytes) -> bool:
    """Whether `apiVersion: synthspec/...` may stand in a file: as it is, or behind escapes of quoted text."""
    return _MARK in data or b"\\" in data


def _document(composed: Composed, model: type[BaseModel]) -> Outcome[Document[BaseModel]]:
    read = validate_model(composed, model)
    value = None if read.value is None else Document(read.value, composed.places)
    return Outcome(value, read.diagnostics)
