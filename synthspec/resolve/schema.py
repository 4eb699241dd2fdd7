"""SRef -> Schema: units read, dimensions agreed, expressions understood (P403-3, P405-7)."""

from __future__ import annotations

from synthspec.diag import Diagnostic, Outcome
from synthspec.ir.document import ANY_KEY, Document
from synthspec.ir.schema import Field, Schema
from synthspec.spec.sref import SRef, SRefField
from synthspec.text import Path, Span
from synthspec.units import Unit, UnitError, parse_dimension, parse_unit

COLUMNS = {"ell": "km", "x": "m", "y": "m", "z": "m", "c_ref": "m/s"}
"""The columns of a path with a unit that each may have (reference 4.2); that n_eff has none is a rule of names."""


def bind_schema(sref: Document[SRef]) -> Outcome[Schema]:
    """The schema of `sref`, with everything that is wrong with its units and expressions.

    Diagnostics: `unit.*`, `expr.*`, and `P405-7.dimension-mismatch` where an expression over fields does not balance. An
    expression is not blamed for a field: one that reads a field whose unit cannot be read, or is not there, is not
    inferred, and none is looked at when it cannot be told what the fields are called.
    """
    binder = _Binder(sref)
    fields = tuple(binder.field(number, field) for number, field in enumerate(sref.model.fields))
    schema = Schema(
        modality=sref.model.modality,
        fields=fields,
        pk=() if sref.model.keys is None else sref.model.keys.pk,
        aliases=tuple(sref.model.alias_map.items()),
    )
    binder.path()
    told = not any(path[0] == ANY_KEY or (path[0] == "fields" and _unnamed(path)) for path in sref.lost)
    if told and (sref.model.constraints or any(field.expr for field in fields)):
        # Many schemas have no expression, and need nothing of the language of expressions.
        from synthspec.resolve.expressions import understood

        schema, faults = understood(schema, sref, frozenset(binder.doubtful))
        binder.found += faults
    return Outcome(schema, tuple(binder.found))


def _unnamed(lost: Path) -> bool:
    """Whether the loss of a part of `fields` leaves it open what one of them is called."""
    return len(lost) < 3 or lost[2] in {"name", ANY_KEY}


class _Binder:
    def __init__(self, sref: Document[SRef]) -> None:
        self.sref = sref
        self.found: list[Diagnostic] = []
        self.doubtful = {path[1] for path in sref.lost if path[0] == "fields" and len(path) > 1}
        """The numbers of the fields that could not be read, and of those whose unit cannot."""

    def field(self, number: int, field: SRefField) -> Field:
        where: Path = ("fields", number)
        before = len(self.found)
        unit = self._unit(field.unit, (*where, "unit"))
        self._dimension(field, unit, (*where, "dim"))
        if len(self.found) > before:
            self.doubtful.add(number)
        return Field(
            name=field.name,
            role=field.role,
            dtype=field.dtype,
            shape=field.shape or (),
            unit="" if unit is None else unit.symbol,
            dimension="" if unit is None else str(unit.dimension),
            nullable=field.nullable,
            enum=field.enum or (),
            range=field.range,
            resolution=field.resolution,
            expr=field.expr or "",
        )

    def path(self) -> None:
        """Look at the units of the columns along gamma(ell): what the integrals of T_arr are made of has one dimension."""
        described = self.sref.model.path
        for number, column in enumerate(() if described is None else described.fields):
            where: Path = ("path", "fields", number, "unit")
            unit, due = self._unit(column.unit, where), COLUMNS.get(column.name)
            if unit is not None and due is not None and unit.dimension != parse_unit(due).dimension:
                message = f"{column.name} is {parse_unit(due).dimension.describe()}, and {unit} is {unit.dimension.describe()}"
                self._fault("unit.dim-mismatch", message, f"write a unit such as {due}", where)

    def _unit(self, text: str | None, where: Path) -> Unit | None:
        if text is None:
            return None
        try:
            return parse_unit(text)
        except UnitError as error:
            span = self._inside(where, text, error.start, error.end)
            self.found.append(
                Diagnostic(code=error.code, message=error.message, help=error.help, span=span, path=where)
            )
            return None

    def _inside(self, where: Path, text: str, start: int, end: int) -> Span:
        """The characters `start` to `end` of a scalar: exact where it stands in the source as it reads."""
        span = self.sref.places.value(where)
        if span.text != text:
            return span
        return Span(span.source, span.start + start, span.start + max(end, start + 1))

    def _dimension(self, field: SRefField, unit: Unit | None, where: Path) -> None:
        if field.dim is None:
            return
        try:
            stated = parse_dimension(field.dim)
        except UnitError as error:
            self._fault(error.code, error.message, error.help, where)
            return
        if unit is not None and stated != unit.dimension:
            self._fault(
                "unit.unit-dim-disagree",
                f"{field.name} has the unit {unit}, which is {unit.dimension.describe()}, but dim says {stated}",
                f"leave dim out, or write {unit.dimension}",
                where,
            )

    def _fault(self, code: str, message: str, help_text: str, where: Path) -> None:
        span = self.sref.places.value(where)
        self.found.append(Diagnostic(code=code, message=message, help=help_text, span=span, path=where))
