"""What a backend is.

A backend is an object found through the entry-point group ``synthspec.backends``. Loading it imports no framework; its
kernels do. `supports` is pure, so every op of a plan is asked before anything runs and a refusal says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from synthspec.ir.ops import Op


@dataclass(frozen=True, slots=True)
class Artifact:
    """The files that a node made, by their name inside the node's folder. They are read-only."""

    folder: Path
    files: tuple[str, ...]

    def path(self, name: str) -> Path:
        """Where the file `name` lies. Raises KeyError when the node made no such file."""
        if name not in self.files:
            raise KeyError(name)
        return self.folder / name


class Progress(Protocol):
    """Where a kernel says how far it is. Cheap to call; what is shown is the front end's business."""

    def start(self, label: str, total: int, unit: str) -> None:
        """A phase of `total` units begins; the one before is over."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """`count` more units are done; `note` is a short status such as ``loss 0.31``."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which execution this is, for what may serve it alone: the noise of a mechanism."""

    key: str
    """Its execution key: op, inputs by content, backend with its version, numeric facts. It digests private data, so it
    stays in the house."""
    facts: Mapping[str, str]
    """What of it may be told where it is another one: the backend with its version, and the numeric facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a kernel gets beside its op and its inputs."""

    out: Path
    """An empty folder. The files in it when the kernel returns are the node's artifact."""
    root: Path
    """The folder that relative paths of the plan start from."""
    workers: int
    """How many blocks may be computed at a time. It changes the time, never the bytes."""
    progress: Progress
    batch: int | None = None
    """Records that a worker takes at a time, a multiple of the block; None: one block. It never changes the bytes."""
    secret: Path | None = None
    """Where the secret seeds of a mechanism are kept, outside every artifact: read when the file exists, made (mode 0600)
    when not. None: fresh ones, which nobody keeps."""
    identity: Identity | None = None
    """Which execution this is. None: one of no store, whose secrets nobody keeps."""
    meter: Path | None = None
    """Where a kernel under a mechanism counts its releases, each before it happens (`releases.ReleaseMeter`)."""
    unfinished: Path | None = None
    """A folder, maybe not made yet, that is kept while this op is not done: what a killed kernel left there is found again.
    It must not change the bytes. None: nothing is kept."""
    keys: Path | None = None
    """The folder of the secret keys of marks."""
    fresh: bool = False
    """Whether this process was started for this op alone."""


Kernel = Callable[[Any, Mapping[str, Artifact], Context], None]
"""``kernel(op, inputs by port, context)``; writes files into ``context.out``.

A fault in the data raises `DataError`; everything else that a kernel raises is a bug or the world.
"""


class DataError(Exception):
    """The data do not allow what the spec asks: what is wrong, and what to do about it."""

    def __init__(self, code: str, message: str, help_text: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help_text


class Shortfall(DataError):  # noqa: N818 - it asks for more, and is a fault only where no more may be had
    """Too few of the candidates passed, and more may be drawn: `wanted` of them in all."""

    def __init__(self, wanted: int, fault: DataError) -> None:
        super().__init__(fault.code, fault.message, fault.help)
        self.wanted = wanted


@runtime_checkable
class Backend(Protocol):
    """The plugin protocol, version 1."""

    @property
    def name(self) -> str:
        """What `engine.backend` calls it."""

    @property
    def version(self) -> str:
        """Changes whenever the bytes that a kernel makes may change."""

    def supports(self, op: Op) -> tuple[str, ...]:
        """The reasons why `op` cannot be computed here; empty when it can. Pure: no import, no I/O.

        One that declines the family of the engine begins with ``family``: where another backend has it, its reasons are told.
        """

    def missing(self) -> str:
        """What must be installed first, as a command (``pip install 'synthspec[diffusers]'``); empty when nothing."""

    def environment(self) -> Mapping[str, str]:
        """The facts that the bytes depend on: library versions, CPU capability. Imports no framework."""

    def kernels(self) -> Mapping[str, Kernel]:
        """Kernel by op name (``fit``, ``sample``, ...). Imports what the kernels need."""
