"""Moving records that break linear constraints onto them, as little as it takes and no further than is allowed (M40-5.4).

The nearest record within all half-spaces and ranges, distances in shares of the fields' ranges: those are public, so under
a mechanism nothing private is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import column_dtype
from synthspec.backend.dataset import Column, Dataset
from synthspec.execute.core.content import allowed
from synthspec.execute.core.expressions import holds, tree_of
from synthspec.expr import HalfSpace, half_spaces
from synthspec.ir.evidence import Scalar
from synthspec.ir.field_types import INTEGERS, NUMBERS, row_types
from synthspec.ir.schema import Field, Schema

F64 = NDArray[np.float64]

CLOSE = 1e-12
"""Shares of a range that are no more than rounding."""
TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Moved:
    """The candidates after projection, and what it cost."""

    data: Dataset
    facts: tuple[tuple[str, Scalar], ...]


def project(schema: Schema, candidates: Dataset, max_cost: float) -> Moved:
    """Move the records of `candidates` that break a blocking rule or a range, none further than `max_cost` of a range.

    A record that would have to be moved further stays as it is. The cost is the mean length of a move in standard
    deviations of the candidates.
    """
    fields = [field for field in schema.with_role("content") if field.name in candidates.columns and _movable(field)]
    rows = np.flatnonzero(_broken(schema, candidates.columns))
    if not fields or not len(rows):
        return Moved(candidates, _facts(0, 0, 0.0, 0.0))
    box = [field.range or (0.0, 1.0) for field in fields]
    low, width = np.array([b[0] for b in box]), np.array([b[1] - b[0] for b in box])
    whole = np.stack([candidates[field.name] for field in fields], 1).astype(np.float64)
    start = (whole[rows] - low) / width
    sound = np.isfinite(start).all(1)
    rows, start = rows[sound], start[sound]
    normals, bounds = _planes(schema, fields, low, width)
    goal = nearest(start, normals, bounds)
    columns = {field.name: _stored(field, low[j] + width[j] * goal[:, j]) for j, field in enumerate(fields)}
    there = np.stack([columns[field.name] for field in fields], 1).astype(np.float64)
    shares = np.abs(there - whole[rows]) / width
    near = (shares <= max_cost).all(1)
    made = dict(candidates.columns)
    for field in fields:
        made[field.name] = candidates[field.name].copy()
        made[field.name][rows[near]] = columns[field.name][near]
    deviation = np.nanstd(np.where(np.isfinite(whole), whole, np.nan), axis=0)
    steps = np.linalg.norm((there - whole[rows])[near] / np.where(deviation > 0, deviation, width), axis=1)
    moved = int(near.sum())
    cost, most = (float(steps.mean()), float(shares[near].max())) if moved else (0.0, 0.0)
    return Moved(Dataset(made), _facts(moved, len(rows) - moved, cost, most))


def _facts(moved: int, beyond: int, cost: float, most: float) -> tuple[tuple[str, Scalar], ...]:
    return (
        ("projected", moved),
        ("projected_beyond_cost", beyond),
        ("projection_cost", cost),
        ("projection_cost_most", most),
    )


def nearest(x: F64, normals: F64, bounds: F64) -> F64:
    """The points of ``normals @ y <= bounds`` within [0, 1] nearest to `x` [n, d]; normals [k, d], bounds [k].

    Where that set is empty, `x`. The nearest of one half-space alone, or of the ranges alone, is the answer when it keeps
    the others; only what is left takes a solver.
    """
    y, left = np.clip(x, 0.0, 1.0), np.ones(len(x), bool)
    left &= ~_inside(y, normals, bounds)
    for normal, bound in zip(normals, bounds, strict=True):
        over = np.maximum(x @ normal - bound, 0.0) / max(float(normal @ normal), TINY)
        one = x - over[:, None] * normal
        good = left & _inside(one, normals, bounds + CLOSE)
        y[good] = one[good]
        left &= ~good
    everything = np.concatenate([normals, np.eye(x.shape[1]), -np.eye(x.shape[1])])
    limits = np.concatenate([bounds, np.ones(x.shape[1]), np.zeros(x.shape[1])])
    for row in np.flatnonzero(left):
        y[row] = x[row] + _least_move(-everything, everything @ x[row] - limits)
    return y


def _inside(y: F64, normals: F64, bounds: F64) -> NDArray[np.bool_]:
    return np.asarray(((y >= 0.0) & (y <= 1.0)).all(1) & (y @ normals.T <= bounds).all(1))


def _least_move(g: F64, h: F64) -> F64:
    """The shortest z with ``g @ z >= h``, by Lawson and Hanson's reduction to NNLS (1974, 23.4); 0 where there is none."""
    from scipy.optimize import nnls

    system = np.concatenate([g.T, h[None]])
    target = np.zeros(len(system))
    target[-1] = 1.0
    try:
        weights, _ = nnls(system, target)
    except RuntimeError:  # it did not end: the check that follows turns the record down
        return np.zeros(len(target) - 1)
    rest = system @ weights - target
    return np.asarray(rest[:-1] / -rest[-1]) if abs(rest[-1]) > CLOSE else np.zeros(len(target) - 1)


def _planes(schema: Schema, fields: list[Field], low: F64, width: F64) -> tuple[F64, F64]:
    """The half-spaces of the blocking rules in shares of ranges, drawn in by what rounding to the fields' steps may cost."""
    place = {field.name: number for number, field in enumerate(fields)}
    spaces = [
        space
        for rule in schema.rules
        if rule.severity == "block"
        for space in half_spaces(tree_of(rule.expr), row_types(schema)) or ()
    ]
    normals, bounds = np.zeros((len(spaces), len(fields))), np.zeros(len(spaces))
    slack = np.array([_slack(field) for field in fields])
    for k, space in enumerate(spaces):
        plain = _plain(space, place)
        normals[k] = plain * width
        bounds[k] = space.bound - plain @ low - np.abs(plain) @ slack
        bounds[k] -= 1e-9 * (abs(space.bound) + np.abs(plain) @ (np.abs(low) + width))
    return normals, bounds


def _plain(space: HalfSpace, place: Mapping[str, int]) -> F64:
    coefficients = np.zeros(len(place))
    for name, coefficient in space.coefficients:
        coefficients[place[name]] = coefficient
    return coefficients


def _movable(field: Field) -> bool:
    return field.dtype in NUMBERS and not (field.enum or field.shape or field.nullable) and field.range is not None


def _broken(schema: Schema, columns: Mapping[str, Column]) -> NDArray[np.bool_]:
    """Which records break a blocking rule, or a field's range."""
    bad = np.zeros(len(next(iter(columns.values()))), bool)
    for field in schema.with_role("content"):
        if field.name in columns:
            bad |= ~allowed(field, columns[field.name])
    for rule in schema.rules:
        kept = holds(rule, schema, columns) if rule.severity == "block" else None
        if kept is not None:
            bad |= ~kept
    return bad


def _step(field: Field) -> float:
    return field.resolution or (1.0 if field.dtype in INTEGERS else 0.0)


def _slack(field: Field) -> float:
    """By how much a value may be off once it is stored."""
    if step := _step(field):
        return 0.5 * step
    return float(np.finfo(column_dtype(field)).eps) * max(map(abs, field.range or (0.0, 1.0)))


def _stored(field: Field, values: F64) -> Column:
    """`values` on the steps of `field`, within its range, in its dtype."""
    low, high = field.range or (-np.inf, np.inf)
    if step := _step(field):
        values = np.clip(np.rint(values / step), np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)) * step
    return np.clip(values, low, high).astype(column_dtype(field))
