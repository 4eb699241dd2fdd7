"""One writer at a time. The kernel gives the lock back when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from synthspec.store.errors import world


def take(path: Path, notice: Callable[[str], None]) -> int:
    """Lock the file at `path` and return its descriptor; waits for another holder, saying so through `notice`.

    Raises StoreError when the file cannot be created or the file system has no locks.
    """
    with world("lock", path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _wait(handle, path, notice)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(handle)
            raise
    return handle


def _wait(handle: int, path: Path, notice: Callable[[str], None]) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
        who = f"process {holder}" if holder.isdigit() else "another process"
        notice(f"{who} is using the store {path.parent}; waiting until it has finished")
        fcntl.flock(handle, fcntl.LOCK_EX)
