"""Which fields have cells that can be counted: by what the SRef says of them alone. Pure: no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.backend.columns import find_field
from synthspec.ir.field_types import FLOATS
from synthspec.ir.ops import Statistics
from synthspec.ir.schema import Field
from synthspec.ir.statistics import CONDITIONS, EMBEDDING, MARGINALS, OFFERED
from synthspec.spec.data import Constant

HISTOGRAM_MOST = 20_000
"""Cells of a histogram of conditions; beyond, most of it would be noise."""
BLOCKS, EMBEDDED_MOST = 20, 5000
"""Members of a field whose records are embedded by themselves, each under noise of its own; and of all categories."""


def statistics_reasons(op: Statistics) -> Iterator[str]:
    """Why the statistics of `op` cannot be released."""
    yield from uncounted(op)
    if not op.sigma > 0:
        yield "the noise is not solved: pip install 'synthspec[privacy]', or write accountant: analytic"


def uncounted(op: Statistics) -> Iterator[str]:
    """What of the schema stands in the way of the statistics of `op`."""
    if op.kind in OFFERED and op.schema.modality != "tabular":
        yield f"records of modality {op.schema.modality} are not counted: only tables are"
    by_counts = tuple(name for name, how in op.fill if not isinstance(how, Constant))
    for name in dict.fromkeys((*op.fields, *by_counts)):
        field = find_field(op.schema, name)
        if field is None:
            yield f"{name!r} is no field of the SRef"
        elif reason := uncountable(field):
            yield reason
        elif name in op.fields and op.kind == CONDITIONS and not levels_of(field):
            yield f"{name!r} is a continuous condition; a histogram counts members of an enum"
    if op.kind == MARGINALS and len(op.fields) < 2:
        yield "marginals are of two fields or more"
    if op.kind == EMBEDDING and (members := _members(op)) > EMBEDDED_MOST:
        yield f"categories have {members} members in all; an embedding has at most {EMBEDDED_MOST}"
    if op.kind == CONDITIONS and cells_of(op) > HISTOGRAM_MOST:
        yield f"the conditions have {cells_of(op)} combinations; a histogram has at most {HISTOGRAM_MOST}"


def told_apart(field: Field) -> bool:
    """Whether the records of each member of `field` may be embedded by themselves."""
    return field.dtype in ("categorical", "bool") and levels_of(field) <= BLOCKS


def _members(op: Statistics) -> int:
    """Members of all categories of `op`."""
    known = [field for name in op.fields if (field := find_field(op.schema, name)) is not None]
    return sum(levels_of(field) for field in known if field.dtype in ("categorical", "bool"))


def cells_of(op: Statistics) -> int:
    """Combinations of the fields of `op`; 0 where one of them is continuous."""
    total = 1
    for name in op.fields:
        field = find_field(op.schema, name)
        total *= 0 if field is None else levels_of(field)
    return total


def levels_of(field: Field) -> int:
    """Members of `field`, a gap counted where it may have one; 0 where it is continuous."""
    if field.dtype == "bool":
        return 2
    return len(field.enum) + field.nullable if field.enum else 0


def uncountable(field: Field) -> str:
    """Why `field` has no public cells; empty when it has."""
    if field.shape:
        return f"{field.name!r} has axes, and noisy statistics are of single values"
    if field.dtype in ("string", "timestamp"):
        return f"{field.name!r} is of dtype {field.dtype}, which has no cells that the SRef gives"
    if field.dtype == "categorical":
        return "" if field.enum else f"{field.name!r} has no enum"
    if field.nullable and field.dtype not in FLOATS:
        return f"{field.name!r} is nullable and {field.dtype}, which cannot say that a value is missing"
    if field.dtype != "bool" and not field.enum and field.range is None:
        return f"{field.name!r} has no range that says what its cells are"
    return ""
