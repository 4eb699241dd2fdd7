"""Asking a rule about a document of which something could not be read.

What a rule finds after it has looked at a damaged section is not believed: it may be a consequence of the damage. Which
sections it looks at is seen, not declared, by handing it stand-ins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.schema import Schema
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef

_SECTION = {"field": "fields", "with_role": "fields", "rules": "constraints", "pk": "keys", "aliases": "alias_map"}
"""Where what is asked of an SRef, or of the schema bound from it, comes from; anything else is called like its section."""


class Witness:
    """Stands in for a document and notes whether one of its `damaged` sections is asked for."""

    __slots__ = ("_damaged", "_document", "_harmless")

    def __init__(self, document: object, damaged: frozenset[str]) -> None:
        self._document = document
        self._damaged = damaged
        self._harmless = True

    def __getattr__(self, name: str) -> object:
        if _SECTION.get(name, name) in self._damaged:
            self._harmless = False
        return getattr(self._document, name)

    def fresh(self) -> Callable[[], bool]:
        """Forget what was asked for; the answer tells whether all that is asked for from now on is sound."""
        self._harmless = True
        return lambda: self._harmless


class Witnesses:
    """A resolved spec whose three documents are witnesses; the spec itself when nothing of it is damaged."""

    def __init__(self, resolved: ResolvedSpec) -> None:
        spec, sref = Witness(resolved.spec, resolved.spec_lost), Witness(resolved.sref, resolved.sref_lost)
        schema = Witness(resolved.schema, resolved.sref_lost)
        self._all: tuple[Witness, ...] = ()
        self.stand_in = resolved
        if resolved.spec_lost or resolved.sref_lost:
            self._all = (spec, sref, schema)
            parts = {"spec": cast(EngineSpec, spec), "sref": cast(SRef, sref), "schema": cast(Schema, schema)}
            self.stand_in = replace(resolved, **parts)  # type: ignore[arg-type]  # the three of different types

    def fresh(self) -> Callable[[], bool]:
        """As `Witness.fresh`, of all three."""
        sound = [witness.fresh() for witness in self._all]
        return lambda: all(each() for each in sound)
