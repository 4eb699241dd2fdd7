"""What a verb answers when it could not do its work: words on stderr, and the one JSON object where that was asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import TextIO


def fail(message: str, words: Sequence[str] | None = None) -> None:
    """Say `message` on stderr; with ``--format json`` among `words` (the command line), also as an object on stdout."""
    _write(sys.stderr, message)
    if _json_asked(sys.argv[1:] if words is None else words):
        from synthspec.report.findings_json import header

        summary = {"files": 0, "errors": 0, "warnings": 0}
        _write(sys.stdout, json.dumps({**header(), "findings": [], "summary": summary, "failure": message}))


def _write(stream: TextIO | None, line: str) -> None:
    """Write a line, where there is anybody to read it: a stream that the shell closed is None."""
    if stream is not None:
        stream.write(f"{line}\n")


def _json_asked(words: Sequence[str]) -> bool:
    return "--format=json" in words or ("--format", "json") in pairwise(words)
