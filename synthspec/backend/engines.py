"""What kernels read and write alike: the training rows, and an engine that is a few arrays.

Importing this module imports numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from synthspec.backend.artifacts import DATA, FIGURES, FIT_REPORT, SPLIT, TRAINING_LOG, FitReport, write_report
from synthspec.backend.dataset import Dataset, read_dataset, read_rows
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.ir.ops import Assess
from synthspec.spec.privacy import DpNoise, DpSgd

WEIGHTS = "weights/engine.safetensors"


def training_rows(inputs: Mapping[str, Artifact]) -> Dataset:
    """The rows of the input ``data`` that the input ``split`` gives to training. There may be none."""
    return read_dataset(inputs["data"].path(DATA)).take(read_rows(inputs["split"].path(SPLIT)).train)


def check_stated_size(block: DpSgd | DpNoise, rows: int) -> None:
    """That `rows` train records are about as many as `block` says, where it says so in public.

    Limits of delta follow from what it says, and the public manifest repeats it: a tenth, or three deviations of what a
    split leaves to chance, is what it may be off by. Raises DataError; nothing is told that is not public by `block`.
    """
    stated = None if block.dataset_size is None else block.dataset_size.told
    if stated is None:
        return
    if abs(stated - rows) > max(0.1 * rows, 3.0 * math.sqrt(rows)):
        raise DataError(
            "P405-4.dataset-size-untrue",
            f"privacy.dataset_size says that {stated} records are learned, and the train split has {rows}",
            f"write {rows}, or the file that was meant: delta and the public manifest rest on that number",
        )


def rows_of(inputs: Mapping[str, Artifact], split: str) -> Dataset:
    """The rows of the input ``data`` that the input ``split`` gives to `split`. Raises DataError when there are none."""
    rows = read_rows(inputs["split"].path(SPLIT)).of(split)
    if not len(rows):
        raise DataError("P405-9.split-empty", f"the {split} split has no rows", "give it a larger share of the data")
    return read_dataset(inputs["data"].path(DATA)).take(rows)


def learned_rows(inputs: Mapping[str, Artifact]) -> Dataset:
    """The train rows that the engine was trained on: those that were drawn, where the input ``drawn`` is beside it.

    Raises DataError when there are none.
    """
    drawn = inputs.get("drawn")
    return rows_of(inputs if drawn is None else {"data": drawn, "split": drawn}, "train")


def write_engine(context: Context, arrays: Mapping[str, NDArray[np.generic]], report: FitReport) -> None:
    """Write an engine that was not trained in steps: its arrays, its report, and a log without lines."""
    (context.out / WEIGHTS).parent.mkdir()
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, str(context.out / WEIGHTS))
    (context.out / TRAINING_LOG).write_bytes(b"")
    write_report(context.out, FIT_REPORT, report)


def read_engine(inputs: Mapping[str, Artifact]) -> dict[str, NDArray[np.generic]]:
    """The arrays of the input ``engine`` that `write_engine` wrote."""
    stored: dict[str, NDArray[np.generic]] = load_file(str(inputs["engine"].path(WEIGHTS)))
    return stored


def assess_nothing(op: Assess, inputs: Mapping[str, Artifact], context: Context) -> None:
    """The op of an engine that says nothing of itself: no figures, and no scores of records."""
    del op, inputs
    context.progress.start("assess", 1, "engines")
    write_report(context.out, FIGURES, ())
    context.progress.advance()
