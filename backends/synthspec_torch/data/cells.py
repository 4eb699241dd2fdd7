"""One number of a record as a cell and a place in it: the partition of what a field can hold, with its exact inverse.

Everything that a column of a table holds falls into finitely many *cells*, numbered from 0:

- an *atom* is one value: a member of an enum, a truth value, a number that occurs often;
- a *run* is an interval of numbers, or a stretch of neighbouring multiples of a step without the atoms among them;
- a *tail* reaches from the outermost run to infinity, where the field has no range;
- *missing* is the last cell of a nullable field.

Within a cell a *place* in [0, 1) says where; a law of cells whose places are uniform is a normalised law of the values
(uniform dequantisation, Theis et al. 2016; within a tail the law is Pareto's). `log_volume` is what such a law takes
off the logarithm of a cell's probability: the logarithm of how many values, or how many units, the cell holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import column_dtype, stored_members
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field
from synthspec_torch.data.table import check_numbers, ends_of, multiples, nearest_allowed, steps

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
Exact = NDArray[Any]
"""int64 where a column has a lattice, else float64."""

FARTHEST = 1e5
"""Scales beyond the outermost run at which a value still has a place of its own."""
MOST = 2**61
"""Steps of a lattice that are told apart beyond an edge: a tail that reaches farther ends there, and does not begin anew."""
_EDGE = 2.0**-20
"""What is spread over a value keeps this far from its ends, so that rounding does not carry it to the next one."""
_OPEN = 2.0**-53
"""Places stay below 1, and those of a tail so far from it that its values are finite."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """The values of a column are ``origin + step * k`` for whole k, in what the column counts in.

    Numbers have origin 0 and their resolution as step; instants count nanoseconds from the first train row.
    """

    origin: int
    step: float


@dataclass(frozen=True, eq=False)
class CellColumn:
    """The cells of one number of `field`: atoms, then runs, then the lower and the upper tail, then missing."""

    field: Field
    lattice: Lattice | None
    """None for a continuous number."""
    atoms: Exact
    """Ascending: the k of a lattice (int64), or numbers (float64)."""
    edges: Exact
    """[runs + 1], ascending: ranks among the k that are no atoms (int64), or numbers (float64); empty without runs."""
    tails: tuple[float, float]
    """Scales of the laws beyond the first and the last edge, in units of the edges; 0 where there is none."""
    shares: F64
    """[levels], positive, summing to 1: those of the train rows, smoothed; from the SRef alone, those of uniform law."""

    @property
    def levels(self) -> int:
        """How many cells there are."""
        return self.first_missing + int(self.field.nullable)

    @property
    def runs(self) -> int:
        return max(0, len(self.edges) - 1)

    @property
    def first_tail(self) -> int:
        return len(self.atoms) + self.runs

    @property
    def first_missing(self) -> int:
        return self.first_tail + sum(scale > 0 for scale in self.tails)

    @property
    def ratios(self) -> bool:
        """Whether places in a run go by ln v instead of v: a continuous number under the transform `log`, above 0."""
        return self.field.transform == "log" and self.lattice is None

    @property
    def unordered(self) -> bool:
        """Whether the cells are members of an enum or truth values, between which there is no distance."""
        return self.field.dtype in ("categorical", "bool")

    def encode(self, column: Column) -> tuple[I64, F64]:
        """Codes and places of the values of `column`, both [n]; atoms at the middle of their cell.

        Raises DataError for a value that the SRef does not allow, or that lies off the lattice.
        """
        missing = self._missing(column)
        exact = self._exact(column, missing)
        at = np.searchsorted(self.atoms, exact)
        hit = self.atoms[np.minimum(at, len(self.atoms) - 1)] == exact if len(self.atoms) else np.zeros(len(at), bool)
        codes, places = at.astype(np.int64), np.full(len(at), 0.5)
        rest = ~hit & ~missing
        if rest.any():
            codes[rest], places[rest] = self._beside_atoms(exact[rest], at[rest], np.flatnonzero(rest))
        codes[missing] = self.levels - 1
        return codes, places

    def _beside_atoms(self, exact: Exact, at: I64, rows: I64) -> tuple[I64, F64]:
        free = exact - at if self.lattice else exact
        if not self.runs:
            self._refuse(int(rows[0]), "is no member of its enum")
        low, high = self.edges[0], self.edges[-1]
        run = np.clip(np.searchsorted(self.edges, free, side="right") - 1, 0, self.runs - 1)
        width = (self.edges[run + 1] - self.edges[run]).astype(np.float64)
        half = 0.5 if self.lattice else 0.0
        if self.ratios:
            places = np.log(free / self.edges[run]) / np.log(self.edges[run + 1] / self.edges[run])
        else:
            places = ((free - self.edges[run]).astype(np.float64) + half) / width
        codes = len(self.atoms) + run
        below, above = free < low, (free >= high if self.lattice else free > high)
        for side, (out, beyond) in enumerate(((below, low - free), (above, free - high))):
            if not out.any():
                continue
            if not self.tails[side]:
                self._refuse(int(rows[out][0]), "lies beyond the values that its cells hold")
            codes[out] = self.first_tail + (side if self.tails[0] else 0)
            # The k of a lattice are 1, 2, .. below the first edge and 0, 1, .. from the last one on.
            distance = beyond[out].astype(np.float64) - (1.0 if self.lattice and side == 0 else 0.0)
            if distance.max() > FARTHEST * self.tails[side]:
                self._refuse(int(rows[out][distance.argmax()]), "lies too far beyond the train rows: give a range")
            places[out] = self._tail_place(distance, side, 0.5)
        return codes, np.clip(places, 0.0, 1.0 - _OPEN)

    def _tail_place(self, distance: F64, side: int, u: F64 | float) -> F64:
        """The place of what lies `distance` beyond the edge; `u`: where within one step of a lattice."""
        beyond = _beyond(distance / self.tails[side])
        if self.lattice:
            beyond += u * (_beyond((distance + 1.0) / self.tails[side]) - beyond)
        # Values rise with their places in either tail.
        return np.asarray(1.0 - beyond if side else beyond)

    def _tail_distance(self, places: F64, side: int) -> F64:
        """How far beyond the edge `places` of a tail lie: in numbers, or whole steps."""
        beyond = 1.0 - np.minimum(places, 1.0 - _OPEN) if side else np.maximum(places, _OPEN)
        distance = self.tails[side] * (1.0 / np.sqrt(beyond) - 1.0)
        return np.minimum(np.floor(distance), float(MOST)) if self.lattice else distance

    def decode(self, codes: I64, places: F64) -> Column:
        """The values at `places` of the cells `codes`, both [n], as the column of the field holds them."""
        exact = np.zeros(len(codes), np.int64 if self.lattice else np.float64)
        atom = codes < len(self.atoms)
        exact[atom] = self.atoms[codes[atom]]
        rest = ~atom & (codes < self.first_missing)
        free = self._free(codes[rest], places[rest])
        if self.lattice and len(self.atoms):
            free = free + np.searchsorted(self.atoms - np.arange(len(self.atoms)), free, side="right")
        exact[rest] = free
        return self._stored(exact, codes >= self.first_missing)

    def _free(self, codes: I64, places: F64) -> Exact:
        """Numbers, or ranks among the k that are no atoms."""
        if not len(codes):
            return np.zeros(0, self.edges.dtype)
        run = np.clip(codes - len(self.atoms), 0, self.runs - 1)
        width = self.edges[run + 1] - self.edges[run]
        if self.ratios:
            return np.asarray(self.edges[run] * np.power(self.edges[run + 1] / self.edges[run], places))
        inside = places * width
        if self.lattice:
            inside = np.minimum(np.floor(inside), width - 1)
        offset, origin = inside, self.edges[run]
        for side, scale in enumerate(self.tails):
            beyond = codes == self.first_tail + (side if self.tails[0] else 0)
            if not scale or not beyond.any():
                continue
            distance = self._tail_distance(places, side) + (1 - side if self.lattice else 0)
            offset = np.where(beyond, distance * (1.0 if side else -1.0), offset)
            origin = np.where(beyond, self.edges[-1 if side else 0], origin)
        return np.asarray(origin + (offset.astype(np.int64) if self.lattice else offset))

    def log_volume(self, codes: I64, places: F64) -> F64:
        """What is taken off ln P(cell) for ln p(value), in nats: per value of a lattice, per unit of a number; [n]."""
        volume = np.zeros(len(codes))
        run = (codes >= len(self.atoms)) & (codes < self.first_tail)
        if run.any():
            each = codes[run] - len(self.atoms)
            if self.ratios:
                # p(ln v) is uniform, and p(v) = p(ln v) / v: the log-determinant of the logarithm is counted here.
                spans = np.log(self.edges[1:] / self.edges[:-1])[each]
                volume[run] = np.log(self._free(codes[run], places[run])) + np.log(spans)
            else:
                volume[run] = np.log(np.diff(self.edges).astype(np.float64))[each]
        for side, scale in enumerate(self.tails):
            beyond = codes == self.first_tail + (side if self.tails[0] else 0)
            if not scale or not beyond.any():
                continue
            distance = self._tail_distance(places[beyond], side)
            if self.lattice:
                volume[beyond] = -np.log(_beyond(distance / scale) - _beyond((distance + 1.0) / scale))
            else:
                volume[beyond] = np.log(scale / 2.0) + 3.0 * np.log1p(distance / scale)
        return volume

    def spread(self, codes: I64, places: F64, u: F64) -> F64:
        """Places moved by uniform `u` in [0, 1) to anywhere within their value: a discrete value becomes a density."""
        u = np.clip(u, _EDGE, 1.0 - _EDGE)
        if not self.lattice:
            return np.where((codes < len(self.atoms)) | (codes >= self.first_missing), u, places)
        moved = u.copy()
        run = (codes >= len(self.atoms)) & (codes < self.first_tail)
        if run.any():
            width = np.diff(self.edges).astype(np.float64)[codes[run] - len(self.atoms)]
            moved[run] = (np.minimum(np.floor(places[run] * width), width - 1) + u[run]) / width
        for side, scale in enumerate(self.tails):
            beyond = codes == self.first_tail + (side if self.tails[0] else 0)
            if scale and beyond.any():
                moved[beyond] = self._tail_place(self._tail_distance(places[beyond], side), side, u[beyond])
        return np.clip(moved, 0.0, 1.0 - _OPEN)

    @cached_property
    def order(self) -> I64:
        """The codes by ascending value, missing first: what a monotone map of the line onto the cells goes along."""
        middle = np.zeros(self.levels)
        middle[: len(self.atoms)] = self.atoms
        if self.runs:
            centres = (self.edges[:-1] + self.edges[1:]) / 2.0
            shift: F64 | float = 0.0
            if self.lattice and len(self.atoms):
                # Ranks among the k that are no atoms, back among all k; runs end at heavy atoms (`partition`).
                gaps = np.searchsorted(self.atoms - np.arange(len(self.atoms)), centres, side="right")
                shift = gaps.astype(np.float64)
            middle[len(self.atoms) : self.first_tail] = centres + shift
        if self.tails[0]:
            middle[self.first_tail] = -np.inf
        if self.tails[1]:
            middle[self.first_missing - 1] = np.inf
        ordered = np.argsort(middle[: self.first_missing], kind="stable")
        return np.concatenate([np.arange(self.first_missing, self.levels), ordered])

    def _missing(self, column: Column) -> Bools:
        absent = column == -1 if self.field.dtype == "categorical" else np.not_equal(column, column)
        if absent.any() and not self.field.nullable:
            self._refuse(int(np.flatnonzero(absent)[0]), "is missing, and the field is not nullable")
        return np.asarray(absent)

    def _exact(self, column: Column, missing: Bools) -> Exact:
        """The k of a lattice, or the numbers; where a value is missing, one that is not."""
        if missing.all():
            return np.zeros(len(column), np.int64 if self.lattice else np.float64)
        present = column[~missing][0]
        filled = np.where(missing, present, column)
        return exact_values(self.field, self.lattice, filled)

    def _stored(self, exact: Exact, missing: Bools) -> Column:
        dtype = np.dtype(column_dtype(self.field))
        if self.field.dtype == "timestamp" and self.lattice:
            origin, step = self.lattice.origin, int(self.lattice.step)
            # The first and the last step of the clock that 64 bits of nanoseconds hold: the years 1678 to 2261.
            first, last = -((2**63 - 1 + origin) // step), (2**63 - 1 - origin) // step
            return np.asarray(origin + np.clip(exact.astype(np.int64), first, last) * step, dtype=np.int64)
        if self.unordered:
            return np.where(missing, -1, exact).astype(dtype)
        values = multiples(exact.astype(np.float64), self.lattice.step) if self.lattice else exact.astype(np.float64)
        stored = nearest_allowed(self.field, values).astype(dtype)
        return np.where(missing, np.asarray(np.nan, dtype), stored) if missing.any() else stored

    def _refuse(self, row: int, what: str) -> None:
        raise DataError(
            "data.out-of-range", f"{self.field.name} of row {row} {what}", "correct the data, or the field in the SRef"
        )


def _beyond(scales: F64) -> F64:
    """The share of a tail that lies more than so many scales beyond its edge: Pareto's law, of finite mean."""
    return np.asarray((1.0 + scales) ** -2.0)


def lattice_of(field: Field, column: Column) -> Lattice | None:
    """The lattice that `field` declares, or that the instants of `column` keep: the coarsest usual unit of time."""
    if field.dtype in ("categorical", "bool"):
        return Lattice(0, 1.0)
    if field.dtype == "timestamp":
        return _clock(field, column.astype(np.int64))
    step = steps(field)
    if field.enum and not step:
        return None
    return Lattice(0, step) if step else None


_CLOCKS = (86_400 * 10**9, 3_600 * 10**9, 60 * 10**9, 10**9, 10**6, 10**3, 1)
"""Nanoseconds of a day, an hour, a minute, a second, a millisecond, a microsecond and a nanosecond."""


def _clock(field: Field, instants: I64) -> Lattice:
    if field.resolution:
        return Lattice(int(instants.min()), float(max(1, round(field.resolution * 1e9))))
    origin = int(instants.min())
    step = next(unit for unit in _CLOCKS if not ((instants - origin) % unit).any())
    return Lattice(origin, float(step))


def exact_values(field: Field, lattice: Lattice | None, column: Column) -> Exact:
    """The k of `lattice` (int64) or the numbers (float64) of values that are there. Raises DataError for what is off."""
    if field.dtype == "timestamp" and lattice is not None:
        since = column.astype(np.int64) - lattice.origin
        off = np.flatnonzero(since % int(lattice.step))
        if len(off):
            raise DataError(
                "data.out-of-range",
                f"{field.name} of row {int(off[0])} is no whole number of {lattice.step / 1e9:g} s after the others",
                "give the field a resolution in seconds that all its instants keep",
            )
        return np.asarray(since // int(lattice.step))
    if field.dtype in ("categorical", "bool"):
        return column.astype(np.int64)
    values = column.astype(np.float64)
    check_numbers(field, values[:, None])
    if field.range is not None:
        # A float32 at the end of its range may lie beyond it in float64.
        values = np.clip(values, *field.range)
    return np.rint(values / lattice.step).astype(np.int64) if lattice else values


def members_of(field: Field, lattice: Lattice | None) -> Exact | None:
    """All that `field` can hold, ascending, as `exact_values` gives it; None where the schema names no members."""
    if field.dtype == "bool":
        return np.arange(2, dtype=np.int64)
    if not field.enum:
        return None
    members = np.unique(np.asarray(stored_members(field)))
    if field.dtype == "categorical":
        return members.astype(np.int64)
    return np.rint(members / lattice.step).astype(np.int64) if lattice else members.astype(np.float64)


def bounds_of(field: Field, lattice: Lattice | None) -> tuple[float, float]:
    """The least and greatest k of `lattice`, or number, that the range of `field` allows; infinite where it has none."""
    if field.dtype == "timestamp" or field.range is None:
        return -np.inf, np.inf
    low, high = ends_of(field)
    if lattice is None:
        return low, high
    return float(np.ceil(low / lattice.step - 1e-9)), float(np.floor(high / lattice.step + 1e-9))
