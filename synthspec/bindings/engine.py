"""`engine_vae` and its kin: a fitted engine, with the files that it consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from synthspec.backend.artifacts import FIT_REPORT, FitReport, read_report
from synthspec.bindings.data import Data
from synthspec.bindings.documents import SpecText, options
from synthspec.bindings.faults import refused, value_of

if TYPE_CHECKING:
    from synthspec.lower import Goal
    from synthspec.pipeline.making import Made

Family = Literal["vae", "gan", "flow", "diffusion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A fitted engine: what it was fitted on, the spec that it follows from, and the folder of what came out."""

    family: Family
    ds: Data
    spec: SpecText
    folder: Path
    """``weights/*.safetensors``, ``training.jsonl``, ``fit.json``; ``privacy.json`` under a mechanism."""
    digest: str
    """Equal for engines that are equal bit by bit, on equal data (P405-8)."""
    teacher: Path | None = None
    """The folder of the engine that this one was distilled from."""
    secret: Path | None = None

    @property
    def weights(self) -> tuple[Path, ...]:
        """The files of weights, sorted."""
        return tuple(sorted(self.folder.glob("weights/*.safetensors")))

    @property
    def evidence(self) -> FitReport:
        """How the training went: its end, its steps, every firing of a monitor (P405-3)."""
        return read_report(self.folder / FIT_REPORT, FitReport)

    def of(self, family: Family, called: str) -> Engine:
        """The engine itself, which `called` takes only when it is of `family`. Raises BindingError for another one."""
        if self.family != family:
            message = f"{called} takes an engine of the family {family}, and this is a {self.family}"
            raise refused("schema.wrong-type", message, f"call sample_{self.family}")
        return self


class _Silent:
    def start(self, label: str, total: int, unit: str) -> None:
        """Nobody looks."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Nobody looks."""


def silent() -> _Silent:
    """The progress of a call that shows none."""
    return _Silent()


def store_of(ds: Data) -> Path:
    """Where the nodes of everything made of `ds` are kept and found again."""
    return ds.work / "store"


def made(
    spec: SpecText, goal: Goal, ds: Data, called: str, *, workers: int = 1, secret: Path | None = None
) -> tuple[Made, Mapping[str, Path]]:
    """What leads to `goal` of `spec`, and the folder of each node that was kept. Raises BindingError."""
    from synthspec.pipeline.making import MakeOptions, make
    from synthspec.pipeline.reserving import ledger_url
    from synthspec.sign import state_dir

    how = MakeOptions(
        store=store_of(ds),
        folder=ds.work / "made",
        progress=silent(),
        workers=workers,
        secret=secret,
        ledger=ledger_url(state_dir()),
    )
    found = value_of(make(spec.spot(ds.base, called), goal, options(), how))
    return found, {node: found.folder / node for node in found.nodes}
