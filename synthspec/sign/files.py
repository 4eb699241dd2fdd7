"""Reading a file that somebody else may be playing with: no links followed by surprise, no hang, no more than asked."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from synthspec.sign.refusal import Refusals, refuse, settled
from synthspec.sign.strict_json import MAX_BYTES


def read_bundle(path: Path) -> bytes | Refusals:
    """The bytes of a manifest file; ``IO`` when it is no regular file or cannot be read, ``TOO_LARGE`` when it is."""
    return settled(lambda: read_limited(path, MAX_BYTES)[0])


def read_limited(path: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """The content of the regular file at `path` and what the open file says of itself.

    Raises:
        Refused: IO when it cannot be opened or is a device, pipe or folder; TOO_LARGE beyond `limit` bytes.

    """
    try:
        # O_NONBLOCK: opening a pipe must not wait for its writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise refuse("IO", f"cannot open it: {error.strerror}", str(path)) from None
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise refuse("IO", "not a regular file", str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise refuse("IO", f"cannot read it: {error.strerror}", str(path)) from None
    finally:
        os.close(handle)
    if len(data) > limit:
        raise refuse("TOO_LARGE", f"larger than {limit} bytes", str(path))
    return data, info
