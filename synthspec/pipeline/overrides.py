"""``--set path=value``: a change made to a spec on the command line, recorded with everything that follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.parse import Composed, Value, compose
from synthspec.text import Source


def apply_overrides(composed: Composed, overrides: tuple[tuple[str, str], ...]) -> Outcome[Composed]:
    """`composed` with each override made, in order. A path is dotted (``sampling.n``); a value is read as YAML."""
    value: Value = composed.value
    for path, text in overrides:
        read = _read(path, text)
        if read.value is None:
            return failure(read.diagnostics)
        try:
            value = _changed(value, path.split("."), read.value.value["value"])
        except (KeyError, ValueError):
            return failure(
                [_fault(path, text, "there is nothing to set there", "write the path from the top: sampling.n")]
            )
    return Outcome(replace(composed, value=cast("dict[str, Value]", value)))


def _read(path: str, text: str) -> Outcome[Composed]:
    if not path or not all(path.split(".")):
        return failure(
            [_fault(path, text, "the path is empty or has an empty part", "for instance --set sampling.n=64")]
        )
    read = compose(Source(f"--set {path}", f"value: {text}"))
    if read.ok and read.value is not None and set(read.value.value) != {"value"}:
        return failure([_fault(path, text, "the value is more than one value", "set one key at a time")])
    return read if read.ok else failure(read.diagnostics)


def _changed(node: Value, path: list[str], new: Value) -> Value:
    key, rest = path[0], path[1:]
    if isinstance(node, dict):
        inner = _changed(node.get(key, {}), rest, new) if rest else new
        return {**node, key: inner}
    if isinstance(node, tuple):
        place = int(key)
        if not 0 <= place < len(node):
            raise KeyError(key)
        inner = _changed(node[place], rest, new) if rest else new
        return (*node[:place], inner, *node[place + 1 :])
    raise KeyError(key)


def _fault(path: str, text: str, message: str, help_text: str) -> Diagnostic:
    return Diagnostic(code="schema.bad-value", message=f"--set {path}={text}: {message}", help=help_text)
