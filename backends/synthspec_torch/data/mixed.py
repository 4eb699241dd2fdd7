"""Tables of mixed types as cells, for engines of every family: how columns become numbers, and come back exactly (P405-7).

How an engine uses it::

    codec = MixedCodec.fitted(op.schema.with_role("content"), train.columns)      # statistics of train rows alone
    codec = MixedCodec.declared(op.schema.with_role("content"))                   # from the SRef alone (bounds: sref)
    codec.write(context.out); codec = MixedCodec.read(fields, engine)             # kept beside the weights

    cells = codec.encode(rows.columns)              # codes int64 [n, D], places float64 [n, D]; D numbers a record
    columns = codec.decode(cells)                   # the exact inverse: dtype, lattice, enum, missing restored

Three views of the same cells:

- *codes*: column j has ``codec.levels[j]`` cells. A law of codes with uniform places is a normalised law of the data;
  ``codec.log_volume(cells)`` [n] is what it takes off ln P(codes), in nats. For VAEs and autoregressive flows.
- *scores*: one real number a column, standard normal on the train rows whatever the column is (a randomised quantile
  transform, missing values and spikes at their own intervals). ``codec.scores(codec.spread(cells, rng))`` [n, D],
  ``codec.from_scores(z)``, and ``codec.log_slope(cells, z)`` for what a density of z takes off. For couplings.
- *blocks*: a vector of one-hot blocks and number slots, for heads with a softmax a block. For GANs and diffusion::

    layout = Layout.of(codec)                       # synthspec_torch.data.layout
    x = layout.encode(cells, rng)                   # float32 [n, layout.width]; one-hot 0/1, numbers in scores
    for block in layout.blocks:                     # block.kind "choice" or "number"; block.slots; block.name
        ...                                         # softmax (or Gumbel) on x[:, block.slots] of a choice
    columns = codec.decode(layout.decode(x))        # argmax of a choice; a number within its cells

Derived fields and keys are no content: they are recomputed and given later. Conditions are encoded by
`synthspec_torch.data.context.ContextCodec`. What `mixed_reasons` in `synthspec_torch.data.kinds` yields is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import ndtr, ndtri

from synthspec.backend.dataset import Column
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.schema import Field
from synthspec_torch.data.cells import F64, I64, CellColumn, Lattice, lattice_of
from synthspec_torch.data.partition import BINS, declared, fitted
from synthspec_torch.weights import WeightsError, save_weights

COLUMNS = "weights/columns.safetensors"
"""The cells of every column, beside the weights of the network that was trained on them."""
Uniform = Callable[[tuple[int, ...]], F64]
"""Uniform numbers in [0, 1) of a shape, the first axis of which counts records."""
_PARTS = ("atoms", "edges", "lattice", "shares", "tails")


@dataclass(frozen=True, eq=False)
class Cells:
    """Records as cells: codes int64 [n, D] and places in [0, 1) float64 [n, D]."""

    codes: I64
    places: F64

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.integer]) -> Cells:
        return Cells(self.codes[rows], self.places[rows])


@dataclass(frozen=True, eq=False)
class MixedCodec:
    """The cells of all numbers of the content `fields`, flattened in the order of the schema."""

    fields: tuple[Field, ...]
    columns: tuple[CellColumn, ...]

    @classmethod
    def fitted(cls, fields: tuple[Field, ...], train: Mapping[str, Column], bins: int = BINS) -> MixedCodec:
        """Cells by the train rows. Raises DataError for a value that the SRef does not allow."""
        parts = [(field, _flat(train[field.name], field)) for field in fields]
        return cls(fields, tuple(fitted(field, flat[:, i], bins) for field, flat in parts for i in range(field.size)))

    @classmethod
    def declared(cls, fields: tuple[Field, ...], bins: int = BINS, *, grown: bool = False) -> MixedCodec:
        """Cells by the SRef alone: no data are read. Raises ValueError for a number without a range, or an instant.

        `grown`: as `synthspec_torch.data.partition.declared` says.
        """
        return cls(fields, tuple(declared(field, bins, grown=grown) for field in fields for _ in range(field.size)))

    @property
    def width(self) -> int:
        """D: numbers of a record."""
        return len(self.columns)

    @property
    def levels(self) -> tuple[int, ...]:
        """Cells of each column."""
        return tuple(column.levels for column in self.columns)

    def encode(self, data: Mapping[str, Column]) -> Cells:
        """The cells of records. Raises DataError for a value that the SRef does not allow."""
        flat = np.concatenate([np.arange(field.size) for field in self.fields])
        pairs = [
            column.encode(_flat(data[column.field.name], column.field)[:, number])
            for column, number in zip(self.columns, flat, strict=True)
        ]
        return Cells(np.stack([codes for codes, _ in pairs], 1), np.stack([places for _, places in pairs], 1))

    def decode(self, cells: Cells) -> dict[str, Column]:
        """The columns of records, each in its dtype and shape: the inverse of `encode`, of all places of a value."""
        data: dict[str, Column] = {}
        first = 0
        for field in self.fields:
            span = range(first, first + field.size)
            parts = [self.columns[j].decode(cells.codes[:, j], cells.places[:, j]) for j in span]
            data[field.name] = np.stack(parts, 1).reshape(len(cells), *field.shape)
            first += field.size
        return data

    def log_volume(self, cells: Cells) -> F64:
        """What is taken off ln P(codes) for ln p(record), nats; [n]. A density per unit of the SRef where continuous."""
        each = [column.log_volume(cells.codes[:, j], cells.places[:, j]) for j, column in enumerate(self.columns)]
        return np.asarray(np.sum(each, axis=0))

    def spread(self, cells: Cells, rng: np.random.Generator) -> Cells:
        """Uniform dequantisation: every value moved to anywhere within it."""
        return self.spread_at(cells, rng.random(cells.places.shape))

    def spread_at(self, cells: Cells, u: F64) -> Cells:
        """The same, by uniform numbers `u` [n, D] that somebody else drew."""
        places = [
            column.spread(cells.codes[:, j], cells.places[:, j], u[:, j]) for j, column in enumerate(self.columns)
        ]
        return Cells(cells.codes, np.stack(places, 1))

    def scores(self, cells: Cells) -> F64:
        """[n, D]: the normal quantiles of `ranks`."""
        return np.asarray(ndtri(np.clip(self.ranks(cells), 1e-15, 1.0 - 1e-15)))

    def ranks(self, cells: Cells) -> F64:
        """[n, D]: where records stand among the ordered shares of their columns, in [0, 1)."""
        at = np.arange(self.width), cells.codes
        return np.asarray(self._lower[at] + self._shares[at] * cells.places)

    def from_scores(self, z: F64) -> Cells:
        """The cells at scores [n, D]: the inverse of `scores`."""
        u = ndtr(z)
        codes, places = np.empty(z.shape, np.int64), np.empty(z.shape)
        for j, column in enumerate(self.columns):
            order = column.order
            upper = np.cumsum(column.shares[order])
            at = np.minimum(np.searchsorted(upper, u[:, j], side="right"), column.levels - 1)
            codes[:, j] = order[at]
            places[:, j] = (u[:, j] - (upper[at] - column.shares[order][at])) / column.shares[order][at]
        return Cells(codes, np.clip(places, 0.0, 1.0 - 2.0**-53))

    def log_slope(self, cells: Cells, z: F64) -> F64:
        """What a log-density of scores z [n, D] gains for one of the data, nats; [n]: ln |dz / dv| of each column."""
        normal = -0.5 * np.square(z) - 0.5 * np.log(2.0 * np.pi)
        share = np.log(self._shares[np.arange(self.width), cells.codes])
        return np.asarray((share - normal).sum(1) - self.log_volume(cells))

    @cached_property
    def _shares(self) -> F64:
        """[D, most levels]; 1 where a column has no such cell."""
        table = np.ones((self.width, max(self.levels)))
        for j, column in enumerate(self.columns):
            table[j, : column.levels] = column.shares
        return table

    @cached_property
    def _lower(self) -> F64:
        """[D, most levels]: the shares of what lies before each cell."""
        table = np.zeros((self.width, max(self.levels)))
        for j, column in enumerate(self.columns):
            shares = column.shares[column.order]
            table[j, column.order] = np.cumsum(shares) - shares
        return table

    def write(self, context: Context) -> None:
        """Write the cells of the columns to `COLUMNS`."""
        tensors: dict[str, torch.Tensor] = {}
        for j, column in enumerate(self.columns):
            lattice = column.lattice or Lattice(0, 1.0)
            parts = {
                "atoms": column.atoms,
                "edges": column.edges,
                "lattice": np.array([lattice.origin, lattice.step] if _is_clock(column) else [], dtype=np.int64),
                "shares": column.shares,
                "tails": np.array(column.tails),
            }
            tensors |= {f"{j}.{name}": torch.from_numpy(np.ascontiguousarray(parts[name])) for name in _PARTS}
        save_weights(context.out / COLUMNS, tensors)

    @classmethod
    def read(cls, fields: tuple[Field, ...], engine: Artifact) -> MixedCodec:
        """What `write` left. Raises WeightsError for a file that holds the cells of other columns."""
        stored = load_file(str(engine.path(COLUMNS)))
        owners = [field for field in fields for _ in range(field.size)]
        if set(stored) != {f"{j}.{name}" for j in range(len(owners)) for name in _PARTS}:
            raise WeightsError(f"{COLUMNS} does not hold the cells of {len(owners)} columns")
        return cls(fields, tuple(_restored(field, stored, j) for j, field in enumerate(owners)))


def _flat(column: Column, field: Field) -> NDArray[np.generic]:
    return column.reshape(len(column), field.size)


def _is_clock(column: CellColumn) -> bool:
    """Whether the lattice of `column` comes from the data: that of a number is in the SRef."""
    return column.field.dtype == "timestamp"


def _restored(field: Field, stored: Mapping[str, NDArray[np.generic]], j: int) -> CellColumn:
    atoms, edges, clock, shares, tails = (stored[f"{j}.{name}"] for name in _PARTS)
    if len(clock) != (2 if field.dtype == "timestamp" else 0) or len(tails) != 2:
        raise WeightsError(f"{COLUMNS} does not hold the cells of {field.name}")
    lattice = Lattice(int(clock[0]), float(clock[1])) if len(clock) else lattice_of(field, np.zeros(0))
    low, high = map(float, tails.tolist())
    column = CellColumn(field, lattice, atoms, edges, (low, high), shares.astype(np.float64))
    if len(shares) != column.levels or atoms.dtype != edges.dtype:
        raise WeightsError(f"{COLUMNS} does not hold the cells of {field.name}")
    return column
