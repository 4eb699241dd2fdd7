"""The run ledger: one line an event, each sealed with a digest over itself and everything before it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from synthspec.ir.canonical import canonical_bytes
from synthspec.store.atomic import sync_folder
from synthspec.store.errors import world

State = Literal["running", "done", "reused", "short", "failed", "interrupted", "damaged"]
_GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event. `key` is the execution key of the node, `detail` the digest of its output or what went wrong."""

    seq: int
    at: str
    state: State
    node: str
    op: str
    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    entry: Entry
    seal: str


_READER = TypeAdapter(_Line)


class Journal:
    """An append-only file. Opening it cuts off a last line that a crash tore; a broken chain before that is reported.

    Attributes:
        damage: what was wrong with the file when it was opened, empty when nothing but a torn end was.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with world("open", path):
            fresh = not path.exists()
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            if fresh:
                sync_folder(path.parent)
            data = path.read_bytes()
            self._entries, self._end, self._seal = _sound(data)
            self.damage = "" if b"\n" not in data[self._end : -1] else f"line {len(self._entries) + 1} is not sound"

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything that is on record, oldest first."""
        return tuple(self._entries)

    def cut(self) -> None:
        """Drop what follows the last sound line."""
        with world("repair", self._path):
            os.ftruncate(self._handle, self._end)
            os.fsync(self._handle)

    def append(self, state: State, *, node: str, op: str, key: str, detail: str = "") -> None:
        """Put one event on record, durably. Raises StoreError, with no part of a line left behind."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(seq=len(self._entries), at=now, state=state, node=node, op=op, key=key, detail=detail)
        seal = _seal(self._seal, entry)
        line = canonical_bytes({"entry": entry, "seal": seal}) + b"\n"
        with world("write", self._path):
            try:
                _write_all(self._handle, line)
                os.fsync(self._handle)
            except BaseException:
                os.ftruncate(self._handle, self._end)
                raise
        self._entries.append(entry)
        self._end += len(line)
        self._seal = seal

    def close(self) -> None:
        os.close(self._handle)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _seal(before: str, entry: Entry) -> str:
    return hashlib.sha256(before.encode() + canonical_bytes(entry)).hexdigest()


def _sound(data: bytes) -> tuple[list[Entry], int, str]:
    """The longest sound beginning of `data`: its entries, its length in bytes and the last seal."""
    entries: list[Entry] = []
    end, seal = 0, _GENESIS
    for line in _lines(data):
        try:
            read = _READER.validate_json(line)
        except ValidationError:
            break
        if read.seal != _seal(seal, read.entry) or read.entry.seq != len(entries):
            break
        entries.append(read.entry)
        end, seal = end + len(line), read.seal
    return entries, end, seal


def _lines(data: bytes) -> Iterator[bytes]:
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            return
        yield line
