"""`measure`: two files of records and an SRef to figures, without a spec and without a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from synthspec import metrics
from synthspec.backend.protocol import DataError
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.execute.core.loose import read_records
from synthspec.execute.core.measure import classes_of, described, first_class, sample_of, writable
from synthspec.ir.evidence import Figure
from synthspec.ir.schema import Schema
from synthspec.metrics.credentials import model_component
from synthspec.pipeline.embedding import with_features
from synthspec.pipeline.front import load_sref
from synthspec.resolve import bind_schema
from synthspec.spec.evaluation import Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is compared, and what is asked about it."""

    sref: Path
    real: Path
    """Real records that the engine has not seen: the reference, which plays the test split."""
    synthetic: tuple[Path, ...]
    """The records to judge; further files are of engines that differ in their seed alone."""
    metrics: tuple[str, ...]
    train: Path | None = None
    """The real records that the engine was trained on: for MI, memorisation, TRTR, and what is frozen on real data."""
    val: Path | None = None
    """More real records that no engine has seen: the non-members of MI."""
    target: str = ""
    seed: int = 0
    features: Features | None = None
    """What distances between pictures or clips are taken in; None is embedded. Weights lie where the program runs."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures in the order asked for, and how many files there were."""

    figures: tuple[Figure, ...] = field()

    @property
    def complete(self) -> bool:
        """Whether each has a value."""
        return all(figure.value is not None for figure in self.figures)


def measure_files(asked: Asked) -> Outcome[Measured]:
    """Measure the first synthetic file; further ones give u_model, the spread over seeds, to each figure.

    A file that cannot be read is a finding. Raises OSError when the SRef cannot be opened.
    """
    document = load_sref(asked.sref)
    schema = document.then(bind_schema)
    if schema.value is None or any(found.is_error for found in schema.diagnostics):
        return failure(schema.diagnostics)
    try:
        requests = _requests(asked, schema.value)
        if asked.features is not None:
            requests = with_features(requests, asked.features, schema.value, Path())
    except DataError as error:
        return failure([Diagnostic(code=error.code, message=error.message, help=error.help)])
    spread = _spread(asked.metrics, requests)
    figures = metrics.measure(asked.metrics, replace(requests[0], components=spread))
    return Outcome(Measured(tuple(writable(figure) for figure in figures)), schema.diagnostics)


def _requests(asked: Asked, schema: Schema) -> tuple[metrics.Request, ...]:
    """One request for each synthetic file."""
    label = first_class(schema.with_role("condition"))

    def records(path: Path | None) -> metrics.Sample | None:
        return None if path is None else sample_of(schema, read_records(path, schema), label)

    shared = metrics.Request(
        modality=schema.modality,
        fields=tuple(described(schema)),
        seed=asked.seed,
        train=records(asked.train),
        val=records(asked.val),
        test=records(asked.real),
        classes=() if label is None else classes_of(label),
        target=asked.target,
    )
    if label is not None and (shared.test is None or shared.test.labels is None):
        shared = replace(shared, classes=())
    return tuple(replace(shared, synthetic=records(path)) for path in asked.synthetic)


def _spread(names: Sequence[str], requests: Sequence[metrics.Request]) -> tuple[metrics.Component, ...]:
    if len(requests) < 2:
        return ()
    runs = [metrics.measure(names, request) for request in requests]
    values = {name: [figure.value for run in runs for figure in run if figure.name == name] for name in names}
    known = {name: [value for value in found if value is not None] for name, found in values.items()}
    return tuple(model_component(name, found) for name, found in known.items() if len(found) == len(requests))
