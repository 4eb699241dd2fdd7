"""M40-5.7: all figures of a run, from what its nodes left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file

from synthspec import metrics
from synthspec.backend.artifacts import (
    DATA,
    ENFORCE_REPORT,
    FEATURES,
    FEATURES_INPUT,
    FIGURES,
    LATENCIES,
    LATENCY_REPORT,
    REPLAY_REPORT,
    SAMPLE_REPORT,
    SCORES,
    SPLIT,
    DimCheck,
    EnforceReport,
    LatencyReport,
    ReplayReport,
    SampleReport,
    read_figures,
    read_report,
    write_report,
)
from synthspec.backend.conservation import CONSERVATION_REPORT, ConservationReport
from synthspec.backend.dataset import Column, Dataset, Rows, read_dataset, read_rows
from synthspec.backend.protocol import Artifact, Context
from synthspec.backend.scores import Scores, read_scores
from synthspec.backend.timepath import ALIGN_REPORT, ARRIVE_REPORT, AlignReport, ArriveReport
from synthspec.execute.core.counted import accepted, conserved, dim_failures, moved, violations
from synthspec.ir.evidence import Figure, Split
from synthspec.ir.families import Features
from synthspec.ir.ops import Measure
from synthspec.ir.schema import Field, Schema

T = TypeVar("T")
Inputs = Mapping[str, Artifact]
MADE = ("assessed", "referred", "timebase", "arrival")
"""The ports whose nodes bring figures of their own."""


def measure(op: Measure, inputs: Inputs, context: Context) -> None:
    """Write ``figures.json``: what the spec asks for, and what falls off every run. A figure without a value says why."""
    request = request_of(op, inputs)
    made = [figure for port in MADE if port in inputs for figure in read_figures(inputs[port].path(FIGURES))]
    given = {figure.name for figure in made}
    names = [name for name in dict.fromkeys((*op.metrics, *(c.name for c in request.counted))) if name not in given]
    context.progress.start("measure", len(names), "figures")
    figures = tuple(writable(figure) for figure in (*metrics.measure(names, request), *made))
    context.progress.advance(len(names))
    write_report(context.out, FIGURES, figures)


def request_of(op: Measure, inputs: Inputs) -> metrics.Request:
    """What the metrics see of a run: arrays and their declared meaning."""
    data, synthetic = read_dataset(inputs["data"].path(DATA)), read_dataset(inputs["samples"].path(DATA))
    rows = read_rows(inputs["split"].path(SPLIT))
    label = label_field(op)
    attack = op.membership_attack
    return metrics.Request(
        modality=op.schema.modality,
        fields=tuple(described(op.schema)),
        seed=op.seed,
        train=sample_of(op.schema, data.take(rows.train), label),
        val=sample_of(op.schema, data.take(rows.val), label),
        test=sample_of(op.schema, data.take(rows.test), label),
        synthetic=sample_of(op.schema, synthetic, label),
        classes=() if label is None else classes_of(label),
        extractor=_given(op, inputs, rows),
        reference=op.reference,
        members=attack.members if attack else "train",
        non_members=attack.non_members if attack else "val",
        knows=attack.knows if attack else "samples",
        latencies=_latencies(inputs),
        counted=tuple(_counted(op, inputs)),
        target=op.target,
        scores=_scores(inputs),
    )


def _scores(inputs: Inputs) -> Mapping[Split, Scores]:
    """What the engine says of single records; nothing where it was not asked or cannot say it."""
    assessed = inputs.get("assessed")
    return {} if assessed is None or SCORES not in assessed.files else read_scores(assessed.path(SCORES))


def _given(op: Measure, inputs: Inputs, rows: Rows) -> metrics.Given | None:
    """The features that an `embed` node made, by split; None where the embedded extractor is used."""
    if "features" not in inputs:
        return None
    return read_features(op.features, inputs["features"], {split: rows.of(split) for split in ("train", "val", "test")})


def read_features(
    features: Features, artifact: Artifact, rows: Mapping[str, NDArray[np.int64] | slice]
) -> metrics.Given:
    """What `embed` left in `artifact`; `rows` are those of the real records, by split."""
    path = str(artifact.path(FEATURES))
    with safe_open(path, framework="numpy") as file:
        done = (file.metadata() or {}).get(FEATURES_INPUT, "")
    stored = load_file(path)
    real, synthetic = (stored[port].astype(np.float64)[:, np.newaxis] for port in ("data", "samples"))
    sha256 = features.sha256 or ""
    return metrics.Given(
        name=f"{features.label}@{sha256[:8]}",
        sha256=sha256,
        input=done,
        parts={"synthetic": synthetic, **{split: real[chosen] for split, chosen in rows.items()}},
    )


def label_field(op: Measure) -> Field | None:
    """The condition that tells the classes apart: the first registered one with finitely many values."""
    return first_class([op.schema.field(name) for name in op.conditions])


def first_class(conditions: Sequence[Field]) -> Field | None:
    """The first of `conditions` with finitely many values."""
    return next((field for field in conditions if field.enum or field.dtype == "bool"), None)


def classes_of(field: Field) -> tuple[int | float | str | bool, ...]:
    """The values of the classes as the column holds them."""
    if field.dtype == "categorical":
        return tuple(range(len(field.enum)))
    return field.enum or (0, 1)


def described(schema: Schema) -> Iterator[metrics.Field]:
    """The content fields as they stand in the arrays: a lone one with axes as it is, every other number by itself."""
    content = schema.with_role("content")
    for field in content:
        low, high = field.range or (None, None)
        levels = len(field.enum) if field.dtype == "categorical" else 0
        alone = len(content) == 1 or not field.shape
        names = [field.name] if alone else [f"{field.name}.{number}" for number in range(field.size)]
        for name in names:
            yield metrics.Field(
                name=name,
                low=low,
                high=high,
                levels=levels,
                nullable=field.nullable,
                resolution=_resolution(field),
            )


def _resolution(field: Field) -> float | None:
    """The step of a number: the declared one, 1 for integers."""
    whole = field.dtype.startswith(("int", "uint")) or field.dtype == "bool"
    return field.resolution or (1.0 if whole else None)


def sample_of(schema: Schema, dataset: Dataset, label: Field | None) -> metrics.Sample:
    """The content of `dataset` as one array, and its labels where it has them."""
    content = [dataset[field.name] for field in schema.with_role("content")]
    labels = dataset.columns.get(label.name) if label else None
    return metrics.Sample(content=_side_by_side(content, len(dataset)), labels=labels)


def _side_by_side(content: list[Column], rows: int) -> NDArray[np.generic]:
    if len(content) == 1 and content[0].ndim > 1:
        return content[0]
    flat = [column.astype(np.float64).reshape(rows, -1) for column in content]
    return np.concatenate(flat, axis=1) if flat else np.zeros((rows, 0))


def _report(inputs: Inputs, port: str, name: str, kind: type[T]) -> T | None:
    """The report `name` of the node at `port`, when there is such a node and it wrote one."""
    artifact = inputs.get(port)
    if artifact is None or name not in artifact.files:
        return None
    path: Path = artifact.path(name)
    return read_report(path, kind)


def _latencies(inputs: Inputs) -> metrics.Latencies | None:
    report = _report(inputs, "latency", LATENCY_REPORT, LatencyReport)
    if report is None:
        return None
    (milliseconds,) = read_dataset(inputs["latency"].path(LATENCIES)).columns.values()
    nanoseconds = np.rint(milliseconds.astype(np.float64) * 1e6).astype(np.int64)
    return metrics.Latencies(
        nanoseconds=nanoseconds,
        warm_up=report.warmup,
        threads=report.threads,
        batch=report.batch,
        device=report.device,
    )


def _counted(op: Measure, inputs: Inputs) -> Iterator[metrics.Counted]:
    """What was counted or set: it needs no estimator."""
    spent = _report(inputs, "raw", SAMPLE_REPORT, SampleReport)
    if spent is not None:
        mean = tuple(fact for fact in spent.facts if fact[0] == "nfe_mean")
        facts = (("steps", spent.steps), ("net_calls", spent.net_calls), ("cfg_evals", spent.cfg_evals), *mean)
        yield metrics.Counted(name="NFE", value=spent.net_evals_per_sample, n=spent.records, details=facts)
    if op.w_cfg is not None:
        scale = (("scale", "S405-6: 0 is plain conditional"),)
        yield metrics.Counted(name="w_cfg", value=op.w_cfg, details=scale)
    enforced = _report(inputs, "samples", ENFORCE_REPORT, EnforceReport)
    if enforced is not None:
        yield dim_failures((*enforced.dim_checks, *_timepath_checks(inputs)))
        yield from violations(enforced)
        yield from accepted(enforced)
        yield from moved(enforced)
    kept = _report(inputs, "data", CONSERVATION_REPORT, ConservationReport)
    if kept is not None and kept.fields:
        yield from conserved(kept)
    replayed = _report(inputs, "replay", REPLAY_REPORT, ReplayReport)
    if replayed is not None:
        process = "fresh" if replayed.fresh else "the same"
        blocks = (("blocks", " ".join(map(str, replayed.blocks))), ("process", process))
        yield metrics.Counted(name="replay_mismatches", value=replayed.mismatches, n=replayed.records, details=blocks)


def _timepath_checks(inputs: Inputs) -> tuple[DimCheck, ...]:
    align = _report(inputs, "timebase", ALIGN_REPORT, AlignReport)
    arrive = _report(inputs, "arrival", ARRIVE_REPORT, ArriveReport)
    return tuple(check for found in (align, arrive) if found is not None for check in found.dim_checks)


def writable(figure: Figure) -> Figure:
    """`figure` without infinities and NaN, which JSON does not have: no value with its reason, or a detail in words."""
    spelled = tuple((key, str(v) if isinstance(v, float) and not isfinite(v) else v) for key, v in figure.details)
    value = figure.value
    if value is not None and not isfinite(value):
        reason = figure.reason or f"it came out as {value}"
        return replace(figure, value=None, u=None, lower=None, upper=None, details=spelled, reason=reason)
    return replace(
        figure,
        u=_finite(figure.u),
        lower=_finite(figure.lower),
        upper=_finite(figure.upper),
        null=_finite(figure.null),
        details=spelled,
    )


def _finite(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None
