"""Colour on a terminal, and none anywhere else."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TextIO

_CODES = {"bad": "31;1", "warn": "33;1", "good": "32", "bold": "1", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Style:
    """Whether to paint, and how many columns there are; None where nobody cuts lines."""

    colour: bool = False
    width: int | None = None

    def paint(self, text: str, kind: str) -> str:
        """`text` in the colour of `kind` (``bad``, ``warn``, ``good``, ``bold``, ``dim``)."""
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style()


def style_for(stream: TextIO | None) -> Style:
    """Colour when `stream` is a terminal and neither ``NO_COLOR`` nor a dumb terminal says otherwise; its width as well.

    Python has no stream at all where the caller closed it.
    """
    if stream is None or not stream.isatty():
        return PLAIN
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Style(colour, shutil.get_terminal_size((0, 0)).columns or None)
