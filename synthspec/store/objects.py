"""Immutable files known by the SHA-256 of their bytes: ``objects/sha256/ab/<64 hex digits>``, mode 0444."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from synthspec.store.atomic import copy_hashed, make_folder, settle, sync_folder
from synthspec.store.errors import StoreError, world
from synthspec.store.record import StoredFile, is_portable

READ_ONLY = 0o444


class Objects:
    """The object folder of a store. Whoever calls holds the store's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sha256"

    def path(self, sha256: str) -> Path:
        """Where the object with this digest lies, if it is there."""
        return self._folder / sha256[:2] / sha256

    def adopt(self, path: Path, name: str) -> StoredFile:
        """Move the finished file at `path` in; `name` is what its node calls it.

        An object of the same digest is replaced by this one, which was just read to its end: that heals a damaged one.
        """
        with world("store", path), path.open("rb") as handle:
            sha256, size = copy_hashed(handle)
            settle(handle, READ_ONLY)
        target = self.path(sha256)
        with world("write", target):
            make_folder(target.parent)
            path.replace(target)
            sync_folder(target.parent)
        return StoredFile(name=name, sha256=sha256, size=size)

    def damage(self, file: StoredFile) -> str:
        """What is wrong with the object of `file`; empty when its bytes are what its digest says."""
        path = self.path(file.sha256)
        try:
            with path.open("rb") as handle:
                if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                    return "not a file"
                sha256, _ = copy_hashed(handle)
        except FileNotFoundError:
            return "missing"
        except OSError as error:
            return f"unreadable ({error.strerror})"
        return "" if sha256 == file.sha256 else "damaged"


def listing(folder: Path) -> tuple[str, ...]:
    """The files below `folder` by their portable names, sorted.

    Raises StoreError for a link, a device, or a name that does not mean the same everywhere.
    """
    names: list[str] = []
    for parent, folders, files in os.walk(folder):
        for entry in (*folders, *files):
            path = Path(parent, entry)
            name = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if not is_portable(name) or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise StoreError(f"a node left {name!r}, which cannot be stored", "plain files with plain names only")
            if stat.S_ISREG(mode):
                names.append(name)
    return tuple(sorted(names))
