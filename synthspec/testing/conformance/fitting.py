"""Laws of training: repeatable, on the training rows alone, refused cleanly when the data do not allow it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import load_file

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG
from synthspec.backend.dataset import Dataset, Rows
from synthspec.backend.protocol import Artifact, DataError
from synthspec.testing.conformance.trial import Trial, collected, digests, require


def fit_repeats_itself(trial: Trial) -> None:
    """Two trainings give the same bytes, whatever the number of workers."""
    again = trial.fit(workers=2)
    require(digests(again) == digests(trial.engine), "a second fit gives the same bytes", _unequal(trial.engine, again))


def fit_writes_what_it_says(trial: Trial) -> None:
    """Weights in safetensors, a log of JSON lines, a report; nothing that only code can read."""
    files = trial.engine.files
    require({FIT_REPORT, TRAINING_LOG} <= set(files), f"{FIT_REPORT} and {TRAINING_LOG} are written", files)
    weights = [name for name in files if name.startswith("weights/")]
    require(weights, "weights are written under weights/", files)
    strange = [name for name in files if not name.endswith((".safetensors", ".json", ".jsonl"))]
    require(not strange, "all files are safetensors or JSON", strange)
    for name in weights:
        load_file(str(trial.engine.path(name)))
    for line in trial.engine.path(TRAINING_LOG).read_text(encoding="utf-8").splitlines():
        require(isinstance(json.loads(line), dict), "a line of the training log is an object", line)


def fit_reports_honestly(trial: Trial) -> None:
    """The report knows how training ended, and its counts can be true."""
    report = trial.fit_report
    require(report.status in ("converged", "budget", "stopped"), "status is one of three words", report.status)
    require(report.steps >= 0 and report.parameters >= 0, "counts are not negative", report)
    require(0 <= report.best_step <= report.steps, "the best step is one that was made", report)
    require(all(event.step <= report.steps for event in report.events), "events are of steps made", report.events)


def fit_never_sees_the_test_rows(trial: Trial) -> None:
    """Other content in the test rows leaves every byte of the engine as it was (P405-9)."""
    columns = {name: np.array(column) for name, column in trial.dataset.columns.items()}
    for field in trial.op.fit.schema.with_role("content"):
        rows = trial.rows.test
        columns[field.name][rows] = np.roll(columns[field.name][rows], 1, axis=0)
    other = trial.fit(inputs=trial.bound(Dataset(columns), trial.rows))
    require(digests(other) == digests(trial.engine), "fit does not read the test rows", _unequal(trial.engine, other))


def inputs_stay_as_they_are(trial: Trial) -> None:
    """Kernels write under `out` alone; what they read is as it was."""
    inputs = {"engine": trial.engine, "samples": trial.samples, **trial.inputs}
    before = {port: digests(artifact) for port, artifact in inputs.items()}
    trial.fit()
    trial.sample()
    after = {port: digests(collected(artifact.folder)) for port, artifact in inputs.items()}
    require(before == after, "inputs are left as they were", [port for port in inputs if before[port] != after[port]])


def faults_of_the_data_are_said(trial: Trial) -> None:
    """A split without training rows, or content that is no number, is a `DataError` with code and help, before any work."""
    nothing = np.zeros(0, dtype=np.int64)
    _refused_or_done(trial, trial.bound(trial.dataset, Rows(train=nothing, val=nothing, test=trial.rows.test)))
    floats = [f for f in trial.op.fit.schema.with_role("content") if f.dtype.startswith("float") and not f.nullable]
    if floats:
        columns = {name: np.array(column) for name, column in trial.dataset.columns.items()}
        columns[floats[0].name][trial.rows.train[0]] = np.nan
        _refused_or_done(trial, trial.bound(Dataset(columns), trial.rows))


def _refused_or_done(trial: Trial, inputs: Mapping[str, Artifact]) -> None:
    out = trial.new_folder()
    try:
        trial.run(trial.op.fit, inputs, out=out)
    except DataError as fault:
        require(fault.code and fault.message and fault.help, "a DataError has code, message and help", repr(fault))
        done = [name for name in collected(out).files if name == FIT_REPORT or name.startswith("weights/")]
        require(not done, "what is refused leaves no engine behind", done)
    except Exception as fault:  # noqa: BLE001 - the law is about whatever else is raised
        require(ok=False, law="a fault of the data is a DataError", seen=repr(fault))


def _unequal(one: Artifact, other: Artifact) -> list[str]:
    left, right = digests(one), digests(other)
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
