"""P405-4: the one look at the train rows under dp-noise, and the records that are drawn from what it released.

Nothing of a record leaves `_looked` but through `Noise.release`; all that comes after it would cost nothing if it were
done again. What is written has the names that the data and their split have, so that any engine is trained on it as it
would be on records.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from synthspec.backend.artifacts import VECTORS, write_report
from synthspec.backend.cells import Cells, Codes
from synthspec.backend.dataset import Column, Dataset, Rows, write_dataset, write_rows
from synthspec.backend.draws import Stream, generator, within
from synthspec.backend.engines import check_stated_size, training_rows
from synthspec.backend.marginals import counted, fit_marginals, projected
from synthspec.backend.matched import match_embedding
from synthspec.backend.noise import HARDENING, HARDENING_OF_SUMS, RNG, Noise
from synthspec.backend.protocol import Artifact, Context
from synthspec.backend.releases import PRIVACY_RECORD, Access, ReleaseMeter, StatisticsRecord
from synthspec.backend.schema_report import FILL_REPORT, FillReport
from synthspec.backend.secret import Secret, secret_of, settle
from synthspec.execute.core.noisy_gaps import released_values, without_gaps
from synthspec.ir.ops import Statistics
from synthspec.ir.schema import Field
from synthspec.ir.statistics import CONDITIONS, EMBEDDING, IMPUTATION, MARGINALS, OFFERED, releases_of

VALIDATION = 8
"""One drawn record of validation for so many of training."""


def statistics(op: Statistics, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Release what `op` states of the train rows of ``data``, and draw records from it.

    Raises DataError for a file of secrets that is not this release's, and for a number of records that is not what the
    block says.
    """
    train = training_rows(inputs)
    check_stated_size(op.privacy, len(train))
    secret = settle(None if context.secret is None else secret_of(op, context.secret), context.identity)
    cells = [Cells.of(op.schema.field(name)) for name in op.fields]
    context.progress.start("noisy statistics", op.records, "records")
    with closing(ReleaseMeter(context.meter)) as meter:
        noise = Noise(key=secret.key("statistics"), meter=meter)
        if op.fill:
            values = released_values(op, train, noise)
            write_report(context.out, FILL_REPORT, FillReport(values=values))
            train = train if op.kind == IMPUTATION else without_gaps(op, train, values)
        if op.kind != IMPUTATION:
            _write_drawn(op, _looked(op, cells, train, noise), context.out)
    context.progress.advance(op.records)
    vectors = {name: np.concatenate([part.ravel() for part in parts]) for name, parts in noise.vectors.items()}
    save_file(vectors, str(context.out / VECTORS))
    write_report(context.out, PRIVACY_RECORD, _record(op, noise, secret))


def _write_drawn(op: Statistics, drawn: tuple[Column, ...], out: Path) -> None:
    columns = {name: _stored(op.schema.field(name), column) for name, column in zip(op.fields, drawn, strict=True)}
    rows = np.arange(len(drawn[0]), dtype=np.int64)
    write_dataset(out, Dataset(columns))
    write_rows(out, Rows(train=rows[: op.records], val=rows[op.records :], test=rows[:0]))


def _looked(op: Statistics, cells: list[Cells], train: Dataset, noise: Noise) -> tuple[Column, ...]:
    """Drawn records, one column a field, from the releases that `noise` makes of `train`."""
    target = op.fields.index(op.target) if op.target else None
    size, rng = op.records + -(-op.records // VALIDATION), generator(op.seed, Stream.RELEASED, 0)
    if op.kind == EMBEDDING:
        columns = [train[cell.name] for cell in cells]
        return match_embedding(cells, columns, op.sigma, target, rng, noise).sample(size, rng)
    codes = [cell.codes(train[cell.name]) for cell in cells]
    drawn = _counted(op, cells, codes, target, noise, size, rng)
    rng = generator(op.seed, Stream.RELEASED, 1)
    return tuple(cell.values(each, rng) for cell, each in zip(cells, drawn, strict=True))


def _counted(
    op: Statistics,
    cells: list[Cells],
    codes: list[Codes],
    target: int | None,
    noise: Noise,
    size: int,
    rng: np.random.Generator,
) -> tuple[Codes, ...]:
    """The cells of `size` drawn records."""
    if op.kind == CONDITIONS:
        group = tuple(range(len(cells)))
        (counts,) = noise.release(CONDITIONS, [counted(codes, cells, group)], op.sigma)
        total = max(1.0, float(counts.sum()))
        return apportioned(projected(counts, total), size)
    return fit_marginals(cells, codes, op.sigma, target, noise).sample(size, rng)


def apportioned(counts: NDArray[np.float64], size: int) -> tuple[Codes, ...]:
    """`size` records in the proportions of `counts`, by largest remainders: no cell is off by a whole record."""
    exact = counts.ravel() * (size / counts.sum())
    shares = np.floor(exact).astype(np.int64)
    order = np.argsort(shares - exact, kind="stable")
    shares[order[: size - int(shares.sum())]] += 1
    flat = np.repeat(np.arange(counts.size), shares)
    # In turn, so that the first of them are in proportion, too.
    turned = flat[
        np.argsort(np.concatenate([(np.arange(each) + 0.5) / each for each in shares if each]), kind="stable")
    ]
    return tuple(np.asarray(part, dtype=np.int64) for part in np.unravel_index(turned, counts.shape))


def _stored(field: Field, values: Column) -> Column:
    if field.dtype in ("categorical", "bool"):
        return values.astype(np.int64 if field.dtype == "categorical" else np.uint8)
    return within(field, values.astype(np.float64))


def _record(op: Statistics, noise: Noise, secret: Secret) -> StatisticsRecord:
    block, summed = op.privacy, "noisy sums" if op.kind == EMBEDDING else "noisy counts"
    return StatisticsRecord(
        mechanism="dp-noise",
        made=tuple(noise.made),
        planned=releases_of(op.kind) + (bool(op.fill) and op.kind != IMPUTATION),
        drawn=op.records,
        unit=block.unit or "record",
        adjacency=block.adjacency or "replace_one",
        rng=RNG,
        hardening=HARDENING_OF_SUMS if op.kind == EMBEDDING else HARDENING,
        commitment=secret.commitment,
        accesses=(
            *(Access(what=f"{summed}: {each.name}", charge="ledger") for each in noise.made),
            *(FILLED if op.fill else ()),
            *PUBLIC[op.kind],
            *(ENGINE if op.kind in OFFERED else ()),
        ),
    )


_CELLS = Access(what="cells of the counts", charge="none: they come from the SRef")
_COUNTED = (_CELLS, Access(what="records drawn from the counts", charge="none: no record is looked at again"))
FILLED = (
    Access(what="means, medians and modes that gaps are filled with", charge="none: they are made of the counts"),
)
PUBLIC = {
    MARGINALS: _COUNTED,
    CONDITIONS: _COUNTED,
    IMPUTATION: (_CELLS,),
    EMBEDDING: (
        Access(what="random features", charge="none: they come from the SRef and a public seed"),
        Access(
            what="laws that match the sums, their stopping, records drawn", charge="none: no record is looked at again"
        ),
    ),
}
ENGINE = (
    Access(what="training, validation, monitors, choice of the weights", charge="none: they see drawn records alone"),
)
