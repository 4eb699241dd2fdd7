"""P403-2: every kept record points to a record that there is, in each table that the schema refers to.

A foreign key that is no content is not learned. Keys are given to records independently of what they hold. Without a
mechanism the number of records a key follows that of the training split: keys are gone through in a drawn order, each
taking as many records as a key drawn from all has in training (often none), round after round, until every record has one.
So which key has many records is not told, only that some have. Under a mechanism any key has the same chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA, FIGURES, SPLIT, write_report
from synthspec.backend.dataset import Column, Dataset, read_dataset, read_rows, write_dataset
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.schema_report import REFER_REPORT, REFERENCES, MadeKeys, ReferReport
from synthspec.execute.core.content import missing
from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Refer, Referred
from synthspec.ir.schema import Field

I64 = NDArray[np.int64]


def refer(op: Refer, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``data.safetensors`` with the foreign keys of the records, ``refer.json`` and ``figures.json`` (fk_unmatched).

    Raises DataError (`data.orphan`) where no training record has a value that could say how many records a key has.
    """
    data, samples = read_dataset(inputs["data"].path(DATA)), read_dataset(inputs["samples"].path(DATA))
    train = read_rows(inputs["split"].path(SPLIT)).train
    referred = read_dataset(inputs["data"].path(REFERENCES))
    columns, made = dict(samples.columns), []
    for place, each in enumerate(op.references):
        pool = Pool.of(op.schema.field(each.field), referred[f"{each.field}.keys"], data[each.field][train])
        column = pool.drawn(each, len(samples), generator(op.seed, Stream.REFER, 0, place))
        columns[each.field] = column
        made.append(pool.report(each, column))
    write_dataset(context.out, Dataset(columns))
    write_report(context.out, REFER_REPORT, ReferReport(keys=tuple(made)))
    unmatched = sum(each.unmatched for each in made)
    details = tuple((f"{each.field}.used", each.used) for each in made)
    figure = Figure(
        name="fk_unmatched",
        label="fk_unmatched",
        value=float(unmatched),
        method="exact",
        n_syn=len(samples),
        details=details,
    )
    write_report(context.out, FIGURES, (figure,))


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The keys that a foreign key may have, and how the training records are spread over them."""

    field: Field
    keys: Column
    fan_out: I64
    """[keys]: training records of each."""
    gaps: int
    """Training records without a value."""

    @classmethod
    def of(cls, field: Field, keys: Column, column: Column) -> Pool:
        """The pool of `keys`, with the training records `column` counted."""
        there = ~missing(field, column)
        place = _places(keys, column[there])
        return cls(
            field, keys, np.bincount(place[place >= 0], minlength=len(keys)).astype(np.int64), int((~there).sum())
        )

    def drawn(self, referred: Referred, records: int, rng: np.random.Generator) -> Column:
        """The keys of `records` records. Raises DataError where the training split points to no key at all."""
        if referred.fan_out == "uniform":
            return np.asarray(self.keys[rng.integers(0, len(self.keys), records)])
        if not self.fan_out.any():
            message = f"no training record has a {self.field.name!r} that is a key of {referred.source}"
            raise DataError("data.orphan", message, "give the training split a larger share, or correct the keys")
        place = rng.permutation(np.concatenate(list(self._rounds(records, rng)))[:records])
        column: Column = self.keys[place].copy()
        share = self.gaps / (self.gaps + int(self.fan_out.sum()))
        if self.field.nullable and share > 0:
            column[rng.random(records) < share] = 0
        return column

    def _rounds(self, records: int, rng: np.random.Generator) -> list[I64]:
        """Places of keys, at least `records`: each round goes through all keys in a new order.

        A key has no record with the share of such keys in training, and is passed over at once: tables of many parents
        and few children cost what their children do.
        """
        some = self.fan_out[self.fan_out > 0]
        rounds: list[I64] = []
        made = 0
        while made < records:
            chosen = rng.choice(len(self.keys), rng.binomial(len(self.keys), len(some) / len(self.keys)), replace=False)
            rounds.append(np.repeat(chosen, rng.choice(some, len(chosen))))
            made += len(rounds[-1])
        return rounds

    def report(self, referred: Referred, column: Column) -> MadeKeys:
        """What was drawn, looked up among the keys once more."""
        there = ~missing(self.field, column) if self.field.nullable else np.ones(len(column), bool)
        place = _places(self.keys, column[there])
        return MadeKeys(
            field=self.field.name,
            table=referred.table,
            law=referred.fan_out,
            keys=len(self.keys),
            used=len(np.unique(place[place >= 0])),
            gaps=int((~there).sum()),
            most=int(np.bincount(place[place >= 0], minlength=1).max()),
            unmatched=int((place < 0).sum()),
        )


def _places(keys: Column, column: Column) -> I64:
    """Where each value stands among `keys`; -1 where it does not. Text may be padded to another length."""
    if column.ndim > 1:
        width = max(keys.shape[1], column.shape[1])
        keys, column = (_text(each, width) for each in (keys, column))
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys[order], column), len(keys) - 1)
    return np.where(keys[order][at] == column, order[at], -1)


def _text(column: Column, width: int) -> Column:
    """[n] byte strings of padded UTF-8, which sort as their bytes do."""
    padded = np.ascontiguousarray(np.pad(column, ((0, 0), (0, width - column.shape[1]))).astype(np.uint8))
    return padded.view(f"S{width}").ravel()
