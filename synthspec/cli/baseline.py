"""A baseline: the findings that were there when the tool was adopted, so that only new ones are told.

It quiets `validate` alone. `compile` and `run` read none: what was never mended cannot be run by being old.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthspec.cli.answer import usage
from synthspec.diag import Diagnostic
from synthspec.text import counted

FORMAT_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Compared:
    """What is left to tell, how many findings the baseline holds back, and how many of its entries fit nothing more."""

    kept: tuple[Diagnostic, ...]
    hidden: int
    stale: int

    @property
    def note(self) -> str:
        """The two numbers in words; empty when both are 0."""
        held = f"{counted(self.hidden, 'finding')} of the baseline not shown"
        stale = (
            f"{self.stale} of its entries {'fits' if self.stale == 1 else 'fit'} nothing any more: "
            "write it again with --write-baseline"
        )
        return "; ".join(text for text, number in ((held, self.hidden), (stale, self.stale)) if number)


def compare(found: Sequence[Diagnostic], path: Path, files: Collection[str]) -> Compared:
    """`found` against the baseline at `path`. An entry is stale when its file is gone, or among `files` and clean of it.

    Exits with 2 when `path` is no baseline.
    """
    entries = _read(path)
    present = {finding.fingerprint for finding in found}
    kept = tuple(finding for finding in found if finding.fingerprint not in entries)
    stale = sum(
        (name in files or (bool(name) and not Path(name).exists())) and fingerprint not in present
        for fingerprint, name in entries.items()
    )
    return Compared(kept, len(found) - len(kept), stale)


def write(found: Sequence[Diagnostic], path: Path) -> None:
    """Put a baseline of `found` at `path`, atomically. It reads well in a review: one entry a line, in a fixed order."""
    from synthspec.cli.output import write_file

    rows = sorted({(each.file, each.code, each.message, each.fingerprint) for each in found})
    entries = [
        json.dumps({"fingerprint": fingerprint, "code": code, "path": file, "message": message}, ensure_ascii=False)
        for file, code, message, fingerprint in rows
    ]
    listed = "[\n    " + ",\n    ".join(entries) + "\n  ]" if entries else "[]"
    text = f'{{\n  "format_version": "{FORMAT_VERSION}",\n  "findings": {listed}\n}}\n'
    write_file(path, text.encode("utf-8", "surrogatepass"))


def _read(path: Path) -> dict[str, str]:
    """File name by fingerprint."""
    if not path.is_file():
        raise usage(f"{path}: no such baseline; --write-baseline writes one")
    try:
        stored = json.loads(path.read_bytes())
        entries = {str(entry["fingerprint"]): str(entry["path"]) for entry in stored["findings"]}
        readable = stored["format_version"] == FORMAT_VERSION
    except (ValueError, KeyError, TypeError, RecursionError):
        entries, readable = {}, False
    if not readable:
        raise usage(f"{path} is not a baseline that this version reads; --write-baseline writes one")
    return entries
