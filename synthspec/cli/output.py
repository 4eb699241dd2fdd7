"""Output that is meant for a file: whole or not at all."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

from synthspec.store.atomic import make_folder, write_atomically

READABLE = 0o644


def write_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` atomically, making its folder where there is none. Raises OSError with nothing changed."""
    target = path.absolute()
    make_folder(target.parent)
    write_atomically(target, data, target.parent, READABLE)


@contextlib.contextmanager
def captured(path: Path) -> Iterator[None]:
    """What is printed inside goes to `path`, atomically, when the block ends without an exception."""
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        yield
    write_file(path, buffer.getvalue().encode())
