"""Where data come from: which sources are read, where they lie, and what they digest to."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from synthspec.backend.protocol import DataError

if TYPE_CHECKING:
    from typing_extensions import Buffer

SKLEARN = "sklearn://"
CARRIED = {
    "breast_cancer": "breast_cancer.csv",
    "diabetes": "diabetes_data_raw.csv.gz",
    "digits": "digits.csv.gz",
    "iris": "iris.csv",
    "wine": "wine_data.csv",
}
"""The sets that scikit-learn carries, with the file of its package that holds the numbers."""

FOLDER = ""
"""The ending of what is no file: a folder of images or sounds."""
READ = frozenset({".csv", ".jsonl", ".parquet", ".arrow", ".feather", ".npz", ".npy", FOLDER})
_OTHERS = {".json": "json (one object a line, in a .jsonl file, is)", ".wav": "a single wav (a folder of them is)"}
MAX_FILES = 1_000_000
CHUNK = 1 << 20


def data_error(code: str, message: str, help_text: str) -> DataError:
    """A `DataError`; one place that spells the constructor."""
    return DataError(code, message, help_text)


def not_read(source: str) -> str:
    """Why `source` cannot be read by this version, judged by its name alone; empty when it can."""
    if source.startswith(SKLEARN):
        name = source.removeprefix(SKLEARN)
        if name in CARRIED:
            return ""
        carried = ", ".join(sorted(CARRIED))
        return f"{source} is not among the sets that scikit-learn carries ({carried}); others would need a download"
    suffix = PurePosixPath(source).suffix.lower()
    if suffix in READ:
        return ""
    what = _OTHERS.get(suffix, f"what ends in {suffix}")
    return f"{source}: {what} is not read (read are csv, jsonl, parquet, arrow, npz, npy, folders and {SKLEARN}NAME)"


def locate(source: str, root: Path) -> Path:
    """The file that holds the content of `source`; for ``sklearn://NAME`` the one inside scikit-learn's package."""
    return carried_file(source) if source.startswith(SKLEARN) else root / source


def carried_file(source: str) -> Path:
    """Where scikit-learn keeps ``sklearn://NAME``. Raises DataError when it does not carry it, or is not installed."""
    reason = not_read(source)
    if reason:
        raise data_error("engine.backend-unsupported", reason, "choose one that it carries, or give a file")
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise data_error("schema.not-found", f"{source} needs scikit-learn", "run: pip install 'synthspec[data]'")
    return Path(package.origin).parent / "datasets" / "data" / CARRIED[source.removeprefix(SKLEARN)]


def read_digest(path: Path) -> str:
    """The hex SHA-256 of the regular file at `path`, or of the names and contents of the folder there.

    Raises DataError when there is neither.
    """
    if path.is_dir():
        return folder_digest((name, read_digest(path / name)) for name in folder_files(path))
    with os.fdopen(_open(path), "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def folder_files(folder: Path) -> tuple[str, ...]:
    """The names of all files below `folder`, sorted; hidden ones do not count.

    Raises DataError for a link, which could lead anywhere, for what is neither file nor folder, and for too many.
    """
    found: list[str] = []
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                name = Path(entry.path).relative_to(folder).as_posix()
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append(name)
                else:
                    message = f"{folder.name}/{name} is a link, or no regular file"
                    raise data_error("schema.path-escape", message, "put the file itself into the folder")
        if len(found) > MAX_FILES:
            raise data_error("syntax.too-large", f"{folder.name} holds more than {MAX_FILES:,} files", "split it")
    return tuple(sorted(found))


def folder_digest(files: Iterable[tuple[str, str]]) -> str:
    """What a folder of `files` (name, hex SHA-256), sorted by name, digests to."""
    whole = hashlib.sha256()
    for name, content in files:
        whole.update(f"{content}  {name}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


class _Hashed(io.RawIOBase):
    """A file that is digested while it is read from its start to its end."""

    def __init__(self, handle: BinaryIO) -> None:
        self.handle = handle
        self.seen = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        data = self.handle.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(data)] = data
        self.seen.update(data)
        return len(data)


@contextmanager
def streamed(path: Path, name: str, sha256: str) -> Iterator[BinaryIO]:
    """The file at `path` to be read once, front to back; at the end it must digest to `sha256` (empty: whatever it does).

    What was read is believed only when the block has ended. Raises DataError as `read_bytes`.
    """
    with os.fdopen(_open(path), "rb") as handle:
        hashed = _Hashed(handle)
        with io.BufferedReader(hashed, CHUNK) as stream:
            yield stream
            while stream.read(CHUNK):
                pass
        _same(name, hashed.seen.hexdigest(), sha256)


@contextmanager
def sought(path: Path, name: str, sha256: str) -> Iterator[BinaryIO]:
    """The file at `path` to be read here and there, digested before and after. Raises DataError as `read_bytes`."""
    with os.fdopen(_open(path), "rb") as handle:
        before = hashlib.file_digest(handle, "sha256").hexdigest()
        _same(name, before, sha256)
        handle.seek(0)
        yield handle
        handle.seek(0)
        _same(name, hashlib.file_digest(handle, "sha256").hexdigest(), before)


def _same(name: str, found: str, sha256: str) -> None:
    if sha256 and found != sha256:
        raise data_error(
            "data.digest",
            f"{name} has SHA-256 {found}, but {sha256} was expected",
            "it was changed, perhaps while this run was reading it: run again, or restore the pinned content",
        )


def read_bytes(path: Path, name: str, sha256: str) -> bytes:
    """The content of `path`, read once, which digests to `sha256` (empty: whatever it does); `name` is for messages.

    Raises DataError when there is no regular file, when it is too large to hold, or when it is not what was pinned.
    """
    with os.fdopen(_open(path), "rb") as handle:
        size = os.fstat(handle.fileno()).st_size
        within_memory(size, name)
        data = handle.read(size + 1)
    _same(name, hashlib.sha256(data).hexdigest(), sha256)
    return data


def _open(path: Path) -> int:
    # O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        missing = error.errno in {errno.ENOENT, errno.ENOTDIR}
        reason = "does not exist" if missing else f"cannot be opened ({error.strerror})"
        raise data_error(
            "schema.not-found", f"{path.name} {reason}", f"looked for it in {path.parent.name or '/'}"
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise data_error("schema.not-found", f"{path.name} is not a regular file", "give the path of a file")
    return handle


def within_memory(size: int, name: str) -> None:
    """Refuse to allocate `size` bytes for `name` when they are more than half of this machine's memory."""
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    if size > half:
        raise data_error(
            "syntax.too-large",
            f"{name} would need {size / 2**30:.1f} GiB of memory; at most {half / 2**30:.1f} GiB are used on this machine",
            "take fewer rows, or a machine with more memory",
        )
