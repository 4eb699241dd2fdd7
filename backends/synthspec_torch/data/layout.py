"""Cells as one vector a record, in blocks: what a network with a head for each block works on.

A column of few cells, or of members between which there is no distance, is one `choice` of all its cells. Any other has
a `number`, its score among its ordinary values; where missing values or spikes stand beside those, a `choice` comes
before it, whose first slot says "a number" and whose others name the cells that are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from scipy.special import ndtr, ndtri

from synthspec.backend.dataset import Column
from synthspec_torch.data.cells import F64, I64, CellColumn
from synthspec_torch.data.mixed import Cells, MixedCodec, Uniform

FEW_CELLS = 20
"""A column of at most so many cells is a choice of them."""
SPIKE = 0.02
"""An atom of this share of the train rows is a choice of its own beside the number."""


@dataclass(frozen=True, slots=True)
class Block:
    """Slots ``start .. start + width - 1`` of the vector, about the column number `column` of the codec."""

    name: str
    """The field; of a field with axes, each number is a column of its own."""
    kind: Literal["choice", "number"]
    column: int
    start: int
    width: int

    @property
    def slots(self) -> slice:
        return slice(self.start, self.start + self.width)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """How one column stands in the vector: the cells that are choices, and the order of those that make the number."""

    choices: I64
    number: I64
    choice: Block | None
    slot: Block | None


@dataclass(frozen=True, eq=False)
class Layout:
    """The blocks of all columns, in the order of the codec."""

    codec: MixedCodec
    plans: tuple[_Plan, ...]

    @classmethod
    def of(cls, codec: MixedCodec) -> Layout:
        """The layout that `codec` gives rise to: nothing else is fitted."""
        plans: list[_Plan] = []
        start = 0
        for number, column in enumerate(codec.columns):
            plan = _plan(column, number, start)
            start += sum(block.width for block in (plan.choice, plan.slot) if block)
            plans.append(plan)
        return cls(codec, tuple(plans))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order of their slots."""
        return tuple(block for plan in self.plans for block in (plan.choice, plan.slot) if block)

    @property
    def width(self) -> int:
        return sum(block.width for block in self.blocks)

    def encode(self, cells: Cells, rng: np.random.Generator) -> torch.Tensor:
        """float32 [n, width]: choices one-hot, numbers in scores, each spread over its value by `rng`.

        The number slot of a record whose choice is no number is 0, and is not read when it is decoded.
        """
        return self.encode_at(cells, rng.random(cells.places.shape))

    def encode_at(self, cells: Cells, u: F64) -> torch.Tensor:
        """The same, by uniform numbers `u` [n, D] that somebody else drew."""
        spread = self.codec.spread_at(cells, u)
        x = np.zeros((len(cells), self.width), np.float32)
        for plan, column, codes, places in zip(
            self.plans, self.codec.columns, spread.codes.T, spread.places.T, strict=True
        ):
            chosen = _place_of(column, plan.choices)[codes]
            if plan.choice:
                first = 1 if plan.slot else 0
                x[np.arange(len(x)), plan.choice.start + np.where(chosen < 0, 0, chosen + first)] = 1.0
            if plan.slot:
                x[:, plan.slot.start] = np.where(chosen < 0, _score(column, plan.number, codes, places), 0.0)
        return torch.from_numpy(x)

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        """What is kept of records before anything is drawn for them: codes and places side by side, float64 [n, 2 D].

        Raises DataError for a value that the SRef does not allow.
        """
        cells = self.codec.encode(columns)
        return torch.from_numpy(np.concatenate([cells.codes, cells.places], 1))

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """The vectors of what is `held`, float32 [n, width], each value at a place within it that `uniform` draws."""
        codes, places = (part.numpy() for part in held.chunk(2, dim=1))
        return self.encode_at(Cells(codes.astype(np.int64), places), uniform(codes.shape))

    def decode(self, x: torch.Tensor) -> Cells:
        """The cells of vectors [n, width]: the greatest slot of a choice, and a number's place within its cells."""
        values = x.detach().double().cpu().numpy()
        codes = np.zeros((len(values), len(self.plans)), np.int64)
        places = np.full(codes.shape, 0.5)
        for j, (plan, column) in enumerate(zip(self.plans, self.codec.columns, strict=True)):
            chosen = np.zeros(len(values), np.int64)
            if plan.choice:
                chosen = values[:, plan.choice.slots].argmax(1)
            if plan.slot:
                found, where = _unscored(column, plan.number, values[:, plan.slot.start])
                named = plan.choices[np.maximum(chosen - 1, 0)] if plan.choice else found
                codes[:, j] = np.where(chosen == 0, found, named)
                places[:, j] = np.where(chosen == 0, where, 0.5)
            else:
                codes[:, j] = plan.choices[chosen]
        return Cells(codes, places)

    @property
    def shares(self) -> F64:
        """[width]: the shares of the slots of choices among the train rows; 1 at numbers."""
        shares = np.ones(self.width)
        for plan, column in zip(self.plans, self.codec.columns, strict=True):
            if plan.choice:
                ordinary = [column.shares[plan.number].sum()] if plan.slot else []
                shares[plan.choice.slots] = np.concatenate([ordinary, column.shares[plan.choices]])
        return shares

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The slots of numbers."""
        return tuple(block.start for block in self.blocks if block.kind == "number")


def _plan(column: CellColumn, number: int, start: int) -> _Plan:
    atoms = len(column.atoms)
    if column.unordered or (column.levels <= FEW_CELLS and not column.runs):
        every = np.arange(column.levels)
        return _Plan(every, every[:0], Block(column.field.name, "choice", number, start, column.levels), None)
    named = np.zeros(column.levels, bool)
    named[:atoms] = column.shares[:atoms] >= SPIKE
    named[column.first_missing :] = True
    if named[:atoms].all() and not column.runs:
        named[:atoms] = False
    choices = np.flatnonzero(named)
    ordinary = column.order[~named[column.order]]
    choice = Block(column.field.name, "choice", number, start, 1 + len(choices)) if len(choices) else None
    slot = Block(column.field.name, "number", number, start + (choice.width if choice else 0), 1)
    return _Plan(choices, ordinary, choice, slot)


def _place_of(column: CellColumn, choices: I64) -> I64:
    """For every cell its place among `choices`, or -1."""
    table = np.full(column.levels, -1)
    table[choices] = np.arange(len(choices))
    return table


def _score(column: CellColumn, ordinary: I64, codes: I64, places: F64) -> F64:
    shares = column.shares[ordinary] / column.shares[ordinary].sum()
    lower, share = np.zeros(column.levels), np.zeros(column.levels)
    lower[ordinary], share[ordinary] = np.cumsum(shares) - shares, shares
    return np.asarray(ndtri(np.clip(lower[codes] + share[codes] * places, 1e-15, 1.0 - 1e-15)))


def _unscored(column: CellColumn, ordinary: I64, z: F64) -> tuple[I64, F64]:
    shares = column.shares[ordinary] / column.shares[ordinary].sum()
    upper, u = np.cumsum(shares), ndtr(z)
    at = np.minimum(np.searchsorted(upper, u, side="right"), len(ordinary) - 1)
    places = (u - (upper[at] - shares[at])) / shares[at]
    return ordinary[at], np.clip(places, 0.0, 1.0 - 2.0**-53)
