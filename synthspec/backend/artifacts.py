"""The small JSON files beside the arrays: what was spent, kept, measured and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from synthspec.ir.canonical import canonical_bytes
from synthspec.ir.evidence import Figure, Scalar

T = TypeVar("T")

DATA = "data.safetensors"
SPLIT = "split.safetensors"
VECTORS = "statistics.safetensors"
LATENCIES = "latency.safetensors"
FEATURES = "features.safetensors"
FEATURES_INPUT = "input"
"""In the header of the features: what was done to content before the network saw it, in words."""
SCORES = "scores.safetensors"
TRAINING_LOG = "training.jsonl"
FIT_REPORT = "fit.json"
SAMPLE_REPORT = "sample.json"
ENFORCE_REPORT = "enforce.json"
LATENCY_REPORT = "latency.json"
REPLAY_REPORT = "replay.json"
MARK_REPORT = "mark.json"
ISOLATE_REPORT = "isolate.json"
FIGURES = "figures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEvent:
    """One firing of a monitor, or the end of training (P405-3)."""

    step: int
    signal: str
    value: float
    action: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitReport:
    """How a training went. `status` is ``converged``, ``budget`` or ``stopped`` (by a monitor)."""

    status: str
    steps: int
    best_step: int
    parameters: int
    """Trainable numbers in the network."""
    events: tuple[TrainingEvent, ...] = ()
    facts: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReport:
    """What sampling spent, counted at the network (P405-8)."""

    records: int
    steps: int
    net_calls: int
    """Forward passes of the network for one block; under an adaptive solver the most that a block took."""
    net_evals_per_sample: int
    """NFE: evaluations of the network per record, guidance counted twice; the most, where records differ."""
    cfg_evals: int = 0
    facts: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How often one rule of the SRef was violated, and by which records worst: by how much where it is an inequality."""

    id: str
    severity: str
    checked: int
    violations: int
    worst: tuple[int, ...] = ()
    excess: tuple[float, ...] = ()
    """By how much each of `worst` is beyond the bound, in `unit`; empty where the rule is no inequality of numbers."""
    unit: str = ""

    @property
    def rate(self) -> float | None:
        """Violations by records looked at; None where the rule could not be asked."""
        return self.violations / self.checked if self.checked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DimCheck:
    """One ``check_dim(expr)`` with the dimension it returned (C40-518)."""

    expr: str
    dimension: str
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceReport:
    """What enforcement turned down, and what it checked."""

    candidates: int
    accepted: int
    kept: int
    near_copies: int
    rules: tuple[RuleCount, ...] = ()
    """Fields and rules over the candidates."""
    reference: tuple[RuleCount, ...] = ()
    """The rules over the reference data."""
    published: tuple[RuleCount, ...] = ()
    """The rules over the records that were kept."""
    dim_checks: tuple[DimCheck, ...] = ()
    facts: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyReport:
    """Under which conditions requests were timed."""

    requests: int
    warmup: int
    batch: int
    threads: int
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """How many records of the replayed blocks came out with other bytes."""

    blocks: tuple[int, ...]
    records: int
    mismatches: int
    fresh: bool = False
    """Whether a process did it that had done nothing before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkReport:
    """The keyed mark of what is released (S413-3)."""

    kept: int
    candidates: int
    """Records that each released one was chosen from."""
    distinct: int
    z: float
    expected_z: float
    alpha: float
    detectable: bool
    """Whether the mark shows in these records at `alpha`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolateReport:
    """Whom shadow engines are asked about, of how many records of the training split."""

    records: int
    isolated: int
    planted: int


def write_report(folder: Path, name: str, report: object) -> None:
    """Write `report` (one of the dataclasses above, or a tuple of figures) canonically."""
    (folder / name).write_bytes(canonical_bytes(report))


def read_report(path: Path, kind: type[T]) -> T:
    """Read a report of `kind`. Raises pydantic.ValidationError when the file is something else."""
    return TypeAdapter(kind).validate_json(path.read_bytes())


def read_figures(path: Path) -> tuple[Figure, ...]:
    """Read the figures of a `measure` node."""
    return TypeAdapter(tuple[Figure, ...]).validate_json(path.read_bytes())
