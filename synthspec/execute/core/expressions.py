"""The expressions of a schema over its columns: derived fields, rules, and the dimensions of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import DimCheck
from synthspec.backend.columns import column_dtype, spelled
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.expr import BOOLEAN, Expr, Kernel, Number, Type, compile_kernel, infer, names, parse
from synthspec.expr.tree import Binary
from synthspec.ir.field_types import row_types
from synthspec.ir.schema import Field, Rule, Schema
from synthspec.units import parse_dimension, parse_unit

Columns = Mapping[str, Column]
_BLOCK = 1 << 16
"""Rows evaluated at a time: what an expression makes on its way stays in the cache of the processor."""


def derive(schema: Schema, columns: Columns) -> dict[str, Column]:
    """`columns` with every derived field computed from the others, replacing what it was.

    A field whose operands are not all there (a sample has no keys) is left out. Raises DataError when an integer field
    would have to hold a value that is no number.
    """
    result = {name: column for name, column in columns.items() if schema.field(name).role != "derived"}
    waiting = [field for field in schema.fields if field.expr]
    while waiting:
        ready = [field for field in waiting if all(name in result for name, _ in names(tree_of(field.expr)))]
        if not ready:
            break
        for field in ready:
            result[field.name] = _derived(field, schema, result)
        waiting = [field for field in waiting if field not in ready]
    return result


def _derived(field: Field, schema: Schema, columns: Columns) -> Column:
    kernel = _kernel(field.expr, schema, parse_unit(field.unit).symbol if field.unit else "")
    values = kernel(_operands(kernel, schema, columns))
    if field.dtype == "categorical":
        code = {spelled(member): number for number, member in enumerate(field.enum)}
        return np.array([code.get(value, -1) for value in values.tolist()], np.int64)
    dtype = np.dtype(column_dtype(field))
    if field.dtype == "bool" or dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.asarray(values).astype(dtype)
    if not np.isfinite(values).all():
        message = f"the derived field {field.name!r} has no value in some records, and {field.dtype} cannot say so"
        raise DataError("schema.bad-value", message, "declare it float64")
    return np.rint(values).astype(dtype)


def holds(rule: Rule, schema: Schema, columns: Columns) -> NDArray[np.bool_] | None:
    """Which records keep `rule`; None when a column that it names is not there.

    A record that lacks a value the rule names keeps it, as in SQL; a rule that asks ``isnull`` decides for itself.
    """
    kernel = _kernel(rule.expr, schema)
    if any(name not in columns for name in kernel.names):
        return None
    rows = len(next(iter(columns.values())))
    asked = () if "isnull(" in rule.expr else kernel.names
    excused = [schema.field(name) for name in asked if _can_lack(schema.field(name), columns[name])]
    kept, run = np.empty(rows, bool), kernel.run()
    for start in range(0, rows, _BLOCK):
        block = {name: columns[name][start : start + _BLOCK] for name in kernel.names}
        inside = kept[start : start + _BLOCK]
        inside[:] = run(_operands(kernel, schema, block))
        if excused and not inside.all():
            for field in excused:
                inside |= _absent(field, block[field.name])
    return kept


def excess(rule: Rule, schema: Schema, columns: Columns) -> tuple[NDArray[np.float64], str] | None:
    """By how much each record is beyond the bound of `rule`, in the unit that is named; None unless it compares numbers."""
    tree = tree_of(rule.expr)
    root = tree.root
    if not isinstance(root, Binary) or root.operator not in _BEYOND:
        return None
    low, high = (root.left, root.right) if _BEYOND[root.operator] else (root.right, root.left)
    difference = replace(tree, root=Binary("-", low, high))
    if infer(difference, row_types(schema)).value is None:
        return None
    kernel = compile_kernel(difference, row_types(schema))
    if any(name not in columns for name in kernel.names) or kernel.unit is None:
        return None
    found = np.asarray(kernel(_operands(kernel, schema, columns)), np.float64)
    amounts = np.broadcast_to(found, (len(next(iter(columns.values()))),))
    return np.abs(amounts) if root.operator == "==" else amounts, kernel.unit.symbol


_BEYOND = {"<": True, "<=": True, "==": True, ">": False, ">=": False}
"""Whether the left side is too large where a comparison fails."""


def _can_lack(field: Field, column: Column) -> bool:
    """Whether a record may have no value: samples of an engine may, whatever the field declares."""
    return field.dtype == "categorical" or column.dtype.kind == "f"


def _absent(field: Field, column: Column) -> NDArray[np.bool_]:
    if field.dtype == "categorical":
        return np.asarray(column == -1)
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)


def _operands(kernel: Kernel, schema: Schema, columns: Columns) -> dict[str, NDArray[np.generic] | list[str | None]]:
    return {name: readable(schema.field(name), columns[name]) for name in kernel.names}


def readable(field: Field, column: Column) -> NDArray[np.generic] | list[str | None]:
    """A stored column as people and expressions mean it: members for codes, instants for nanoseconds, text for bytes."""
    if field.dtype == "categorical":
        members = [*map(spelled, field.enum), None]
        return [members[code] if -1 <= code < len(field.enum) else None for code in column.tolist()]
    if field.dtype == "string":
        return [bytes(row).rstrip(b"\0").decode("utf-8", "replace") for row in np.asarray(column, np.uint8)]
    if field.dtype == "timestamp":
        return column.astype("datetime64[ns]")
    return column.astype(bool) if field.dtype == "bool" else column


def tree_of(expr: str) -> Expr:
    """The tree of an expression of a schema. Raises ValueError for one that was not checked."""
    tree = parse(expr).value
    if tree is None:
        raise ValueError(f"an expression that was checked cannot be parsed: {expr}")
    return tree


def _kernel(expr: str, schema: Schema, unit: str = "") -> Kernel:
    return compile_kernel(tree_of(expr), row_types(schema), parse_unit(unit) if unit else None)


def check_dimensions(schema: Schema) -> tuple[DimCheck, ...]:
    """C40-518: ``check_dim`` of every field with a unit, every derived field (``y - f(x)``) and every rule."""
    env = row_types(schema)
    units = [_unit_check(field) for field in schema.fields if field.unit]
    derived = [_derived_check(field, env) for field in schema.fields if field.expr]
    return (*units, *derived, *(_rule_check(rule, env) for rule in schema.rules))


def _unit_check(field: Field) -> DimCheck:
    found = parse_unit(field.unit).dimension
    return DimCheck(expr=field.name, dimension=str(found), ok=found == parse_dimension(field.dimension or "1"))


def _derived_check(field: Field, env: Mapping[str, Type]) -> DimCheck:
    outcome = infer(tree_of(field.expr), env, expected=Number.of(field.unit) if field.unit else None)
    return DimCheck(expr=f"{field.name} - ({field.expr})", dimension=_dimension(outcome.value), ok=outcome.ok)


def _rule_check(rule: Rule, env: Mapping[str, Type]) -> DimCheck:
    outcome = infer(tree_of(rule.expr), env, expected=BOOLEAN)
    return DimCheck(expr=rule.expr, dimension=_dimension(outcome.value), ok=outcome.ok)


def _dimension(found: Type | None) -> str:
    """The dimension of a number; truth values and text have none and are written as ``[1]``."""
    if found is None:
        return "mismatch"
    return str(found.kind.dimension) if isinstance(found, Number) else "[1]"
