"""The kernels of the ``reference`` backend. Importing this module imports numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import FitReport
from synthspec.backend.blocks import Drawn, sampling_kernels
from synthspec.backend.conditions import class_sizes
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, draw_conditions, generator, within
from synthspec.backend.engines import assess_nothing, read_engine, training_rows, write_engine
from synthspec.backend.gaussian import GaussianClasses, fit_classes
from synthspec.backend.integrators import INTEGRATORS
from synthspec.backend.protocol import Artifact, Context, DataError, Kernel
from synthspec.backend.schedules import F64, sampling_grid
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.schema import Field
from synthspec.spec.engine import DiffusionEngine, EdmSchedule, FlowMatchingSchedule

Labels = NDArray[np.int64]


def fit(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
    """The mean and covariance of the training rows, scaled to [-1, 1], of each class and of all: the optimum at once.

    Raises DataError when there is no training row, or a content value is not finite.
    """
    context.progress.start("fit", 1, "steps")
    data = training_rows(inputs)
    scale = fit_scale(op, data)
    x = scale.forward(data)
    if not np.isfinite(x).all():
        raise DataError(
            "data.not-finite",
            "the content of the training rows has values that are not finite numbers",
            "remove those rows, or declare the field nullable and choose an engine that takes missing values",
        )
    model = fit_classes(x, labels(op, data), int(np.prod(class_sizes(op))))
    arrays = {"mean": model.mean, "basis": model.basis, "variance": model.variance, "count": model.count}
    width = x.shape[1]
    parameters = len(model.mean) * (width + width * (width + 1) // 2)
    report = FitReport(status="converged", steps=0, best_step=0, parameters=parameters)
    write_engine(context, {**arrays, "low": scale.low, "high": scale.high}, report)
    context.progress.advance()


@dataclass(frozen=True)
class Scale:
    """Content as one row of numbers in [-1, 1]: each field by its range, one without by what the training rows span."""

    fields: tuple[Field, ...]
    low: F64
    high: F64

    def forward(self, data: Dataset) -> F64:
        """[n, d] in the order of the fields."""
        parts = [data[field.name].reshape(len(data), -1).astype(np.float64) for field in self.fields]
        return np.asarray(2 * (np.concatenate(parts, axis=1) - self.low) / (self.high - self.low) - 1)

    def backward(self, x: F64) -> tuple[dict[str, Column], int]:
        """The content columns of x [n, d], and how many values had to be moved into their range."""
        values = self.low + (x + 1) / 2 * (self.high - self.low)
        columns: dict[str, Column] = {}
        clipped = first = 0
        for field in self.fields:
            part = values[:, first : first + field.size]
            first += field.size
            if field.range is not None:
                clipped += int(((part < field.range[0]) | (part > field.range[1])).sum())
            columns[field.name] = within(field, part.reshape(len(x), *field.shape))
        return columns, clipped


def fit_scale(op: Fit, data: Dataset) -> Scale:
    """The scale of the content of `op`. Raises DataError when there is no training row."""
    if not len(data):
        raise DataError(
            "P405-9.split-empty", "the training split has no row", "give it a larger share under data.split"
        )
    content = op.schema.with_role("content")
    ends = [np.broadcast_to(_ends(field, data), (field.size, 2)) for field in content]
    low, high = np.concatenate(ends).T
    return Scale(content, np.ascontiguousarray(low), np.ascontiguousarray(high))


def _ends(field: Field, data: Dataset) -> tuple[float, float]:
    low, high = field.range or (float(data[field.name].min()), float(data[field.name].max()))
    return (low, high) if high > low else (low - 1, low + 1)


def labels(op: Fit, data: Mapping[str, Column] | Dataset) -> Labels:
    """The class of each record: the mixed-radix number of its condition codes; -1 where one is missing."""
    if not op.conditions:
        return np.zeros(_length(data), dtype=np.int64)
    codes = [np.asarray(data[name], dtype=np.int64) for name in op.conditions]
    sizes = class_sizes(op)
    label: Labels = np.zeros(len(codes[0]), dtype=np.int64)
    for code, size in zip(codes, sizes, strict=True):
        label = np.where((label < 0) | (code < 0), -1, label * size + code)
    return label


def _length(data: Mapping[str, Column] | Dataset) -> int:
    return len(data) if isinstance(data, Dataset) else len(next(iter(data.values())))


@dataclass
class ExactNetwork:
    """The denoiser of one block, counting its own calls; guided on the S405-6 scale when `w_cfg` is not 0.

    eps = eps_c + w_cfg (eps_c - eps_0), eps_0 that of all rows together.
    """

    model: GaussianClasses
    classes: Labels
    w_cfg: float
    calls: int = 0
    cfg_calls: int = 0

    def __call__(self, x: F64, alpha_bar: float) -> F64:
        self.calls += 1
        eps = self.model.eps(x, alpha_bar, self.classes)
        if not self.w_cfg:
            return eps
        self.calls += 1
        self.cfg_calls += 1
        pooled = self.model.eps(x, alpha_bar, np.full_like(self.classes, self.model.pooled))
        return np.asarray(eps + self.w_cfg * (eps - pooled))


@dataclass(frozen=True)
class ExactSampler:
    """Draws blocks with the exact denoiser."""

    op: Sample
    model: GaussianClasses
    scale: Scale
    training: Dataset
    grid: F64
    device: str = "cpu"
    threads: int = 1

    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of `block`. Raises DataError for a class that no training row belongs to."""
        columns = draw_conditions(self.op, self.training, block, size)
        classes = self._classes(columns, size)
        network = ExactNetwork(self.model, classes, self.op.w_cfg)
        shape = (size, self.model.mean.shape[1])
        steps = iter(range(len(self.grid)))

        def noise() -> F64:
            return generator(self.op.seed, Stream.STEP, block, next(steps)).standard_normal(shape)

        start = generator(self.op.seed, Stream.START, block).standard_normal(shape)
        integrate = INTEGRATORS[self.op.solver.name if self.op.solver else ""]
        content, clipped = self.scale.backward(integrate(start, self.grid, network, noise))
        return Drawn(
            data=Dataset({**columns, **content}),
            net_calls=network.calls,
            net_evals_per_sample=network.calls,
            cfg_evals=network.cfg_calls,
            counts=(("clipped_values", clipped),),
        )

    def _classes(self, columns: Mapping[str, Column], size: int) -> Labels:
        if not self.op.fit.conditions:
            return np.zeros(size, dtype=np.int64)
        classes = labels(self.op.fit, columns)
        empty = np.unique(classes[self.model.count[classes] == 0])
        if len(empty):
            sizes = class_sizes(self.op.fit)
            wanted = dict(zip(self.op.fit.conditions, np.unravel_index(int(empty[0]), sizes), strict=True))
            members = {name: self.op.fit.schema.field(name).enum[int(code)] for name, code in wanted.items()}
            raise DataError(
                "data.class-empty",
                f"no training row has {', '.join(f'{name} = {member}' for name, member in members.items())}",
                "draw the conditions empirically, or give this class a share of 0",
            )
        return classes


def load(op: Sample, inputs: Mapping[str, Artifact]) -> ExactSampler:
    """A sampler for `op` from what `fit` wrote."""
    stored = {name: np.asarray(array, dtype=np.float64) for name, array in read_engine(inputs).items()}
    model = GaussianClasses(stored["mean"], stored["basis"], stored["variance"], stored["count"])
    scale = Scale(op.fit.schema.with_role("content"), stored["low"], stored["high"])
    engine = op.fit.engine
    if not isinstance(engine, DiffusionEngine) or op.solver is None:
        raise TypeError("the reference backend samples diffusion with a planned solver")
    if isinstance(engine.noise_schedule, EdmSchedule | FlowMatchingSchedule):
        raise TypeError("the reference backend samples along alpha_bar")
    grid = sampling_grid(engine.noise_schedule, op.solver.steps)
    return ExactSampler(op, model, scale, training_rows(inputs), grid)


KERNELS: dict[str, Kernel] = {"assess": assess_nothing, "fit": fit, **sampling_kernels(load)}
