"""Everything that the page shows, read once: nothing of it comes from a clock, a network or the machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from synthspec.backend.artifacts import TRAINING_LOG
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_evidence import BoundEntry
from synthspec.ir.plan import Plan, read_plan
from synthspec.pipeline.contents import PLAN
from synthspec.pipeline.overview import OVERVIEW, Overview, read_overview
from synthspec.sign import Subject
from synthspec.sign.names import PUBLIC

PICTURE = "samples.png"
LARGEST_PICTURE = 8 << 20
"""Bytes of a sample grid beyond which the page names the file and does not contain it."""

Reader = Callable[[str], bytes]
"""The content of a file of the run by its name."""
Curve = tuple[tuple[int, float], ...]
"""(step, value), finite values alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One run as the page sees it. What a run does not have is None."""

    manifest: Manifest
    plan: Plan
    files: tuple[Subject, ...]
    """Every signed file but the page itself, and the public half of a run, which is made after it."""
    curves: Mapping[str, Curve]
    """The signals of the training, in the order in which they first came."""
    overview: Overview | None
    picture: bytes | None

    @property
    def restricted(self) -> bool:
        """Whether figures here were measured on records that a privacy mechanism protects."""
        return self.manifest.privacy.mechanism != "none"

    def bounds(self, metric: str) -> tuple[BoundEntry, ...]:
        """What the contracts promise of `metric`."""
        return tuple(each for entry in self.manifest.contracts for each in entry.bounds if each.metric == metric)


def shown(manifest: Manifest, files: Sequence[Subject], read: Reader, own: str) -> Shown:
    """What there is to show of a run with the signed `files`; `own` is the name of the page.

    Raises OSError, ValueError when a file of the run is not what a run writes.
    """
    later = {own, PUBLIC.bundle, PUBLIC.readable}
    listed = tuple(sorted((each for each in files if each.name not in later), key=lambda each: each.name))
    sizes = {each.name: each.size for each in listed}
    return Shown(
        manifest=manifest,
        plan=read_plan(read(PLAN)),
        files=listed,
        curves=curves(read(TRAINING_LOG)) if TRAINING_LOG in sizes else {},
        overview=read_overview(read(OVERVIEW)) if OVERVIEW in sizes else None,
        picture=read(PICTURE) if 0 < sizes.get(PICTURE, 0) <= LARGEST_PICTURE else None,
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of ``training.jsonl``."""

    step: int
    signals: dict[str, float]


_LINE = TypeAdapter(_Line)


def curves(log: bytes) -> dict[str, Curve]:
    """The signals in ``training.jsonl``. Raises ValueError for lines that a training does not write."""
    found: dict[str, list[tuple[int, float]]] = {}
    for text in log.splitlines():
        entry = _LINE.validate_json(text)
        for name, value in entry.signals.items():
            if math.isfinite(value):
                found.setdefault(name, []).append((entry.step, value))
    return {name: tuple(points) for name, points in found.items()}
