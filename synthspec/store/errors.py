"""What the world does to a store: full disks, missing rights, foreign files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HELP = {
    errno.ENOSPC: "free some space or choose a store on another disk, then run again: finished nodes are kept",
    errno.EDQUOT: "your quota is used up: free some space, then run again: finished nodes are kept",
    errno.EACCES: "check who owns the folder and its access rights",
    errno.EPERM: "check who owns the folder and its access rights",
    errno.EROFS: "the file system is mounted read-only: choose a store elsewhere",
    errno.EMFILE: "too many files are open: raise the limit (`ulimit -n`)",
    errno.ENAMETOOLONG: "choose a store with a shorter path",
}


class StoreError(Exception):
    """The store cannot be read or written, and it is not the spec's fault. Nothing is left half-written."""

    def __init__(self, message: str, help_text: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_text


def of_the_world(error: OSError, doing: str, path: Path) -> StoreError:
    """The `StoreError` that says what failed while `doing` something to `path`."""
    reason = error.strerror or str(error)
    help_text = _HELP.get(error.errno or 0, "make the path readable and writable, then run again")
    return StoreError(f"cannot {doing} {path}: {reason}", help_text)


@contextmanager
def world(doing: str, path: Path) -> Iterator[None]:
    """Turn an OSError inside into a `StoreError` that names what was being done to which path."""
    try:
        yield
    except OSError as error:
        raise of_the_world(error, doing, path) from error
