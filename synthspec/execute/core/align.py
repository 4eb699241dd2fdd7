"""P405-5: the clock of the reference data fitted, and every kept record given a tau_mono and, through the fit, a ts.

The network makes records, not times. Their spacings are drawn from those of neighbouring training records, independently of
their content, on tau_mono; the fitted map then publishes them on ts, and gives back every tau_mono exactly. The fit sees the
training split alone; steps, gaps and decreases are looked for in all of the reference data.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthspec.backend.artifacts import DATA, FIGURES, SPLIT, write_report
from synthspec.backend.dataset import Dataset, read_dataset, read_rows, write_dataset
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.timepath import ALIGN_REPORT
from synthspec.execute.core.align_report import Alignment, figures, report
from synthspec.execute.core.clock import Clock, Ticks, TimeAxis, spacings
from synthspec.execute.core.content import allowed
from synthspec.ir.ops import Align
from synthspec.text import counted
from synthspec.timebase import TooFewReadingsError, fit_clock


def align(op: Align, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``data.safetensors`` with the times of the records, ``align.json`` and ``figures.json`` (tau_mono_decreases, J).

    Raises DataError: `P405-5.too-few-readings` where no line can be fitted or no spacing drawn, `P405-5.clock-unusable` for a
    clock that no map can publish by, `data.out-of-range` where the made tau_mono leaves its range.
    """
    data, samples = read_dataset(inputs["data"].path(DATA)), read_dataset(inputs["samples"].path(DATA))
    rows = read_rows(inputs["split"].path(SPLIT))
    axis = TimeAxis.of(op)
    everything, training = Clock.of(op, axis, data), Clock.of(op, axis, data.take(rows.train))
    window = op.timebase.fit.window.si
    try:
        fit = fit_clock(training.tau, training.error, window, op.timebase.fit.method)
        drawn = spacings(everything.order, data[op.timebase.train_on], rows.train, axis)
    except TooFewReadingsError as error:
        message = f"the training split does not give a time base: {error}"
        raise DataError("P405-5.too-few-readings", message, "give more readings, or a larger training split") from error
    publisher = training.publisher(fit)
    quantum = axis.quantum(training.tau_ref, len(samples), drawn)
    dtau = _made(op, drawn, len(samples), quantum)
    column = axis.column(training.tau_ref, fit.main.begin, dtau, quantum)
    stored = axis.ticks(column, training.tau_ref)
    ts = publisher.publish(stored)
    published = Dataset({**samples.columns, op.timebase.train_on: column, op.timebase.publish_on: ts})
    _within(op, published)
    back = axis.column(training.tau_ref, 0.0, publisher.recover(ts), quantum)
    alignment = Alignment(
        op=op,
        axis=axis,
        fit=fit,
        clock=training,
        whole=everything,
        real=data[op.timebase.train_on],
        made=column,
        not_recovered=int((back != column).sum()),
        quantum=quantum,
        spacings=len(drawn),
    )
    write_dataset(context.out, published)
    found = report(alignment)
    write_report(context.out, ALIGN_REPORT, found)
    write_report(context.out, FIGURES, figures(found, alignment))


def _made(op: Align, drawn: Ticks, records: int, quantum: int) -> Ticks:
    """[records] ns since the first training reading of the stretch: running sums of drawn spacings, on the grid.

    A spacing comes from the straight line between two neighbouring order statistics of those in training: none has to be
    that of two real records.
    """
    ordered = np.sort(drawn).astype(np.float64)
    place = generator(op.seed, Stream.TIME, 0).random(records) * (len(ordered) - 1)
    spaced = np.interp(place, np.arange(len(ordered)), ordered)
    return np.cumsum(np.rint(spaced / quantum).astype(np.int64) * quantum)


def _within(op: Align, published: Dataset) -> None:
    for name in (op.timebase.train_on, op.timebase.publish_on):
        field = op.schema.field(name)
        out = np.flatnonzero(~allowed(field, published[name]))
        if len(out):
            message = (
                f"from record {int(out[0])} on, {name} leaves what the SRef allows ({counted(len(out), 'record')})"
            )
            raise DataError("data.out-of-range", message, "widen the range of the field, or ask for fewer records")
