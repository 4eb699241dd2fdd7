"""Putting a spec and its schema together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.ir.document import Document
from synthspec.ir.resolved import ResolvedSpec
from synthspec.resolve.gaps import filled, without_gaps
from synthspec.resolve.paths import BadPath, Wanted, locate
from synthspec.resolve.schema import bind_schema
from synthspec.resolve.sources import DATA, find_source
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.text import Path as Where
from synthspec.text import Places

SREF = Wanted("SRef", endings=(".yaml", ".yml"))
WEIGHTS = Wanted("file of weights", endings=(".safetensors",))


def sref_path(spec: Document[EngineSpec], folder: Path, root: Path, *, allow_outside: bool = False) -> Outcome[Path]:
    """The file of the SRef that `spec`, lying in `folder`, names; nothing where the name itself could not be read."""
    named = spec.model.sref
    where: Where = ("sref",)
    if not spec.is_sound(where):
        return failure(())
    if not isinstance(named, str):
        message = f"{named.name} {named.version} names a registered SRef, and no registry is configured"
        registered = BadPath("schema.not-found", message, "write the path of the SRef file")
        return failure([_diagnostic(registered, spec.places, where)])
    try:
        found = locate(named, folder, root, allow_outside=allow_outside, wanted=SREF)
    except BadPath as fault:
        return failure([_diagnostic(fault, spec.places, where)])
    if found.is_dir():
        folder_named = BadPath("schema.not-found", f"{named!r} is a folder", "name the SRef file in it")
        return failure([_diagnostic(folder_named, spec.places, where)])
    return Outcome(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where the two documents lie (each document's paths count from its own folder), and what no path may leave."""

    spec: Path
    sref: Path
    root: Path
    allow_outside: bool = False


def link(spec: Document[EngineSpec], sref: Document[SRef], folders: Folders) -> Outcome[ResolvedSpec]:
    """Bind `spec` to its schema and to the files that both name."""
    schema = bind_schema(sref)
    found: list[Diagnostic] = list(schema.diagnostics)
    data_file = None
    try:
        source = spec.model.data.source
        if spec.is_sound(("data", "source")):
            data_file = find_source(source, folders.spec, folders.root, allow_outside=folders.allow_outside)
    except BadPath as fault:
        found.append(_diagnostic(fault, spec.places, ("data", "source")))
    for name, reference in (spec.model.data.references or {}).items():
        _, faults = _optional(
            reference.source, spec, ("data", "references", name, "source"), folders.spec, folders, DATA
        )
        found += faults
    for weights, where in _weights(spec):
        _, faults = _optional(weights, spec, where, folders.spec, folders, WEIGHTS)
        found += faults
    path_file, faults = _optional(_signal_path(sref), sref, ("path", "source"), folders.sref, folders, DATA)
    found += faults
    if schema.value is None:
        return failure(found)
    resolved = ResolvedSpec(
        spec=spec.model,
        sref=sref.model,
        schema=without_gaps(schema.value, spec.model, sref.model),
        filled=filled(spec.model, sref.model),
        spec_places=spec.places,
        sref_places=sref.places,
        root=folders.root,
        data_file=data_file,
        spec_lost=spec.lost,
        sref_lost=sref.lost,
        path_source="" if path_file is None else Path(os.path.relpath(path_file, folders.spec.resolve())).as_posix(),
    )
    return Outcome(resolved, tuple(found))


def _weights(spec: Document[EngineSpec]) -> Iterator[tuple[str | None, Where]]:
    evaluation, training = spec.model.evaluation, spec.model.training
    if evaluation is not None:
        yield evaluation.features.weights, ("evaluation", "features", "weights")
    if training is not None and training.init_from is not None:
        yield training.init_from.path, ("training", "init_from", "weights")


def _signal_path(sref: Document[SRef]) -> str | None:
    return None if sref.model.path is None else sref.model.path.source


def _optional(
    text: str | None, document: Document[Any], where: Where, folder: Path, folders: Folders, wanted: Wanted
) -> tuple[Path | None, list[Diagnostic]]:
    if text is None or not document.is_sound(where):
        return None, []
    try:
        return locate(text, folder, folders.root, allow_outside=folders.allow_outside, wanted=wanted), []
    except BadPath as fault:
        return None, [_diagnostic(fault, document.places, where)]


def _diagnostic(fault: BadPath, places: Places, where: Where) -> Diagnostic:
    return Diagnostic(code=fault.code, message=fault.message, help=fault.help, span=places.value(where), path=where)
