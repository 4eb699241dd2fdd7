"""C40-516: whom shadow engines are asked about: the records that lie furthest from all others, and canaries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synthspec import metrics
from synthspec.backend.artifacts import DATA, ISOLATE_REPORT, SPLIT, IsolateReport, write_report
from synthspec.backend.dataset import Column, Dataset, Rows, read_dataset, read_rows, write_dataset, write_rows
from synthspec.backend.draws import named, uniform
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.scores import CANDIDATES
from synthspec.execute.core.measure import described, sample_of
from synthspec.ir.figures import ASKED_LEAST
from synthspec.ir.ops import Isolate
from synthspec.ir.schema import Field, Schema
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.neighbours import radii

SHARE = 0.01
FEWEST, MOST_SHARE = 128, 0.25
"""Of 16 engines so many give the thousand decisions that hits at 0.1 % false alarms need; but what is isolated is no more
than a quarter of all."""
LEARNED = ("content", "condition")
NEIGHBOURS = 5
"""The distance to the fifth neighbour: a pair of copies far out is isolated, too (Meeus et al. 2023)."""


def isolate(op: Isolate, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write the data with the canaries at their end, and as train rows those that are asked about.

    Raises DataError (`schema.bad-value`) for too few records, and for more of them than an engine may be asked about.
    """
    data, rows = read_dataset(inputs["data"].path(DATA)), read_rows(inputs["split"].path(SPLIT))
    wanted = _wanted(op, len(rows.train))
    train = data.take(rows.train)
    context.progress.start("isolate", 1, "splits")
    chosen = rows.train[_far(op, train, wanted)]
    context.progress.advance()
    planted = _planted(op, train)
    whole = Dataset({name: np.concatenate([column, planted[name]]) for name, column in data.columns.items()})
    asked = np.concatenate([np.sort(chosen), np.arange(len(data), len(whole), dtype=np.int64)])
    none = np.zeros(0, np.int64)
    write_dataset(context.out, whole)
    write_rows(context.out, Rows(train=asked, val=none, test=none))
    write_report(context.out, ISOLATE_REPORT, IsolateReport(records=len(train), isolated=wanted, planted=op.planted))


def _wanted(op: Isolate, records: int) -> int:
    """How many records of the data are asked about."""
    most = min((records - op.planted) // 2, CANDIDATES - op.planted)
    few = max(ASKED_LEAST, min(FEWEST, round(MOST_SHARE * records)))
    wanted = min(most, max(few, math.ceil(SHARE * records))) if op.targets is None else op.targets
    if records < 2 * ASKED_LEAST:
        message = f"{records} records of the training split; shadow engines need {2 * ASKED_LEAST} of them at least"
        raise DataError("schema.bad-value", message, "give more data, or the training split a larger share")
    if most < ASKED_LEAST:
        room = max(0, min(records - 2 * ASKED_LEAST, CANDIDATES - ASKED_LEAST))
        message = f"{op.planted} canaries leave no room for {ASKED_LEAST} of {records} records of the training split"
        raise DataError("schema.bad-value", message, f"plant {room} at most, or none")
    if not ASKED_LEAST <= wanted <= most:
        message = f"{wanted} records cannot be asked about, of {records} in the training split"
        raise DataError("schema.bad-value", message, f"say {ASKED_LEAST} to {most}, or leave it out")
    return wanted


def _far(op: Isolate, train: Dataset, wanted: int) -> NDArray[np.intp]:
    """The `wanted` places of `train` with the largest distances to their neighbours; of equals the first."""
    request = metrics.Request(
        modality=op.schema.modality,
        fields=tuple(described(op.schema)),
        seed=op.seed,
        train=sample_of(op.schema, train, None),
        reference="train",
    )
    try:
        (distance,) = radii(Bench(request).space("train"), NEIGHBOURS)
    except UnmeasurableError as error:
        message = f"there is no distance between these records: {error}"
        raise DataError(
            "schema.bad-value", message, "shadow engines are for records that MI can be measured of"
        ) from None
    return np.argsort(-distance, kind="stable")[:wanted]


def _planted(op: Isolate, train: Dataset) -> dict[str, Column]:
    """Canaries: what is learned is uniform on what the schema allows, the rest is that of some record."""
    rng = named(op.seed, "isolate/planted")
    rows = rng.integers(len(train), size=op.planted)
    columns = {name: column[rows] for name, column in train.columns.items()}
    for field in _learned(op.schema, train):
        columns[field.name] = uniform(_bounded(field, train[field.name]), rng, op.planted).astype(
            train[field.name].dtype
        )
    return columns


def _learned(schema: Schema, train: Dataset) -> list[Field]:
    return [field for field in schema.fields if field.role in LEARNED and field.name in train.columns]


def _bounded(field: Field, column: Column) -> Field:
    """A number without a range is drawn from where the records are."""
    if field.range is not None or field.enum or field.dtype == "categorical":
        return field
    values = column.astype(np.float64)
    known = values[np.isfinite(values)]
    return replace(field, range=(float(known.min()), float(known.max()))) if known.size else field
