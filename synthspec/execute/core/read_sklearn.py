"""The sets that scikit-learn carries, as a table: its feature names, ``images`` where it has them, and ``target``."""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from synthspec.execute.core.source import SKLEARN, carried_file, read_bytes
from synthspec.execute.core.table import Table


def read_sklearn(source: str, sha256: str) -> Table:
    """Read ``sklearn://NAME``. `sha256` is what its file in the package must digest to (empty: whatever it does).

    Raises DataError when scikit-learn does not carry the set, or its file is not what was pinned.
    """
    read_bytes(carried_file(source), source, sha256)
    bunch = getattr(import_module("sklearn.datasets"), f"load_{source.removeprefix(SKLEARN)}")()
    features: NDArray[np.float64] = bunch.data
    columns: dict[str, NDArray[np.generic]] = {
        str(name): features[:, number] for number, name in enumerate(bunch.feature_names)
    }
    columns["target"] = bunch.target
    if "images" in bunch:
        columns["images"] = bunch.images
    return Table(name=source, rows=len(features), columns=columns, where=lambda row: f"row {row}")
