"""Arguments as the sections of a spec: the same words, the same rules, the same places in the findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, cast

from synthspec.bindings.faults import refused
from synthspec.ir.emit import emit
from synthspec.parse import Value
from synthspec.pipeline.front import Options, Spot

Section = Mapping[str, object]
"""A section of a spec as plain Python: mappings, sequences, text, numbers, truth values; quantities as text."""


class Sections(TypedDict, total=False):
    """What else a spec says of training and sampling (language section 4); left out, as `starting` says."""

    training: Section
    stability: Section
    conditioning: Section
    timebase: Section
    arrival: Section
    backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecText:
    """A spec that is put together from sections; each method gives another one."""

    sections: Mapping[str, Value]

    def with_(self, **sections: object) -> SpecText:
        """The same spec with `sections` in the place of its own; None takes one out."""
        changed = dict(self.sections) | {name: plain(value, name) for name, value in sections.items()}
        return SpecText(sections={name: value for name, value in changed.items() if value is not None})

    def section(self, name: str) -> dict[str, Value]:
        """The mapping called `name`; empty when the spec does not say it."""
        found = self.sections.get(name)
        return dict(found) if isinstance(found, dict) else {}

    def spot(self, folder: Path, called: str) -> Spot:
        """The document as `validate` reads one that lies in `folder`, shown as `called`."""
        try:
            text = emit(dict(self.sections))
        except ValueError as error:
            raise refused("schema.bad-value", f"{called}: {error}", "write finite numbers") from None
        return Spot(folder / "binding.yaml", called, text.encode())


def options() -> Options:
    """How documents of bindings are read: who calls Python may name any file."""
    return Options(today=datetime.now(UTC).date(), allow_outside=True)


def plain(value: object, where: str) -> Value:
    """`value` as a document holds it. Raises BindingError for what no document can say."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return tuple(plain(item, where) for item in value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy
        return cast("Value", value.item())
    raise refused(
        "schema.wrong-type",
        f"{where}: a {type(value).__name__} is nothing that a spec can say",
        "write mappings, lists, text, numbers and truth values",
    )


def named(value: str | Section, key: str = "name") -> Section:
    """A section that may be given by its name alone."""
    return {key: value} if isinstance(value, str) else value
