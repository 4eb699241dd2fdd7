"""The expressions of an SRef, derived fields and rules, over the types of its fields (P405-7, `check_dim`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from synthspec.diag import Diagnostic
from synthspec.expr import BOOLEAN, Number, infer, names, parse, to_text
from synthspec.expr.types import Type
from synthspec.ir.document import Document
from synthspec.ir.field_types import NUMBERS, row_types
from synthspec.ir.schema import Field, Rule, Schema
from synthspec.spec.sref import SRef
from synthspec.text import Path


def understood(
    schema: Schema, sref: Document[SRef], doubtful: frozenset[str | int]
) -> tuple[Schema, tuple[Diagnostic, ...]]:
    """`schema` with its derived fields and rules in canonical text, each checked, and what is wrong with them.

    `doubtful` are the numbers of the fields whose type cannot be told.
    """
    reader = _Reader(schema, sref, doubtful)
    fields = tuple(
        replace(field, expr=reader.canonical(field.expr, _wanted(field), ("fields", number, "expr")))
        if field.expr
        else field
        for number, field in enumerate(schema.fields)
    )
    rules = tuple(
        Rule(
            id=rule.id,
            expr=reader.canonical(rule.expr, BOOLEAN, ("constraints", number, "expr")),
            severity=rule.severity,
        )
        for number, rule in enumerate(sref.model.constraints)
    )
    return replace(schema, fields=fields, rules=rules), tuple(reader.found)


class _Reader:
    def __init__(self, schema: Schema, sref: Document[SRef], doubtful: frozenset[str | int]) -> None:
        self.places, self.types = sref.places, row_types(schema)
        self.unknown = frozenset(
            field.name
            for number, field in enumerate(schema.fields)
            if number in doubtful or (field.dtype in NUMBERS and not field.unit)
        )
        """The names whose type is not known."""
        self.found: list[Diagnostic] = []

    def canonical(self, text: str, expected: Type | None, where: Path) -> str:
        parsed = parse(text, self.places.value(where), where)
        self.found += parsed.diagnostics
        if parsed.value is None:
            return text
        if self.unknown.isdisjoint(name for name, _ in names(parsed.value)):
            self.found += _conserved(infer(parsed.value, self.types, expected=expected).diagnostics)
        return to_text(parsed.value)


def _conserved(faults: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """`faults` of one expression as the axiom of conservation names them: dimensions of fields, not a slip in one literal.

    The first that does not balance is told: what is wrong with a field's unit shows wherever the field is used.
    """
    told = False
    for fault in faults:
        if fault.code != "unit.dim-mismatch":
            yield fault
        elif not told:
            told = True
            yield replace(fault, code="P405-7.dimension-mismatch")


def _wanted(field: Field) -> Type | None:
    return Number.of(field.unit) if field.unit else None
