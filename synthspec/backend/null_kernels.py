"""The kernels of the ``null`` backend: uniform draws. Importing this module imports numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthspec.backend.artifacts import FitReport
from synthspec.backend.blocks import Drawn, sampling_kernels
from synthspec.backend.columns import column_dtype, made_fields
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, draw_conditions, generator, uniform, within
from synthspec.backend.engines import assess_nothing, training_rows, write_engine
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.schema import Field


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Read nothing, learn nothing: no weights, no steps, an empty log."""
    del inputs
    context.progress.start("fit", 1, "steps")
    unbounded = [f.name for f in made_fields(op) if f.range is None and not f.enum and f.dtype != "bool"]
    facts = (("drawn_from_0_to_1", ", ".join(unbounded)),) if unbounded else ()
    write_engine(context, {}, FitReport(status="budget", steps=0, best_step=0, parameters=0, facts=facts))
    context.progress.advance()


@dataclass(frozen=True, slots=True)
class UniformSampler:
    """Draws blocks for one `Sample`; `training` holds the rows of the training split."""

    op: Sample
    training: Dataset
    device: str = "cpu"
    threads: int = 1

    def draw(self, block: int, size: int) -> Drawn:
        """Conditions as asked, content uniform, times counted; NFE is 0, for there is no network."""
        columns = draw_conditions(self.op, self.training, block, size)
        for index, field in enumerate(self.op.fit.schema.fields):
            if field.role == "content":
                columns[field.name] = uniform(field, generator(self.op.seed, Stream.START, block, index), size)
            elif field.role == "time":
                columns[field.name] = _counted(field, block * self.op.block, size)
        return Drawn(data=Dataset(columns))


def _counted(field: Field, first: int, size: int) -> Column:
    """One unit of time from record to record, from the lower end of the range: monotonic, and plainly invented."""
    unit = 10**9 if field.dtype == "timestamp" else 1
    number = (first + np.arange(size, dtype=np.float64)) * unit + (field.range[0] if field.range else 0.0)
    column = within(field, number.reshape(-1, *[1] * len(field.shape)))
    return np.broadcast_to(column, (size, *field.shape)).astype(column_dtype(field))


def load(op: Sample, inputs: Mapping[str, Artifact]) -> UniformSampler:
    """A sampler for `op`; only the conditions of the training rows are ever looked at."""
    return UniformSampler(op, training_rows(inputs))


KERNELS: dict[str, Kernel] = {"assess": assess_nothing, "fit": fit, **sampling_kernels(load)}
