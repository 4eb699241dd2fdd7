"""Secret keys of marks: 256 bits in a file of one's own, known outside by the SHA-256 of that file alone."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_HEX = re.compile(rb"[0-9a-f]{64}\n?")


class KeyFault(Exception):  # noqa: N818 - it carries an answer to the user
    """A key cannot be made or used: the text says why and what to do."""


def key_path(folder: Path, name: str) -> Path:
    """Where the key `name` lies below `folder`. Raises KeyFault for a name that is none."""
    if not _NAME.fullmatch(name):
        raise KeyFault(f"a key's name is up to 64 letters, digits, dots, dashes and underscores, not {name!r}")
    return folder / f"{name}.key"


def make_key(path: Path) -> None:
    """Make a key at `path`, mode 0600. Raises KeyFault when there is one, OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise KeyFault(f"{path} is there already; what it marked could no longer be told") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> bytes:
    """The 256 bits in the file `path`. Raises KeyFault for a file that others can read, or that holds no key."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(4096)
    except OSError as error:
        raise KeyFault(f"{path}: {error.strerror}; make one with 'synthspec watermark new'") from None
    if mode & 0o077:
        raise KeyFault(f"{path}: others can read this key; run: chmod 600")
    if not _HEX.fullmatch(data):
        raise KeyFault(f"{path}: not a key of 'synthspec watermark new'")
    return bytes.fromhex(data.decode().strip())
