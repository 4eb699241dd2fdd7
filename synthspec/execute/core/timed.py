"""What the core cannot put on a time base or integrate along; asked before anything runs. Pure: no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.expr import names, parse
from synthspec.ir.field_types import NUMBERS
from synthspec.ir.ops import Align, Arrive
from synthspec.ir.schema import Field, Schema

ZONES = frozenset({"UTC", "Z", "Etc/UTC"})
POINTS = ("x", "y", "z")


def align_reasons(op: Align) -> Iterator[str]:
    """Why the records of `op` cannot be given a place in time."""
    anchors = (op.timebase.train_on, op.timebase.publish_on)
    times = {field.name: field for field in op.schema.with_role("time")}
    for name in (name for name in anchors if name not in times):
        yield f"{name!r} is no field with the role time"
    for name, field in times.items():
        if name not in anchors:
            yield f"{name!r} is a third time; records get {anchors[0]!r} and {anchors[1]!r} only"
        elif field.shape or field.nullable:
            yield f"{name!r} has to be one instant in every record"
    if op.timezone not in ZONES:
        yield f"instants are published in UTC only, not in {op.timezone}"
    if anchors[0] in times and times[anchors[0]].dtype not in NUMBERS:
        yield f"{anchors[0]!r} is no number of seconds"
    if anchors[1] in times and times[anchors[1]].dtype != "timestamp":
        yield f"{anchors[1]!r} is of dtype {times[anchors[1]].dtype}; what is published is a timestamp"
    yield from _late(op.schema, frozenset(times))


def _late(schema: Schema, times: frozenset[str]) -> Iterator[str]:
    """Expressions over times: records are checked and completed before they get theirs."""
    derived = [(f"the derived field {field.name!r}", field.expr) for field in schema.fields if field.expr]
    rules = [(f"the constraint {rule.id!r}", rule.expr) for rule in schema.rules]
    for what, text in (*derived, *rules):
        tree = parse(text).value
        late = sorted(times.intersection(name for name, _ in names(tree))) if tree is not None else []
        if late:
            yield f"{what} reads {late[0]!r}, and records get their times after they are checked"


def arrive_reasons(op: Arrive) -> Iterator[str]:
    """Why `op` has nothing to integrate."""
    if not op.path.lower().endswith((".csv", ".npz")):
        yield f"{op.path}: the path is a table of several columns (read are csv and npz)"
    have = {column.name for column in op.columns}
    if "ell" not in have and not points(op.columns):
        yield "the path has neither a column ell nor points x, y"
    for name in ("n_eff", "c_ref"):
        if name not in have:
            yield f"the path has no column {name}"
    if op.c_ref0 is None:
        yield "form 1 has no c_ref0"
    if op.arrival.forms != "both":
        yield f"delta_form needs both forms, not {op.arrival.forms}"
    if op.arrival.quadrature is None:
        yield "no quadrature is stated"


def points(columns: tuple[Field, ...]) -> tuple[Field, ...]:
    """The coordinates of gamma, in the order x, y, z; empty where there are not at least x and y."""
    by_name = {column.name: column for column in columns}
    found = tuple(by_name[name] for name in POINTS if name in by_name)
    return found if len(found) >= 2 and found[0].name == "x" and found[1].name == "y" else ()
