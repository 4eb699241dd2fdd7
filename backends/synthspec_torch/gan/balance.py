"""Training by sampling: records are drawn by a member of one discrete field, which both networks are told (Xu et al. 2019).

A field is drawn uniformly, one of its members by the logarithm of its count, and a record uniformly among the train rows
that have it, so rare members are seen often. The generator's choice of that member is made; what it learns is the law of
all else given the member, which the tilt leaves as it is. A release draws the member by its share among the train rows,
given the condition variables of the record: then the whole has the law of the train rows, whichever field was drawn.

Content fields that are categorical or bool are discrete, and so are condition variables with members, of which the networks
know anyway: where one of those is drawn, no further member is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from synthspec.backend.columns import stored_members
from synthspec.backend.dataset import Column
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.ops import Fit
from synthspec.ir.schema import Field
from synthspec_torch.gan.content import Content, MixedContent
from synthspec_torch.weights import WeightsError, save_weights

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

MEMBERS = "weights/members.safetensors"
"""The shares that a release draws members by, beside the weights of the generator."""
_PARTS = ("keys", "shares")


@dataclass(frozen=True, slots=True)
class Group:
    """The `size` members of one discrete field, and where they stand in the contents: nowhere, if it is a condition."""

    field: Field
    size: int
    slots: slice


@dataclass(frozen=True, eq=False)
class Balance:
    """The discrete fields of records: first `told`, those of the contents, then the condition variables."""

    told: tuple[Group, ...]
    known: tuple[Group, ...]

    @classmethod
    def of(cls, op: Fit, content: Content) -> Balance | None:
        """The fields that `op` balances; None where it draws all records alike."""
        if getattr(op.objective, "training_by_sampling", "none") == "none":
            return None
        known = tuple(op.schema.field(name) for name in op.conditions)
        return cls(_choices(content), tuple(Group(field, len(field.enum) or 2, slice(0)) for field in known))

    @property
    def groups(self) -> tuple[Group, ...]:
        return self.told + self.known

    @property
    def width(self) -> int:
        """Numbers that tell a member: one for each member of a content field."""
        return sum(group.size for group in self.told)

    @property
    def slots(self) -> tuple[int, ...]:
        """The slot of the contents that each of these numbers is about."""
        return tuple(slot for group in self.told for slot in range(group.slots.start, group.slots.stop))

    @property
    def starts(self) -> tuple[int, ...]:
        """The place of the first member of each group among all members."""
        return (0, *accumulate(group.size for group in self.groups))[:-1]

    def codes(self, x: torch.Tensor, columns: Mapping[str, Column]) -> I64:
        """The place among all members of what each record has of each group, int64 [n, groups]; -1: it is missing."""
        chosen = [
            x[:, group.slots].argmax(1).numpy() + start for group, start in zip(self.told, self.starts, strict=False)
        ]
        return np.concatenate([np.stack(chosen, 1)] * bool(chosen) + [self.conditions(columns, len(x))], 1)

    def conditions(self, columns: Mapping[str, Column], count: int) -> I64:
        """The same of the condition variables of `count` records alone, [count, condition variables]."""
        codes = np.full((count, len(self.known)), -1)
        for place, (group, start) in enumerate(zip(self.known, self.starts[len(self.told) :], strict=True)):
            code = _code(group.field, columns[group.field.name])
            codes[:, place] = np.where(code < 0, -1, code + start)
        return codes

    def tell(self, members: I64) -> torch.Tensor:
        """Places among all members [n] to what the networks are told, float32 [n, width]."""
        told = np.zeros((len(members), self.width), np.float32)
        rows = np.flatnonzero((members >= 0) & (members < self.width))
        told[rows, members[rows]] = 1.0
        return torch.from_numpy(told)

    def some(self, codes: I64, seed: int) -> I64:
        """One member of each record of `codes`, of a field drawn uniformly: the same for the same seed."""
        fields = generator(seed, Stream.VALIDATE, 3).integers(codes.shape[1], size=len(codes))
        return np.asarray(codes[np.arange(len(codes)), fields])


class LogFrequency:
    """Train rows as a training by sampling draws them."""

    def __init__(self, balance: Balance, codes: I64) -> None:
        """`codes`: what `balance` says of the train rows."""
        self.balance = balance
        size = int(codes.max()) + 1
        counts = np.zeros(size, np.int64)
        weights, rows = np.zeros(size), []
        for code in codes.T:
            place, count = np.unique(code[code >= 0], return_counts=True)
            log = np.log1p(count)
            counts[place], weights[place] = count, log / log.sum()
            rows.append(np.argsort(code, kind="stable")[int((code < 0).sum()) :])
        self.rows = torch.from_numpy(np.concatenate(rows))
        """Row numbers by member, the members in order."""
        self.counts = torch.from_numpy(counts)
        self.shares = torch.from_numpy(weights / weights.sum())
        """The law of members, [members]."""
        self._ends = self.shares.cumsum(0)
        self._ends[int(np.flatnonzero(counts)[-1]) :] = 1.0
        self._starts = self.counts.cumsum(0) - self.counts

    def draw(self, count: int, draws: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Row numbers and members, both int64 [count]."""
        u, v = torch.rand((2, count), generator=draws, dtype=torch.float64)
        members = torch.searchsorted(self._ends, u, right=True)
        # Of a uniform number below 1 times a count, rounding may make the count itself.
        at = torch.minimum((v * self.counts[members]).long(), self.counts[members] - 1)
        return self.rows[self._starts[members] + at], members


@dataclass(frozen=True, eq=False)
class Release:
    """The shares of told members among the train rows, for each combination of condition variables that they show."""

    keys: I64
    """[m, condition variables], sorted: the combinations."""
    shares: F64
    """[m + 1, width]: each row sums to the share of content fields among all; the last is that of all train rows."""

    @classmethod
    def of(cls, balance: Balance, codes: I64) -> Release:
        """By the `codes` of the train rows."""
        told, known = codes[:, : len(balance.told)], codes[:, len(balance.told) :]
        keys, of_row = _combinations(known)
        shares = np.zeros((len(keys) + 1, balance.width))
        for code in told.T:
            np.add.at(shares, (of_row, code), 1.0)
        shares[-1] = shares[:-1].sum(0)
        rows = np.append(np.bincount(of_row, minlength=len(keys)), len(codes))
        return cls(keys, shares / (rows[:, None] * codes.shape[1]))

    def draw(self, balance: Balance, known: I64, u: F64) -> I64:
        """Members for the condition variables `known` [n, condition variables] by uniform numbers `u` [n].

        A combination that no train row shows gets the shares of all of them. `balance.width` stands for no member.
        """
        members = np.empty(len(known), np.int64)
        distinct, of_record = _combinations(known)
        for place, key in enumerate(distinct):
            found = np.flatnonzero((self.keys == key).all(1))
            shares = self.shares[found[0] if len(found) else -1]
            ends = np.cumsum(shares)
            if not balance.known:
                ends[np.flatnonzero(shares)[-1] :] = 1.0
            here = of_record == place
            members[here] = np.searchsorted(ends, u[here], side="right")
        return members

    def write(self, context: Context) -> None:
        """Write it beside the weights."""
        tensors = {name: torch.from_numpy(getattr(self, name).copy()) for name in _PARTS}
        save_weights(context.out / MEMBERS, tensors)

    @classmethod
    def read(cls, balance: Balance, engine: Artifact) -> Release:
        """What `write` left. Raises WeightsError for a file that holds the members of other fields."""
        stored = load_file(str(engine.path(MEMBERS)))
        keys, shares = (stored.get(name, np.zeros(0)) for name in _PARTS)
        if keys.shape[1:] != (len(balance.known),) or shares.shape != (len(keys) + 1, balance.width):
            raise WeightsError(f"{MEMBERS} does not hold the shares of {balance.width} members")
        return cls(keys, shares)


def _combinations(known: I64) -> tuple[I64, I64]:
    """The distinct rows of `known`, sorted, and for each row which of them it is."""
    if not known.shape[1]:
        return np.zeros((1, 0), np.int64), np.zeros(len(known), np.int64)
    keys, of_row = np.unique(known, axis=0, return_inverse=True)
    return keys, of_row.reshape(-1)


def _choices(content: Content) -> tuple[Group, ...]:
    if not isinstance(content, MixedContent):
        return ()
    owners = ((block, content.layout.codec.columns[block.column].field) for block in content.layout.blocks)
    return tuple(
        Group(field, block.width, block.slots)
        for block, field in owners
        if block.kind == "choice" and field.dtype in ("categorical", "bool")
    )


def _code(field: Field, column: Column) -> I64:
    """The place of each value among the members of `field`, -1 where it is missing."""
    if not field.enum:
        return column.astype(np.int64)
    same = column[:, None] == np.asarray(stored_members(field))
    return np.where(same.any(1), same.argmax(1), -1)
