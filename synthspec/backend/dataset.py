"""Columns of numbers between the nodes, in safetensors: no pickle, the same bytes for the same data.

Categorical columns hold codes into the field's `enum` (int64, -1 for missing), timestamps nanoseconds since
1970-01-01T00:00Z (int64), booleans uint8. Importing this module imports numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from synthspec.backend.artifacts import DATA, SPLIT

Column = NDArray[np.generic]


@dataclass(frozen=True)
class Dataset:
    """Columns of equal length by field name; a content column may have further axes."""

    columns: Mapping[str, Column]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of unequal length: {lengths}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def take(self, rows: NDArray[np.integer]) -> Dataset:
        """The records at `rows`, in that order."""
        return Dataset({name: column[rows] for name, column in self.columns.items()})


@dataclass(frozen=True)
class Rows:
    """Row numbers of each split, int64, sorted."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    def of(self, split: str) -> NDArray[np.int64]:
        """The rows of ``train``, ``val`` or ``test``. Raises KeyError for another name."""
        return {"train": self.train, "val": self.val, "test": self.test}[split]


def write_dataset(folder: Path, dataset: Dataset, name: str = DATA) -> None:
    """Write `dataset` to ``folder/name``; C order, so that equal arrays are equal bytes."""
    save_file({key: np.ascontiguousarray(column) for key, column in dataset.columns.items()}, str(folder / name))


def read_dataset(path: Path) -> Dataset:
    """Read what `write_dataset` wrote; columns sorted by name."""
    return Dataset(dict(sorted(load_file(str(path)).items())))


def write_rows(folder: Path, rows: Rows) -> None:
    """Write the split."""
    save_file({"train": rows.train, "val": rows.val, "test": rows.test}, str(folder / SPLIT))


def read_rows(path: Path) -> Rows:
    """Read the split."""
    stored = load_file(str(path))
    return Rows(train=stored["train"], val=stored["val"], test=stored["test"])
