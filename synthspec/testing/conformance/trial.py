"""A tiny executor: it drives the kernels of one backend in folders of its own, without the rest of SynthSpec."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import EntryPoint
from pathlib import Path

from synthspec.backend.artifacts import DATA, FIT_REPORT, SAMPLE_REPORT, FitReport, SampleReport, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Backend, Context, Kernel
from synthspec.ir.ops import Fit, Latency, Op, Replay, Sample
from synthspec.testing.toydata import toy_dataset, toy_rows


class NonconformanceError(AssertionError):
    """A backend does not keep a law of the protocol: which one, and what was seen instead."""


def require(ok: object, law: str, seen: object = None) -> None:
    """Raise `NonconformanceError` unless `ok`; `seen` is what there was instead of what `law` says."""
    if not ok:
        raise NonconformanceError(law if seen is None else f"{law}; seen: {seen}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One backend with one thing to make on it.

    `target` names the backend as its entry point does (``package.module:OBJECT``); `sample` carries the whole op graph:
    its `fit`, and the latency and replay that follow from it. `records` toy rows are trained on.
    """

    target: str
    sample: Sample
    records: int = 120

    def __str__(self) -> str:
        module, _, _ = self.target.partition(":")
        return f"{module}-{self.sample.fit.engine.family}-{self.sample.fit.schema.modality}"


@dataclass
class Phases:
    """A `Progress` that remembers: (label, total, advanced) of each phase."""

    seen: list[tuple[str, int, int]] = field(default_factory=list)

    def start(self, label: str, total: int, unit: str) -> None:
        require(label and unit, "a phase of progress has a label and a unit")
        self.seen.append((label, total, 0))

    def advance(self, count: int = 1, note: str = "") -> None:
        del note
        require(self.seen, "progress starts before it advances")
        label, total, done = self.seen[-1]
        self.seen[-1] = (label, total, done + count)


class Trial:
    """A case being tried: artifacts that several checks look at are made once. Not for several threads."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.folder = folder
        self.phases = Phases()
        self._made = 0

    @property
    def op(self) -> Sample:
        """The sample op of the case."""
        return self.case.sample

    @cached_property
    def backend(self) -> Backend:
        loaded = EntryPoint(name="trial", value=self.case.target, group="").load()
        require(isinstance(loaded, Backend), "the target has every member of the Backend protocol", loaded)
        backend: Backend = loaded
        return backend

    @cached_property
    def kernels(self) -> Mapping[str, Kernel]:
        return self.backend.kernels()

    @cached_property
    def dataset(self) -> Dataset:
        return toy_dataset(self.op.fit.schema, self.case.records)

    @cached_property
    def rows(self) -> Rows:
        return toy_rows(self.case.records)

    @cached_property
    def inputs(self) -> dict[str, Artifact]:
        """The artifacts ``data`` and ``split`` of the toy data."""
        return self.bound(self.dataset, self.rows)

    def bound(self, dataset: Dataset, rows: Rows) -> dict[str, Artifact]:
        """`dataset` and `rows` as the artifacts that kernels read."""
        data, split = self.new_folder(), self.new_folder()
        write_dataset(data, dataset)
        write_rows(split, rows)
        return {"data": collected(data), "split": collected(split)}

    def new_folder(self) -> Path:
        """An empty folder."""
        self._made += 1
        made = self.folder / f"{self._made:03d}"
        made.mkdir(parents=True)
        return made

    def run(
        self,
        op: Op,
        inputs: Mapping[str, Artifact],
        *,
        workers: int = 1,
        batch: int | None = None,
        out: Path | None = None,
    ) -> Artifact:
        """What the kernel of `op` makes of `inputs`. Everything that it raises is passed on."""
        out = out or self.new_folder()
        self.phases = Phases()
        context = Context(out=out, root=out, workers=workers, batch=batch, progress=self.phases)
        self.kernels[op.op](op, inputs, context)
        return collected(out)

    def fit(self, op: Fit | None = None, *, inputs: Mapping[str, Artifact] | None = None, workers: int = 1) -> Artifact:
        """A fresh engine."""
        return self.run(op or self.op.fit, inputs or self.inputs, workers=workers)

    @cached_property
    def engine(self) -> Artifact:
        """The engine of the case, trained once."""
        return self.fit()

    def sample(self, op: Sample | None = None, *, workers: int = 1, batch: int | None = None) -> Artifact:
        """Fresh samples from `engine`."""
        return self.run(op or self.op, {"engine": self.engine, **self.inputs}, workers=workers, batch=batch)

    @cached_property
    def samples(self) -> Artifact:
        """The samples of the case, drawn once by one worker."""
        return self.sample()

    def records(self, **changes: object) -> Dataset | None:
        """The records of the case's sample with `changes` to the op; None when the backend refuses that op."""
        changed = replace(self.op, **changes)  # type: ignore[arg-type]
        if self.backend.supports(changed):
            return None
        return read_dataset(self.sample(changed).path(DATA))

    def latency(self, op: Latency) -> Artifact:
        """Timed requests to `engine`."""
        return self.run(op, {"engine": self.engine, **self.inputs})

    def replay(self, op: Replay, samples: Artifact) -> Artifact:
        """`samples` compared with the same blocks drawn again."""
        return self.run(op, {"engine": self.engine, "samples": samples, **self.inputs})

    @cached_property
    def fit_report(self) -> FitReport:
        return read_report(self.engine.path(FIT_REPORT), FitReport)

    @cached_property
    def sample_report(self) -> SampleReport:
        return read_report(self.samples.path(SAMPLE_REPORT), SampleReport)

    @property
    def has_network(self) -> bool:
        """False for a backend that trains nothing at all, and so has no evaluations to count."""
        return self.fit_report.parameters > 0


def collected(folder: Path) -> Artifact:
    """All files under `folder` as an artifact, sorted by name."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return Artifact(folder, tuple(files))


def digests(artifact: Artifact) -> dict[str, str]:
    """sha256 of every file."""
    return {name: hashlib.sha256(artifact.path(name).read_bytes()).hexdigest() for name in artifact.files}
