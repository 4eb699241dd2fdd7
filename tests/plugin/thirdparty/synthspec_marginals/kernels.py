"""What the backend computes."""

import numpy as np

from synthspec.backend.artifacts import FitReport
from synthspec.backend.blocks import Drawn, sampling_kernels
from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import Stream, draw_conditions, generator, within
from synthspec.backend.engines import read_engine, training_rows, write_engine
from synthspec.backend.protocol import DataError


def fit(op, inputs, context):
    context.progress.start("fit", 1, "steps")
    content = [training_rows(inputs)[field.name] for field in op.schema.with_role("content")]
    if not all(column.size and np.isfinite(column).all() for column in content):
        raise DataError("data.not-finite", "the training rows have no mean", "give every training row finite content")
    moments = np.array([[column.mean(), column.std()] for column in content])
    report = FitReport(status="converged", steps=0, best_step=0, parameters=moments.size)
    write_engine(context, {"moments": moments}, report)
    context.progress.advance()


class Sampler:
    device, threads = "cpu", 1

    def __init__(self, op, inputs):
        self.op, self.training, self.moments = op, training_rows(inputs), read_engine(inputs)["moments"]

    def draw(self, block, size):
        columns = draw_conditions(self.op, self.training, block, size)
        content = self.op.fit.schema.with_role("content")
        for index, (field, (mean, std)) in enumerate(zip(content, self.moments, strict=True)):
            z = generator(self.op.seed, Stream.START, block, index).standard_normal((size, *field.shape))
            columns[field.name] = within(field, mean + std * z)
        return Drawn(data=Dataset(columns), net_calls=1, net_evals_per_sample=1)


KERNELS = {"fit": fit, **sampling_kernels(Sampler)}
