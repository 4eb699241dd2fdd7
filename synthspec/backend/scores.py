"""What an engine says of single records: how likely each was to it, for the membership attack (C40-516).

Which records are looked at is a rule of the seed, the split and its size alone, so that an engine scores those that the
attack asks about and no others. Importing this module imports numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from synthspec.backend.artifacts import DATA, SCORES, SPLIT
from synthspec.backend.dataset import Dataset, read_dataset, read_rows
from synthspec.backend.draws import named
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.evidence import Split
from synthspec.ir.ops import Assess

F64 = NDArray[np.float64]
CANDIDATES = 2000
"""Records of a split that the attack looks at, at most."""
_HOW = "how"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scores:
    """How likely an engine takes the records `rows` of one split to be: higher is likelier. Both [n]."""

    rows: NDArray[np.intp]
    """Places within the split."""
    values: F64
    how: str
    """What the numbers are, in words."""


def candidates(seed: int, split: str, size: int) -> NDArray[np.intp]:
    """Which of the `size` records of `split` the attack looks at: `CANDIDATES` at most, in no order."""
    return named(seed, f"MI/{split}").permutation(size)[:CANDIDATES]


def write_scores(
    op: Assess, inputs: Mapping[str, Artifact], context: Context, score: Callable[[Dataset], F64], how: str
) -> None:
    """Write what `score` says of the candidates among the real records of each split that `op` names.

    `score` takes n records and gives [n], higher where the engine takes a record to be likelier; `how` says in words what
    that is. Nothing is written where no split is asked for.
    """
    if not op.scored:
        return
    data, rows = read_dataset(inputs["data"].path(DATA)), read_rows(inputs["split"].path(SPLIT))
    found: dict[str, NDArray[np.generic]] = {}
    for split in op.scored:
        chosen = candidates(op.seed, split, len(rows.of(split)))
        values = score(data.take(rows.of(split)[chosen])) if len(chosen) else np.zeros(0)
        found[f"{split}.rows"] = chosen.astype(np.int64)
        found[f"{split}.values"] = np.ascontiguousarray(values, dtype=np.float64)
    save_file(found, str(context.out / SCORES), metadata={_HOW: how})


def read_scores(path: Path) -> dict[Split, Scores]:
    """What `write_scores` wrote, by split."""
    with safe_open(str(path), framework="numpy") as file:
        how = (file.metadata() or {}).get(_HOW, "")
    stored = load_file(str(path))
    splits: tuple[Split, ...] = ("train", "val", "test")
    return {
        split: Scores(rows=stored[f"{split}.rows"].astype(np.intp), values=stored[f"{split}.values"], how=how)
        for split in splits
        if f"{split}.rows" in stored
    }
