"""What can be looked at without opening the samples: shares by value of every field, and a few series.

Shares of real records stand beside them where no privacy mechanism was asked for. Under one they would be a release that
nothing accounts for, so that the file then depends on the samples alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from synthspec.backend.artifacts import DATA, SPLIT
from synthspec.backend.columns import spelled
from synthspec.backend.dataset import Column, Dataset, read_dataset, read_rows
from synthspec.execute import Execution
from synthspec.ir.evidence import Split
from synthspec.ir.ops import Export, Measure
from synthspec.ir.plan import Plan
from synthspec.ir.schema import Field, Schema

OVERVIEW = "overview.json"
BINS = 24
MEMBERS = 24
"""Values that get a bar of their own; beyond that, members are left out and numbers are binned."""
FIELDS = 48
TRACES = 6
CHANNELS = 4
POINTS = 512
_TAIL = 0.002
"""The share at either end that the outermost bin takes in: one far value leaves the others room."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginal:
    """How one field is distributed, as shares of all its values; missing values, and members left out, are the rest.

    With `members`, a share for each of them. Else `edges` are those of the bins, and the outermost two bins hold
    everything beyond as well. `instants` are in seconds since 1970-01-01T00:00Z.
    """

    field: str
    unit: str
    instants: bool = False
    members: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    synthetic: tuple[float, ...]
    real: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One synthetic record along its axis, one tuple a channel; every `stride`-th value."""

    field: str
    unit: str
    record: int
    stride: int
    channels: tuple[tuple[float | None, ...], ...]
    """None where a value is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The file ``overview.json``."""

    n_synthetic: int
    split: Split | None
    """Which real records `Marginal.real` counts; None where real records are not shown."""
    n_real: int | None
    marginals: tuple[Marginal, ...]
    traces: tuple[Trace, ...]
    left_out: tuple[str, ...]
    """Fields without a marginal: text, pictures, and whatever is beyond `FIELDS`."""


def read_overview(data: bytes) -> Overview:
    """Read the file. Raises pydantic.ValidationError for anything else."""
    return TypeAdapter(Overview).validate_json(data)


def overview_of(plan: Plan, execution: Execution) -> Overview:
    """The overview of what `plan` exported."""
    node = plan.node("export")
    samples = next(edge.node for edge in node.inputs if edge.port == "samples")
    synthetic = read_dataset(execution.node(samples).artifact.path(DATA))
    schema = cast("Export", node.op).schema
    found = _reference(plan, execution)
    split, real = (None, None) if found is None else found
    shown = [field for field in schema.fields if _plain(field) and field.name in synthetic.columns]
    named = {field.name for field in shown[:FIELDS]}
    marginals = (_marginal(field, synthetic, real) for field in shown[:FIELDS])
    return Overview(
        n_synthetic=len(synthetic),
        split=split,
        n_real=None if real is None else len(real),
        marginals=tuple(each for each in marginals if each is not None),
        traces=tuple(_traces(schema, synthetic)),
        left_out=tuple(each.name for each in schema.fields if each.role != "key" and each.name not in named),
    )


def _reference(plan: Plan, execution: Execution) -> tuple[Split, Dataset] | None:
    """The real records that the figures were measured against; None under a privacy mechanism."""
    measure = plan.node("measure").op
    if not isinstance(measure, Measure) or plan.private is not None:
        return None
    data = read_dataset(execution.node("bind").artifact.path(DATA))
    rows = read_rows(execution.node("split").artifact.path(SPLIT))
    return measure.reference, data.take(rows.of(measure.reference))


def _plain(field: Field) -> bool:
    return field.role != "key" and field.dtype != "string" and len(field.shape) < 3


def _marginal(field: Field, synthetic: Dataset, real: Dataset | None) -> Marginal | None:
    made = _values(field, synthetic[field.name])
    seen = None if real is None or field.name not in real.columns else _values(field, real[field.name])
    together = made if seen is None else np.concatenate([made, seen])
    present = together[np.isfinite(together)]
    if not len(present):
        return None
    distinct = np.unique(present)
    instants = field.dtype == "timestamp"
    unit = "" if instants else field.unit
    if _listed(field, distinct):
        labels, members = _members(field, distinct)
        counted = [None if each is None else _shares(each, members) for each in (made, seen)]
        return Marginal(field=field.name, unit=unit, members=labels, synthetic=counted[0] or (), real=counted[1])
    edges = _edges(present)
    binned = [None if each is None else _binned(each, edges) for each in (made, seen)]
    return Marginal(
        field=field.name,
        unit=unit,
        instants=instants,
        edges=tuple(edges.tolist()),
        synthetic=binned[0] or (),
        real=binned[1],
    )


def _values(field: Field, column: Column) -> Numbers:
    """All values of a column in one row, with NaN where one is missing."""
    flat = column.reshape(-1)
    if field.dtype == "timestamp":
        return np.where(np.isnat(flat.astype("datetime64[ns]")), np.nan, flat.astype(np.float64) / 1e9)
    values = flat.astype(np.float64)
    return np.where(values < 0, np.nan, values) if field.dtype == "categorical" else values


def _listed(field: Field, distinct: Numbers) -> bool:
    """Whether each value gets a bar of its own. Values of a continuous field are never written out one by one."""
    whole = field.dtype.startswith(("int", "uint")) and not field.unit
    return field.dtype in ("categorical", "bool") or bool(field.enum) or (whole and len(distinct) <= MEMBERS)


def _members(field: Field, distinct: Numbers) -> tuple[tuple[str, ...], Numbers]:
    if field.dtype == "categorical":
        codes = np.arange(min(len(field.enum), MEMBERS), dtype=np.float64)
        return tuple(spelled(member) for member in field.enum[:MEMBERS]), codes
    if field.dtype == "bool":
        return ("false", "true"), np.array([0.0, 1.0])
    kept = distinct[:MEMBERS]
    return tuple(f"{value:g}" for value in kept.tolist()), kept


def _shares(values: Numbers, members: Numbers) -> tuple[float, ...]:
    total = max(len(values), 1)
    return tuple(float(np.count_nonzero(values == member)) / total for member in members)


def _edges(present: Numbers) -> Numbers:
    low, high = np.quantile(present, [_TAIL, 1 - _TAIL])
    if not high > low:
        low, high = float(present.min()), float(present.max())
    if not high > low:
        spread = max(abs(float(low)), 1.0) / 2
        low, high = low - spread, high + spread
    edges: Numbers = np.linspace(low, high, BINS + 1)
    return edges


def _binned(values: Numbers, edges: Numbers) -> tuple[float, ...]:
    present = values[np.isfinite(values)]
    counts, _ = np.histogram(np.clip(present, edges[0], edges[-1]), edges)
    return tuple((counts / max(len(values), 1)).tolist())


def _traces(schema: Schema, synthetic: Dataset) -> Iterator[Trace]:
    """The first records of the first field that runs along an axis."""
    for field in schema.with_role("content"):
        arranged = _layout(schema, field)
        if arranged is None or field.name not in synthetic.columns:
            continue
        channels, length = arranged
        column = synthetic[field.name][:TRACES].astype(np.float64).reshape(-1, channels, length)
        stride = -(-length // POINTS)
        for record, series in enumerate(column[:, :CHANNELS, ::stride]):
            lines = tuple(tuple(value if math.isfinite(value) else None for value in line) for line in series.tolist())
            yield Trace(field=field.name, unit=field.unit, record=record, stride=stride, channels=lines)
        return


def _layout(schema: Schema, field: Field) -> tuple[int, int] | None:
    """Channels and length of a window of shape (length,) or (channels, length); None for anything else."""
    if schema.modality not in ("timeseries", "audio") or len(field.shape) not in (1, 2) or field.dtype == "string":
        return None
    return (1, field.shape[0]) if len(field.shape) == 1 else (field.shape[0], field.shape[1])
