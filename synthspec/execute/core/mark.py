"""M40-5.8: the keyed mark. Of each m records that passed, the one that scores highest under the key is kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthspec.backend.artifacts import DATA, ENFORCE_REPORT, MARK_REPORT, MarkReport, write_report
from synthspec.backend.dataset import Dataset, read_dataset, write_dataset
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute.core.fresh_keys import with_key, without_key
from synthspec.ir.ops import Mark
from synthspec.ir.schema import Schema
from synthspec.watermark import KeyFault, key_path, read_key
from synthspec.watermark.selection import canonical, detect, scores, select


def mark(op: Mark, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``data.safetensors`` with n of the n * m records, and ``mark.json``.

    Raises DataError (`schema.not-found`) for a key that is not there or cannot be used.
    """
    if context.keys is None:
        raise ValueError("a mark needs the folder of keys")
    try:
        key = read_key(key_path(context.keys, op.key))
    except KeyFault as fault:
        raise DataError("schema.not-found", str(fault), f"synthspec watermark new {op.key}") from None
    data = read_dataset(inputs["samples"].path(DATA))
    records = canonical(op.schema, data)
    chosen = select(scores(key, records), groups(op.schema, data), op.candidates)
    write_dataset(context.out, with_key(op.schema, without_key(op.schema, data.take(chosen))))
    found = detect(key, [records[index] for index in chosen], op.candidates, op.alpha)
    report = MarkReport(
        kept=len(chosen),
        candidates=op.candidates,
        distinct=found.distinct,
        z=found.z,
        expected_z=found.expected_z,
        alpha=op.alpha,
        detectable=found.detected,
    )
    write_report(context.out, MARK_REPORT, report)
    # What was enforced is said of what is released: the mark takes records away and changes none.
    (context.out / ENFORCE_REPORT).write_bytes(inputs["samples"].path(ENFORCE_REPORT).read_bytes())


def groups(schema: Schema, data: Dataset) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which records ask for the same categories: numbers from 0, [len(data)]."""
    names = [
        f.name for f in schema.with_role("condition") if f.dtype in {"categorical", "bool"} and f.name in data.columns
    ]
    if not names:
        return np.zeros(len(data), dtype=np.int64)
    combined = np.stack([np.unique(np.asarray(data[name]), return_inverse=True)[1] for name in names], axis=1)
    return np.unique(combined, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
