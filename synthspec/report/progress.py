"""Progress of a run: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 10.0


class PlainProgress:
    """A line when a phase starts, and one every ten seconds with the time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._label, self._total, self._unit = "", 0, ""
        self._done = 0
        self._began = self._said = monotonic()

    def start(self, label: str, total: int, unit: str) -> None:
        self._label, self._total, self._unit, self._done = label, total, unit, 0
        self._began = self._said = monotonic()
        self._line(f"{label}: {total} {unit}")

    def advance(self, count: int = 1, note: str = "") -> None:
        self._done += count
        now = monotonic()
        if now - self._said < SECONDS_BETWEEN_LINES or not self._done:
            return
        self._said = now
        left = (now - self._began) / self._done * max(0, self._total - self._done)
        tail = f", {note}" if note else ""
        self._line(f"{self._label}: {self._done}/{self._total} {self._unit}, {left:.0f} s left{tail}")

    def close(self) -> None:
        """Nothing is left open by lines."""

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


class BarProgress:
    """A bar drawn by rich."""

    def __init__(self) -> None:
        self._bars: RichProgress = _bars()
        self._task: TaskID | None = None
        self._bars.start()

    def start(self, label: str, total: int, unit: str) -> None:
        self._finish()
        self._task = self._bars.add_task(label, total=total, unit=unit, note="")

    def advance(self, count: int = 1, note: str = "") -> None:
        if self._task is not None:
            self._bars.update(self._task, advance=count, note=note)

    def close(self) -> None:
        """Take the bar off the screen."""
        self._finish()
        self._bars.stop()

    def _finish(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


class SilentProgress:
    """Says nothing."""

    def start(self, label: str, total: int, unit: str) -> None:
        """Nothing."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def _bars() -> RichProgress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    )


def progress_for(stream: TextIO | None, *, quiet: bool) -> PlainProgress | BarProgress | SilentProgress:
    """What suits `stream`: a bar on a terminal, lines elsewhere, nothing when `quiet` or where the stream was closed."""
    if quiet or stream is None:
        return SilentProgress()
    return BarProgress() if stream.isatty() else PlainProgress(stream)
