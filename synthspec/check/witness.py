"""Asking a rule about a document of which something could not be read.

A rule that looks at a damaged section is not believed: what it finds may be a consequence of the damage. Which sections it
looks at is seen, not declared, by handing it stand-ins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from synthspec.diag import Diagnostic
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.schema import Schema
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef

_SECTION = {"field": "fields", "with_role": "fields", "rules": "constraints", "pk": "keys", "aliases": "alias_map"}
"""Where what is asked of an SRef, or of the schema bound from it, comes from; anything else is called like its section."""


class Witness:
    """Stands in for a document and notes which of its sections are asked for."""

    __slots__ = ("_asked", "_document")

    def __init__(self, document: object) -> None:
        self._document = document
        self._asked: set[str] = set()

    def __getattr__(self, name: str) -> object:
        self._asked.add(_SECTION.get(name, name))
        return getattr(self._document, name)

    def saw(self, sections: frozenset[str]) -> bool:
        """Whether one of `sections` was asked for."""
        return not sections.isdisjoint(self._asked)


def believed(ask: Callable[[ResolvedSpec], tuple[Diagnostic, ...]], resolved: ResolvedSpec) -> tuple[Diagnostic, ...]:
    """What `ask` finds in `resolved`, or nothing when it looked at a damaged section."""
    if not resolved.spec_lost and not resolved.sref_lost:
        return ask(resolved)
    spec, sref, schema = Witness(resolved.spec), Witness(resolved.sref), Witness(resolved.schema)
    found = ask(replace(resolved, spec=cast(EngineSpec, spec), sref=cast(SRef, sref), schema=cast(Schema, schema)))
    damaged = spec.saw(resolved.spec_lost) or sref.saw(resolved.sref_lost) or schema.saw(resolved.sref_lost)
    return () if damaged else found
