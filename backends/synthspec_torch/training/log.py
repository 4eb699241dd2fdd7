"""The log of a training's signals: one JSON object a line, with no clock in it, so equal runs write equal bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self


class SignalLog:
    """Writes ``{"epoch": 3, "signals": {"loss": 0.31}, "step": 28}``; a value that is not finite is written null.

    Values are written so that reading gives back the same float: monitors over the log decide as they did.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, step: int, epoch: int, signals: Mapping[str, float]) -> None:
        """Add one observation of `signals`."""
        finite = {name: value if math.isfinite(value) else None for name, value in signals.items()}
        line = {"epoch": epoch, "signals": finite, "step": step}
        self._file.write(json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n")

    def text(self) -> str:
        """What was written so far."""
        self._file.flush()
        return self._path.read_text(encoding="utf-8")

    def begin_with(self, text: str) -> None:
        """Write `text`, the start of a training that goes on."""
        self._file.write(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
