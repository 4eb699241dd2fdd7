"""``--set path=value``: a change made to a spec on the command line, recorded with everything that follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.parse import Composed, Value, compose
from synthspec.text import Path, Place, Places, Source


def apply_overrides(composed: Composed, overrides: tuple[tuple[str, str], ...]) -> Outcome[Composed]:
    """`composed` with each override made, in order. A path is dotted (``sampling.n``); a value is read as YAML."""
    value: Value = composed.value
    places = composed.places
    for path, text in overrides:
        read = _read(path, text)
        if read.value is None:
            return failure(read.diagnostics)
        try:
            where = _path(value, path.split("."))
            value = _changed(value, where, read.value.value["value"])
        except (KeyError, ValueError):
            return failure(
                [_fault(path, text, "there is nothing to set there", "write the path from the top: sampling.n")]
            )
        places = _moved(places, where, read.value.places)
    return Outcome(replace(composed, value=cast("dict[str, Value]", value), places=places))


def _moved(places: Places, where: Path, new: Places) -> Places:
    """`places` with what lies at `where` pointing into the command line: that is where a mistake in it was made."""
    kept = {path: place for path, place in places.items() if path[: len(where)] != where}
    typed = {(*where, *path[1:]): Place(place.value) for path, place in new.items() if path[:1] == ("value",)}
    return Places(places.source, kept | typed)


def _read(path: str, text: str) -> Outcome[Composed]:
    if not path or not all(path.split(".")):
        return failure(
            [_fault(path, text, "the path is empty or has an empty part", "for instance --set sampling.n=64")]
        )
    read = compose(Source(f"--set {path}", f"value: {text}"))
    if read.ok and read.value is not None and set(read.value.value) != {"value"}:
        return failure([_fault(path, text, "the value is more than one value", "set one key at a time")])
    return read if read.ok else failure(read.diagnostics)


def _path(node: Value, parts: list[str]) -> Path:
    """`parts` as keys and list indices of `node`. Raises ValueError for a list index that is no number, KeyError beyond."""
    path: list[str | int] = []
    inner: Value = node
    for part in parts:
        if isinstance(inner, tuple):
            number = int(part)
            if not 0 <= number < len(inner):
                raise KeyError(part)
            path.append(number)
            inner = inner[number]
        elif isinstance(inner, dict):
            path.append(part)
            inner = inner.get(part, {})
        else:
            raise KeyError(part)
    return tuple(path)


def _changed(node: Value, path: Path, new: Value) -> Value:
    if not path:
        return new
    key, rest = path[0], path[1:]
    if isinstance(node, tuple) and isinstance(key, int):
        return (*node[:key], _changed(node[key], rest, new), *node[key + 1 :])
    found = cast("dict[str, Value]", node)
    return {**found, str(key): _changed(found.get(str(key), {}), rest, new)}


def _fault(path: str, text: str, message: str, help_text: str) -> Diagnostic:
    return Diagnostic(code="schema.bad-value", message=f"--set {path}={text}: {message}", help=help_text)
