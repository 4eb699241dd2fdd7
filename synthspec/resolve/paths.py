"""Paths in a spec: relative to it, inside its root, to regular files or folders (security: rows P01-P09).

Nothing is expanded, fetched or opened here. Symbolic links are followed first, and where they lead must be inside too.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from synthspec.diag import did_you_mean

MAX_LENGTH = 512
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:|[A-Za-z]:[\\/]")
_EXPANSION = re.compile(r"\$|%[0-9A-Fa-f]{2}|\{\{|`|^~")


@dataclass(frozen=True, slots=True)
class BadPath(Exception):  # noqa: N818 - it is the answer about a path, turned into a diagnostic by its only callers
    """Why a path is refused: a rule code, what is wrong, what to do."""

    code: str
    message: str
    help: str


def locate(text: str, folder: Path, root: Path, *, allow_outside: bool = False) -> Path:
    """The file or folder that `text`, written in a document that lies in `folder`, means.

    Raises `BadPath`: ``schema.path-escape`` for what leaves `root` or could mean something else elsewhere,
    ``schema.not-found`` for what is not there or is not a regular file or folder.
    """
    _refuse_form(text, allow_outside=allow_outside)
    written = folder / text
    try:
        real = written.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        if not allow_outside and not _inside(written.resolve(), root):
            raise _escape(text, root) from None
        raise BadPath("schema.not-found", f"there is no {text!r} beside the spec", _neighbours(written)) from None
    except (OSError, RuntimeError) as error:
        raise BadPath("schema.not-found", f"{text!r} cannot be reached: {error}", "check the path") from None
    if not allow_outside and not _inside(real, root):
        raise _escape(text, root)
    mode = real.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise BadPath("schema.not-found", f"{text!r} is neither a file nor a folder", "name a regular file or a folder")
    return real


def _refuse_form(text: str, *, allow_outside: bool) -> None:
    if not text or len(text) > MAX_LENGTH or text != text.strip() or text.startswith("-"):
        raise BadPath(
            "schema.path-escape", "not a usable path", f"write a relative path of 1 to {MAX_LENGTH} characters"
        )
    if any(unicodedata.category(char) in ("Cc", "Cf") for char in text) or "\\" in text:
        message = "a path holds a control character, an invisible character or a backslash"
        raise BadPath("schema.path-escape", message, "write it with forward slashes and visible characters")
    if _SCHEME.match(text):
        raise BadPath(
            "schema.path-escape", f"{text!r} is an address, not a path", "nothing is fetched: name a local file"
        )
    if _EXPANSION.search(text):
        raise BadPath("schema.path-escape", f"{text!r} asks for expansion", "paths are taken literally: write it out")
    if text.startswith("/") and not allow_outside:
        message = f"{text!r} is absolute"
        raise BadPath("schema.path-escape", message, "write it relative to the spec, or pass --allow-outside")


def _inside(path: Path, root: Path) -> bool:
    return path.is_relative_to(root.resolve())


def _escape(text: str, root: Path) -> BadPath:
    return BadPath(
        "schema.path-escape",
        f"{text!r} leaves the root of the spec",
        f"keep it inside {root.name or '/'!r}, put a synthspec.toml higher up, or pass --allow-outside",
    )


def _neighbours(written: Path) -> str:
    folder = written.parent
    try:
        names = [entry.name for entry in os.scandir(folder)][:1000]
    except OSError:
        return f"the folder {folder.name!r} does not exist either"
    return did_you_mean(written.name, names) if names else "the folder is empty"
