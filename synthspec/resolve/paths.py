"""Paths in a spec: relative to it, inside its root, to regular files or folders (security: rows P01-P09).

Nothing is expanded, fetched or opened here. Symbolic links are followed first, and where they lead must be inside too.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from synthspec.diag import did_you_mean

MAX_LENGTH = 512
MOST_ENTRIES = 1000
"""Of a folder that holds more, those that come first are looked at for advice."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:|[A-Za-z]:[\\/]")
_EXPANSION = re.compile(r"\$|%[0-9A-Fa-f]{2}|\{\{|`|^~")


@dataclass(frozen=True, slots=True)
class BadPath(Exception):  # noqa: N818 - it is the answer about a path, turned into a diagnostic by its only callers
    """Why a path is refused: a rule code, what is wrong, what to do."""

    code: str
    message: str
    help: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a path is to name, for the advice where there is nothing: how such files end, and whether a folder would do."""

    what: str
    endings: tuple[str, ...] = ()
    folders: bool = False

    def among(self, entries: Iterable[os.DirEntry[str]]) -> list[str]:
        """The names of the entries that could be meant."""
        return [entry.name for entry in entries if self._could_be(entry)]

    def _could_be(self, entry: os.DirEntry[str]) -> bool:
        if entry.is_dir():
            return self.folders and not entry.name.startswith(".")
        return entry.name.casefold().endswith(self.endings)


ANYTHING = Wanted("file", endings=("",), folders=True)


def locate(text: str, folder: Path, root: Path, *, allow_outside: bool = False, wanted: Wanted = ANYTHING) -> Path:
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
        raise BadPath(
            "schema.not-found", f"there is no {text!r} beside the spec", _neighbours(written, wanted)
        ) from None
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


def _neighbours(written: Path, wanted: Wanted) -> str:
    folder = written.parent
    try:
        with os.scandir(folder) as entries:
            names = wanted.among(islice(entries, MOST_ENTRIES))
    except OSError:
        return f"the folder {folder.name!r} does not exist either"
    if names:
        return did_you_mean(written.name, names)
    kinds = f" (it would end in {' or '.join(wanted.endings)})" if wanted is not ANYTHING else ""
    return f"there is no {wanted.what} in that folder{kinds}"
