"""A folder that appears whole: made beside its place under another name, then put there by a rename."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthspec.store.atomic import make_folder, sync_folder
from synthspec.store.errors import StoreError, world


@contextmanager
def replace_folder(target: Path, mark: str) -> Iterator[Path]:
    """A fresh folder to fill; when the block ends without an exception it takes the place of `target`.

    What was at `target` is replaced only when it is one of ours: an empty folder, or one that holds the file `mark`.

    Raises:
        StoreError: `target` holds something else, or the disk refuses.

    """
    target = target.absolute()
    check_replaceable(target, mark)
    with world("create", target):
        make_folder(target.parent)
        draft = target.parent / f".{target.name}.{secrets.token_hex(6)}"
        draft.mkdir()
    try:
        yield draft
        with world("write", target):
            _settle(draft)
            _swap(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def check_replaceable(target: Path, mark: str) -> None:
    """Whether `replace_folder` would take `target`: asked before the work of hours, not after it.

    Raises StoreError when it would not.
    """
    with world("look at", target):
        taken = os.path.lexists(target) and not _ours(target, mark)
    if taken:
        raise StoreError(f"{target} is there and was not made by a run", "choose another --out; nothing was written")


def _ours(target: Path, mark: str) -> bool:
    return target.is_dir() and not target.is_symlink() and ((target / mark).is_file() or not any(target.iterdir()))


def _settle(folder: Path) -> None:
    """Bring every file and name below `folder` to the disk before the rename that publishes them."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        else:
            sync_folder(path)
    sync_folder(folder)


def _swap(draft: Path, target: Path) -> None:
    if target.exists():
        old = draft.with_name(draft.name + ".old")
        target.rename(old)
        try:
            draft.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        draft.rename(target)
    sync_folder(target.parent)
