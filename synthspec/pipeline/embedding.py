"""Features of files under weights that the user brings: what `embed` does in a run, for records without one (P412-1)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthspec import metrics
from synthspec.backend.artifacts import DATA, FEATURES
from synthspec.backend.dataset import Dataset, write_dataset
from synthspec.backend.discovery import installed
from synthspec.backend.protocol import Artifact, Backend, Context, DataError
from synthspec.execute.core.measure import read_features
from synthspec.ir.evidence import Split
from synthspec.ir.ops import Embed
from synthspec.ir.schema import Schema
from synthspec.lower import provided, unoffered
from synthspec.metrics import Given, Request
from synthspec.spec.evaluation import Features

REAL: tuple[Split, ...] = ("train", "val", "test")


class Quiet:
    """A progress that nobody watches."""

    def start(self, label: str, total: int, unit: str) -> None:
        """Say nothing."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Say nothing."""


def with_features(requests: Sequence[Request], features: Features, schema: Schema, root: Path) -> tuple[Request, ...]:
    """`requests`, which share their real records, with features by the network that `features` names; paths from `root`.

    Raises DataError where no installed backend takes them, and as its kernel does.
    """
    for message, advice in unoffered(features):
        raise DataError("weights.module", message, advice)
    op = Embed(schema=schema, features=features, module=provided(features))
    backend = _backend(op)
    return tuple(replace(request, extractor=_given(request, op, backend, root)) for request in requests)


def _backend(op: Embed) -> Backend:
    said: list[str] = []
    for backend in installed().values():
        reasons = backend.supports(op)
        if reasons or backend.missing():
            said += [f"{backend.name}: {reason}" for reason in (*reasons, backend.missing()) if reason]
        else:
            return backend
    message = f"no installed backend takes the features {op.features.label}: {'; '.join(said) or 'there is none'}"
    raise DataError("engine.backend-unsupported", message, "see: synthspec backends")


def _given(request: Request, op: Embed, backend: Backend, root: Path) -> Given:
    (field,) = op.schema.with_role("content")
    real: dict[str, metrics.Sample] = {name: sample for name in REAL if (sample := request.split(name)) is not None}
    synthetic = metrics.Sample(content=np.empty(0)) if request.synthetic is None else request.synthetic
    with tempfile.TemporaryDirectory(prefix="synthspec-") as scratch:
        folders = {port: Path(scratch, port) for port in ("data", "samples", "features")}
        for folder in folders.values():
            folder.mkdir()
        write_dataset(folders["data"], Dataset({field.name: np.concatenate([each.content for each in real.values()])}))
        write_dataset(folders["samples"], Dataset({field.name: synthetic.content}))
        inputs = {port: Artifact(folders[port], (DATA,)) for port in ("data", "samples")}
        context = Context(out=folders["features"], root=root, workers=1, progress=Quiet())
        backend.kernels()[op.op](op, inputs, context)
        return read_features(op.features, Artifact(folders["features"], (FEATURES,)), _rows(real))


def _rows(real: Mapping[str, metrics.Sample]) -> dict[str, slice]:
    """Where the records of each split lie, one behind the other."""
    ends = np.cumsum([0, *map(len, real.values())])
    return {name: slice(int(a), int(b)) for name, a, b in zip(real, ends, ends[1:], strict=False)}
