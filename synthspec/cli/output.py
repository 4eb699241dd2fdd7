"""Output that is meant for a file: whole or not at all."""

from __future__ import annotations

import contextlib
import io
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from synthspec.store.atomic import make_folder, write_atomically

READABLE = 0o644


def write_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` atomically, making its folder where there is none. Raises OSError with nothing changed."""
    target = path.absolute()
    make_folder(target.parent)
    write_atomically(target, data, target.parent, READABLE)


def rewrite_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of the file at `path`, atomically, with the access rights it has; a link stays a link."""
    target = path.resolve(strict=True)
    write_atomically(target, data, target.parent, stat.S_IMODE(target.stat().st_mode))


def write_changed(folder: Path, texts: Mapping[str, str], *, check: bool) -> tuple[str, ...]:
    """Write each text to its path below `folder` where the file holds another, or with `check` write nothing.

    The answer is the paths that were, or would be, written. Raises OSError.
    """
    stale = []
    for name, text in texts.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                write_file(path, text.encode())
    return tuple(stale)


@contextlib.contextmanager
def captured(path: Path) -> Iterator[None]:
    """What is printed inside goes to `path`, atomically, when the block ends without an exception."""
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        yield
    write_file(path, buffer.getvalue().encode())
