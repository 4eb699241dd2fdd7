"""C40-516: what one shadow engine learns: a random half of the training split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA, SPLIT
from synthspec.backend.dataset import Rows, read_dataset, read_rows, write_dataset, write_rows
from synthspec.backend.draws import named
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.ops import Shadow


def shadow(op: Shadow, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write the records of one half."""
    data, rows = read_dataset(inputs["data"].path(DATA)), read_rows(inputs["split"].path(SPLIT))
    pool, among = _pool(inputs)
    kept = pool[halved(op, among)]
    here = np.arange(len(kept) + len(rows.val), dtype=np.int64)
    write_dataset(context.out, data.take(np.concatenate([kept, rows.val])))
    write_rows(context.out, Rows(train=here[: len(kept)], val=here[len(kept) :], test=here[:0]))


def present(op: Shadow, inputs: Mapping[str, Artifact]) -> NDArray[np.bool_]:
    """Which of the records that are asked about are in the half: no part of it, so that other ones retrain nothing."""
    _, among = _pool(inputs)
    return halved(op, among)[among]


def _pool(inputs: Mapping[str, Artifact]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The rows that are halved, and which of them are asked about."""
    train, asked = (read_rows(inputs[port].path(SPLIT)).train for port in ("split", "data"))
    pool = np.union1d(train, asked)
    return pool, np.isin(pool, asked)


def halved(op: Shadow, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of n records are learned; `among` are those that are asked about, no more than half of them.

    Where coins are exchanged, each chooses between a record that is asked about and one that is not, or between two others:
    one record takes the place of another. An odd one is left out of both engines.
    """
    rng = named(op.seed, f"shadow/{op.number // 2}")
    other = bool(op.number % 2)
    if not op.exchanged:
        return np.asarray((rng.random(len(among)) < 0.5) != other)
    # Those that are asked about first, so that record i and record n/2 + i are never both among them.
    order = np.concatenate([np.flatnonzero(among), rng.permutation(np.flatnonzero(~among))])
    half = len(order) // 2
    coins = (rng.random(half) < 0.5) != other
    learned = np.zeros(len(among), bool)
    learned[order[:half]], learned[order[half : 2 * half]] = coins, ~coins
    return learned
