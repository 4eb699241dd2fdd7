"""Where data come from: which sources are read, where they lie, and what they digest to."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from synthspec.backend.protocol import DataError

SKLEARN = "sklearn://"
CARRIED = {
    "breast_cancer": "breast_cancer.csv",
    "diabetes": "diabetes_data_raw.csv.gz",
    "digits": "digits.csv.gz",
    "iris": "iris.csv",
    "wine": "wine_data.csv",
}
"""The sets that scikit-learn carries, with the file of its package that holds the numbers."""

READ = frozenset({".csv", ".npz", ".npy"})
_LATER = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".json": "json",
    ".wav": "wav",
    "": "a folder of images or sounds",
}


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
    what = _LATER.get(suffix, f"files ending in {suffix}")
    return f"{source}: {what} is not read yet (read are csv, npz, npy and {SKLEARN}NAME)"


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
    """The hex SHA-256 of the regular file at `path`. Raises DataError when there is none."""
    with os.fdopen(_open(path), "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_bytes(path: Path, name: str, sha256: str) -> bytes:
    """The content of `path`, read once, which digests to `sha256` (empty: whatever it does); `name` is for messages.

    Raises DataError when there is no regular file, when it is too large to hold, or when it is not what was pinned.
    """
    with os.fdopen(_open(path), "rb") as handle:
        size = os.fstat(handle.fileno()).st_size
        within_memory(size, name)
        data = handle.read(size + 1)
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256:
        raise data_error(
            "data.digest",
            f"{name} has SHA-256 {found}, but {sha256} was expected",
            "it was changed, perhaps while this run was reading it: run again, or restore the pinned content",
        )
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
