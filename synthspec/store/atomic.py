"""Files that are there whole or not at all: temporary file, fsync, rename, fsync of the folder (security.md 6.3)."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create `folder` with its parents, durably; one that is there is left as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    sync_folder(folder.parent)


def write_atomically(path: Path, data: bytes, scratch: Path, mode: int = 0o444) -> None:
    """Put `data` at `path`, replacing what was there; `scratch` is a folder of the same file system.

    Raises OSError, with nothing at `path` changed and no temporary file left.
    """
    temporary = scratch / f"write-{secrets.token_hex(8)}"
    try:
        with temporary.open("xb") as handle:
            handle.write(data)
            settle(handle, mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def settle(handle: BinaryIO, mode: int | None = None) -> None:
    """Bring what was written to `handle` to the disk, with the access rights `mode`."""
    handle.flush()
    if mode is not None:
        os.fchmod(handle.fileno(), mode)
    os.fsync(handle.fileno())


def copy_hashed(source: BinaryIO, target: BinaryIO | None = None) -> tuple[str, int]:
    """Read `source` to its end, copying to `target`; the hex SHA-256 and the size in bytes of what was read."""
    seen = hashlib.sha256()
    size = 0
    while chunk := source.read(CHUNK):
        seen.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return seen.hexdigest(), size
