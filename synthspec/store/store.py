"""The store: node results by execution key, over objects by content.

Order of writing is the whole of its crash safety (security.md 6.3): objects first, the record that names them last, each
by rename; the journal says what happened but nothing depends on it. Every read is verified, so damage costs time, never truth.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from synthspec.store import lock
from synthspec.store.atomic import copy_hashed, make_folder, settle, sync_folder, write_atomically
from synthspec.store.errors import StoreError, world
from synthspec.store.journal import Journal
from synthspec.store.objects import READ_ONLY, Objects, listing
from synthspec.store.record import Record, StoredFile, read_record, write_record

FORMAT = "synthspec.store/1"
UNFINISHED = 4
"""Folders of unfinished work that are kept beside the one in hand."""


def _to_stderr(message: str) -> None:
    sys.stderr.write(f"store: {message}\n")


class Store:
    """A store on disk, locked for this process until `close`; use it as a context manager."""

    def __init__(self, folder: Path, notice: Callable[[str], None] = _to_stderr) -> None:
        """Open or create the store at `folder`, waiting for another process that uses it.

        What a crash left unfinished is swept away. `notice` is told of waiting and of damage, one sentence each.
        Raises StoreError when the folder cannot be used or holds a store of another format.
        """
        self.folder = folder.absolute()
        self._notice = notice
        with world("create", self.folder):
            make_folder(self.folder)
        self._lock = lock.take(self.folder / "lock", notice)
        try:
            self._open()
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self) -> None:
        self._scratch = self.folder / "scratch"
        self._views = self.folder / "views" / secrets.token_hex(8)
        with world("prepare", self.folder):
            for leftovers in (self._scratch, self._views.parent):
                # A worker that outlived a killed run may still write here: what resists is swept the next time.
                shutil.rmtree(leftovers, ignore_errors=True)
            make_folder(self._scratch)
            make_folder(self._views)
            self._settle_format()
        self.objects = Objects(self.folder / "objects")
        self.journal = Journal(self.folder / "journal.jsonl")
        if self.journal.damage:
            kept = self._quarantine(self.folder / "journal.jsonl", move=False)
            self._notice(f"the journal was damaged ({self.journal.damage}); a copy is kept as {kept.name}")
        self.journal.cut()

    def _settle_format(self) -> None:
        path = self.folder / "FORMAT"
        if not path.exists():
            write_atomically(path, FORMAT.encode() + b"\n", self._scratch)
        found = path.read_text(encoding="utf-8", errors="replace").strip()
        if found != FORMAT:
            raise StoreError(
                f"{self.folder} is a store of format {found!r}", f"this version reads {FORMAT!r}: use another folder"
            )

    def close(self) -> None:
        """Give the store to the next process."""
        self.journal.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A fresh empty folder on the store's disk, gone afterwards. What is to be kept is given to `commit` before."""
        folder = self._scratch / f"work-{secrets.token_hex(8)}"
        with world("create", folder):
            folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def unfinished(self, key: str) -> Path:
        """Where the work on the result `key` may leave what a later try goes on from: not made yet, and gone with `commit`.

        Of other keys the newest few are kept: a changed plan leaves work that nobody will ask for again.
        """
        folder = self.folder / "unfinished"
        with world("prepare", folder):
            make_folder(folder)
            others = sorted(
                (path for path in folder.iterdir() if path.name != key), key=lambda path: path.stat().st_mtime
            )
            for path in others[: max(0, len(others) - UNFINISHED)]:
                shutil.rmtree(path, ignore_errors=True)
        return folder / key

    def commit(self, key: str, node: str, op: str, folder: Path) -> Record:
        """Move the files of `folder` into the store as the result `key`.

        The record appears last, when all its objects are on the disk: a crash before leaves the key unknown.
        """
        with world("read", folder):
            names = listing(folder)
        record = Record(
            key=key, node=node, op=op, files=tuple(self.objects.adopt(folder / name, name) for name in names)
        )
        path = self._record_path(key)
        with world("write", path):
            make_folder(path.parent)
            write_atomically(path, write_record(record), self._scratch)
        shutil.rmtree(self.folder / "unfinished" / key, ignore_errors=True)
        shutil.rmtree(self._views / key, ignore_errors=True)  # of a result that was damaged and has been made again
        return record

    def lookup(self, key: str) -> Record | None:
        """The result `key`, when it is there and every byte of it is what it was; None when it has to be made again.

        Whatever is damaged is moved to ``quarantine`` and said through `notice`.
        """
        path = self._record_path(key)
        try:
            record = read_record(path.read_bytes(), key)
        except FileNotFoundError:
            return None
        except ValueError as error:
            self._notice(f"the record {path.name} is damaged ({error}); moved to {self._quarantine(path).parent}")
            return None
        except OSError as error:
            self._notice(f"the record {path.name} cannot be read ({error.strerror})")
            return None
        return record if self._intact(record) else None

    def _intact(self, record: Record) -> bool:
        sound = True
        for file in record.files:
            what = self.objects.damage(file)
            if not what:
                continue
            sound = False
            self._notice(f"{file.name} of {record.node!r} is {what} (object {file.sha256[:12]}); it is made again")
            if what != "missing":
                self._quarantine(self.objects.path(file.sha256))
            self.journal.append("damaged", node=record.node, op=record.op, key=record.key, detail=file.sha256)
        return sound

    def view(self, record: Record) -> Path:
        """A folder that shows the files of `record` under their names, read-only. It lasts until the store is opened again."""
        folder = self._views / record.key
        if not folder.exists():
            draft = self._scratch / f"view-{secrets.token_hex(8)}"
            with world("write", draft):
                draft.mkdir()
                for file in record.files:
                    self._link(file, draft / file.name)
                draft.rename(folder)
        return folder

    def _link(self, file: StoredFile, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source = self.objects.path(file.sha256)
        try:
            target.hardlink_to(source)
        except OSError:  # a file system without links, or too many of them
            self._copy(file, target, READ_ONLY)

    def materialise(self, record: Record, folder: Path) -> tuple[Path, ...]:
        """Copy the files of `record` into `folder`, which is the user's: writable, verified on the way, each appearing whole.

        Raises StoreError when an object turns out damaged or `folder` cannot be written.
        """
        made: list[Path] = []
        for file in record.files:
            target = folder / file.name
            with world("write", target):
                make_folder(target.parent)
                draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
                try:
                    self._copy(file, draft, None)
                    draft.replace(target)
                finally:
                    draft.unlink(missing_ok=True)
                sync_folder(target.parent)
            made.append(target)
        return tuple(made)

    def _copy(self, file: StoredFile, target: Path, mode: int | None) -> None:
        with self.objects.path(file.sha256).open("rb") as source, target.open("xb") as copy:
            sha256, _ = copy_hashed(source, copy)
            settle(copy, mode)
        if sha256 != file.sha256:
            raise StoreError(
                f"{file.name} was damaged in the store after it was verified", "run again: it is made again"
            )

    def _record_path(self, key: str) -> Path:
        return self.folder / "nodes" / key[:2] / f"{key}.json"

    def _quarantine(self, path: Path, *, move: bool = True) -> Path:
        target = self.folder / "quarantine" / f"{path.name}.{secrets.token_hex(4)}"
        with world("quarantine", path):
            make_folder(target.parent)
            if move:
                path.replace(target)
                sync_folder(path.parent)
            else:
                shutil.copyfile(path, target)
            sync_folder(target.parent)
        return target
