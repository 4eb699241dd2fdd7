"""From a file to a checked spec: read, parse, resolve, check."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from synthspec.check import check, check_sref, independent, without_choice
from synthspec.diag import Diagnostic, Outcome, did_you_mean, failure
from synthspec.ir.document import Document
from synthspec.ir.resolved import CheckedSpec, ResolvedSpec
from synthspec.parse import Composed, compose, read_model, read_source, validate_model
from synthspec.pipeline.overrides import apply_overrides
from synthspec.resolve import Folders, bind_schema, find_root, link, sref_path
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.policy import Policy
from synthspec.spec.sref import SRef
from synthspec.text import Places, Source

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
KINDS: Mapping[str, type[BaseModel]] = {"EngineSpec": EngineSpec, "SRef": SRef, "Policy": Policy}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may say beside the file."""

    today: date
    """Waivers are judged at this day."""
    allow_outside: bool = False
    overrides: tuple[tuple[str, str], ...] = ()
    """``--set`` changes: (path, value) as they were typed."""
    ignore_errors: bool = False
    """Whether a comment beside a line may excuse an error; it always may a warning. Nothing runs on the word of a comment."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A file to check: where it lies, the name it is shown under, and its bytes when they come from elsewhere (stdin)."""

    path: Path
    name: str
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it was written, and what its model makes of it."""

    composed: Composed
    model: BaseModel


def spot(path: Path) -> Spot:
    """`path` shown as the user would type it from where they stand."""
    shown = os.path.relpath(path)
    return Spot(path, str(path) if shown.startswith("..") and path.is_absolute() else shown)


def validate(place: Spot, options: Options) -> Outcome[CheckedSpec | SRef | Policy]:
    """Everything that can be said about one file without running it.

    Raises OSError when the file cannot be read.
    """
    composed = _compose(place)
    if composed.value is None:
        return failure(composed.diagnostics)
    kind = composed.value.value.get("kind")
    if kind == "SRef":
        return _sound(_plus(composed.diagnostics, _validate_sref(composed.value, options)))
    if kind == "Policy":
        return _sound(_plus(composed.diagnostics, validate_model(composed.value, Policy)))
    if kind != "EngineSpec":
        return failure([*composed.diagnostics, _unknown_kind(composed.value)])
    resolved = _resolve(place, composed.value, options)
    before = composed.diagnostics + resolved.diagnostics
    if resolved.value is None:
        return failure(before)
    checked = _check(resolved.value, options)
    later = independent(checked.diagnostics, before)
    found = without_choice(before, later) + later
    return failure(found) if any(fault.is_error for fault in before) else Outcome(checked.value, found)


def load_spec(place: Spot, options: Options) -> Outcome[CheckedSpec]:
    """The checked EngineSpec in a file; any other kind of document is a finding.

    Raises OSError when the file cannot be read.
    """
    outcome = validate(place, options)
    if isinstance(outcome.value, SRef | Policy):
        is_one = "an SRef: it describes data" if isinstance(outcome.value, SRef) else "a Policy: it judges changes"
        message = f"{place.name} is {is_one} and has nothing to run"
        fault = Diagnostic(code="schema.bad-value", message=message, help="name the EngineSpec that uses it")
        return failure([*outcome.diagnostics, fault])
    return Outcome(outcome.value, outcome.diagnostics)


def draft(place: Spot, options: Options, excused: frozenset[str]) -> Outcome[ResolvedSpec]:
    """The EngineSpec in a file that is still being written: faults whose code is among `excused` are not found.

    Nothing can be compiled from it: only `check` builds what `lower` takes. Raises OSError when the file cannot be read.
    """
    composed = _compose(place)
    if composed.value is None:
        return failure(composed.diagnostics)
    if composed.value.value.get("kind") != "EngineSpec":
        return failure([*composed.diagnostics, _unknown_kind(composed.value)])
    resolved = _resolve(place, composed.value, options)
    before = composed.diagnostics + resolved.diagnostics
    if resolved.value is None:
        return failure(before)
    asked = independent(_check(resolved.value, options).diagnostics, before)
    found = tuple(each for each in (*before, *asked) if each.code not in excused)
    return failure(found) if any(each.is_error for each in found) else Outcome(resolved.value, found)


def read_written(place: Spot) -> Outcome[Written]:
    """One document by itself: no rule is asked, and no other file is read.

    Raises OSError when the file cannot be read.
    """
    composed = _compose(place)
    if composed.value is None:
        return failure(composed.diagnostics)
    kind = KINDS.get(str(composed.value.value.get("kind")))
    if kind is None:
        return failure([*composed.diagnostics, _unknown_kind(composed.value)])
    read = validate_model(composed.value, kind)
    value = None if read.value is None else Written(composed.value, read.value)
    return Outcome(value, composed.diagnostics + read.diagnostics)


def data_of(place: Spot) -> bytes:
    """The bytes to check. Raises OSError, with the name of the file, when they cannot be read."""
    return _bytes(place.path) if place.data is None else place.data


def _compose(place: Spot) -> Outcome[Composed]:
    return read_source(data_of(place), place.name).then(compose)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        # A failure after opening carries no name, and the user gave several.
        error.filename = error.filename or str(path)
        raise


def _resolve(place: Spot, composed: Composed, options: Options) -> Outcome[ResolvedSpec]:
    changed = apply_overrides(composed, options.overrides)
    if changed.value is None:
        return failure(changed.diagnostics)
    spec = _document(changed.value, EngineSpec)
    if spec.value is None:
        return failure(spec.diagnostics)
    folder, root = place.path.resolve().parent, find_root(place.path)
    found = sref_path(spec.value, folder, root, allow_outside=options.allow_outside)
    sref = failure(found.diagnostics) if found.value is None else load_sref(found.value)
    beside = folder if found.value is None else found.value.parent
    folders = Folders(spec=folder, sref=beside, root=root, allow_outside=options.allow_outside)
    linked = link(spec.value, _unread_sref() if sref.value is None else sref.value, folders)
    value = None if linked.value is None else replace(linked.value, overrides=options.overrides)
    before = spec.diagnostics + sref.diagnostics
    return Outcome(value, before + independent(linked.diagnostics, before))


@lru_cache(maxsize=1)
def _unread_sref() -> Document[SRef]:
    """What stands for an SRef that could not be read: nothing in it is known, so no rule that looks at it is believed."""
    nothing = Composed({}, Places(Source("", ""), {}))
    stand_in = read_model(nothing, SRef).value
    if stand_in is None:
        raise AssertionError("something can stand in for every key of an SRef")
    return Document(stand_in.model, nothing.places, frozenset((name,) for name in SRef.model_fields))


def _check(resolved: ResolvedSpec, options: Options) -> Outcome[CheckedSpec]:
    asked = check(resolved, options.today)
    documents = (resolved.spec_places, resolved.sref_places)
    kept = _unexcused(asked.diagnostics, documents, options)
    if asked.value is None or any(found.is_error for found in kept):
        return failure(kept)
    return Outcome(replace(asked.value, warnings=kept), kept)


def _unexcused(
    found: tuple[Diagnostic, ...], documents: tuple[Places, ...], options: Options
) -> tuple[Diagnostic, ...]:
    if not any("synthspec:" in places.source.text for places in documents):
        return found
    from synthspec.check.ignores import apply_ignores

    return apply_ignores(found, documents, options.today, errors=options.ignore_errors)


def load_sref(path: Path) -> Outcome[Document[SRef]]:
    """The SRef at `path`. Raises OSError when the file cannot be read."""
    place = spot(path)
    return _read_sref(replace(place, data=data_of(place)))


@lru_cache(maxsize=16)
def _read_sref(place: Spot) -> Outcome[Document[SRef]]:
    """The SRef in the bytes of `place`: many specs share one, and nothing in the answer can be changed."""
    composed = _compose(place)
    if composed.value is None:
        return failure(composed.diagnostics)
    return _plus(composed.diagnostics, _document(composed.value, SRef))


def _validate_sref(composed: Composed, options: Options) -> Outcome[SRef]:
    document = _document(composed, SRef)
    if document.value is None:
        return failure(document.diagnostics)
    bound = independent(bind_schema(document.value).diagnostics, document.diagnostics)
    before = document.diagnostics + bound
    asked = _unexcused(check_sref(document.value), (document.value.places,), options)
    found = before + independent(asked, before)
    return failure(found) if any(fault.is_error for fault in found) else Outcome(document.value.model, found)


def _document(composed: Composed, model: type[M]) -> Outcome[Document[M]]:
    read = read_model(composed, model)
    if read.value is None:
        return failure(read.diagnostics)
    return Outcome(Document(read.value.model, composed.places, read.value.lost), read.diagnostics)


def _unknown_kind(composed: Composed) -> Diagnostic:
    kind = composed.value.get("kind")
    span = composed.places.value(("kind",))
    if kind is None:
        return Diagnostic(
            code="schema.missing-key",
            message="a document says its kind, and this one does not",
            help="write 'kind: EngineSpec', 'kind: SRef' or 'kind: Policy'",
            span=span,
        )
    message = f"{kind!r} is not a kind of document that this version reads"
    return Diagnostic(
        code="schema.bad-value", message=message, help=did_you_mean(str(kind), KINDS), span=span, path=("kind",)
    )


def _sound(outcome: Outcome[T]) -> Outcome[T]:
    """`outcome` without its value when there is an error."""
    return outcome if outcome.ok else failure(outcome.diagnostics)


def _plus(before: tuple[Diagnostic, ...], outcome: Outcome[T]) -> Outcome[T]:
    return Outcome(outcome.value, before + outcome.diagnostics)
