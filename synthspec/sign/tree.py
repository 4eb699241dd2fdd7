"""The files of a run against what was signed: each one opened once, looked at, measured and hashed through one handle."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from synthspec.ir.canonical import canonical_bytes
from synthspec.sign.names import FULL, Names
from synthspec.sign.refusal import Refusal, Refusals, Refused, refuse
from synthspec.sign.statement import Subject
from synthspec.sign.strict_json import MAX_BYTES, load

_CHUNK = 1 << 20
_MARKS = stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_MAX_REFUSALS = 200


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What may be in the folder: signed files, the folders above them, and the two files of the manifest itself."""

    subjects: dict[str, Subject]
    folders: frozenset[str]
    predicate: bytes
    names: Names
    beside: frozenset[str]
    """What lies there by another manifest: the public one in the house of the restricted one. It is not looked into."""
    kept: dict[str, bytes | None]
    """By name: content that the caller goes on with. It is what was hashed, whatever happens to the file afterwards."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What a folder is: what differs from what was signed, the files asked for, and modes worth a word."""

    refusals: Refusals
    content: Mapping[str, bytes]
    """Of the files asked for, those that are as they were signed."""
    marked: tuple[str, ...]
    """Files that can be run, or run as somebody else: modes are not signed."""


def check_tree(
    subjects: tuple[Subject, ...],
    predicate: bytes,
    folder: Path,
    keep: Collection[str] = (),
    names: Names = FULL,
    beside: Collection[str] = (),
) -> Tree:
    """Everything in `folder` that differs from `subjects`; `predicate` is the canonical JSON of the signed manifest.

    Signed are names, sizes and contents; modes and times are not. The signatures themselves are passed over, and
    ``manifest.json`` must say what the predicate says. Files `beside` belong to another manifest. Links, pipes, devices and
    hard links are refused rather than followed.

    Raises:
        Refused: the folder itself cannot be read.

    """
    wanted = _Wanted(
        {subject.name: subject for subject in subjects},
        _folders((*(subject.name for subject in subjects), *beside)),
        predicate,
        names,
        frozenset(beside),
        dict.fromkeys(keep),
    )
    try:
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise refuse("IO", f"cannot open the folder: {error.strerror}", str(folder)) from None
    seen = _Seen()
    try:
        found = list(islice(_folder(root, "", wanted, seen), _MAX_REFUSALS))
    except OSError as error:
        raise refuse("IO", f"cannot read the folder: {error.strerror}", str(folder)) from None
    finally:
        os.close(root)
    if len(found) == _MAX_REFUSALS:
        refusals = (*found, Refusal("EXTRA_FILE", "and more: the folder is not what was signed", str(folder)))
    else:
        refusals = (*found, *_missing(wanted, seen.names))
    content = {name: data for name, data in wanted.kept.items() if data is not None}
    return Tree(refusals, content, tuple(sorted(seen.marked)))


def _folders(names: Iterable[str]) -> frozenset[str]:
    """The folders above files."""
    return frozenset("/".join(parts[:i]) for name in names for parts in [name.split("/")] for i in range(1, len(parts)))


@dataclass(slots=True)
class _Seen:
    names: set[str] = field(default_factory=set)
    marked: list[str] = field(default_factory=list)


def _missing(wanted: _Wanted, seen: set[str]) -> Iterator[Refusal]:
    for name in wanted.subjects:
        parts = name.split("/")
        # What lies behind something refused (a folder that became a link) was answered there.
        if not any("/".join(parts[:i]) in seen for i in range(1, len(parts) + 1)):
            yield Refusal("MISSING_FILE", "a signed file is not there", name)


def _folder(handle: int, prefix: str, wanted: _Wanted, seen: _Seen) -> Iterator[Refusal]:
    """Refusals below the open folder `handle`; `seen` gathers the names that were answered for."""
    with os.scandir(handle) as entries:
        listed = sorted(entry.name for entry in entries)
    for name in listed:
        try:
            yield from _entry(handle, name, prefix + name, wanted, seen)
        except OSError as error:
            seen.names.add(prefix + name)
            yield Refusal("IO", f"cannot be read: {error.strerror}", prefix + name)


def _entry(handle: int, name: str, path: str, wanted: _Wanted, seen: _Seen) -> Iterator[Refusal]:
    mode = os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode
    if stat.S_ISDIR(mode) and path in wanted.folders:
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
        try:
            yield from _folder(below, path + "/", wanted, seen)
        finally:
            os.close(below)
        return
    seen.names.add(path)
    if stat.S_ISREG(mode) and mode & _MARKS:
        seen.marked.append(path)
    if path in wanted.beside and path not in wanted.subjects:
        return
    if wrong := _kind(mode, path, wanted):
        yield wrong
    elif path not in (wanted.names.bundle, wanted.names.approvals):
        yield from _file(handle, name, path, wanted)


def _kind(mode: int, path: str, wanted: _Wanted) -> Refusal | None:
    """Why something of this `mode` may not lie at `path`."""
    signed = path in wanted.subjects
    if stat.S_ISLNK(mode):
        return Refusal("SYMLINK", "a symbolic link", path)
    if stat.S_ISDIR(mode):
        return Refusal("EXTRA_FILE", "a folder, where a file was signed" if signed else "an unsigned folder", path)
    if not stat.S_ISREG(mode):
        return Refusal("SPECIAL_FILE", "a pipe, socket or device", path)
    names = wanted.names
    if not signed and path not in (names.bundle, names.approvals, names.readable):
        return Refusal(
            "EXTRA_FILE", "a file, where a folder was signed" if path in wanted.folders else "an unsigned file", path
        )
    return None


def _file(handle: int, name: str, path: str, wanted: _Wanted) -> Iterator[Refusal]:
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=handle)
    try:
        info = os.fstat(file)
        if not stat.S_ISREG(info.st_mode):
            yield Refusal("CHANGED_WHILE_READING", "it was replaced by something else", path)
        elif info.st_nlink != 1:
            yield Refusal("HARDLINK", "the same file has another name, through which it can be changed", path)
        elif path == wanted.names.readable and path not in wanted.subjects:
            yield from _readable(file, path, wanted.predicate)
        else:
            yield from _content(file, info, wanted.subjects[path], wanted.kept)
    finally:
        os.close(file)


def _content(file: int, before: os.stat_result, subject: Subject, kept: dict[str, bytes | None]) -> Iterator[Refusal]:
    """Compare size, then SHA-256. Never more than the signed number of bytes is read."""
    if before.st_size != subject.size:
        yield Refusal("SIZE", f"{before.st_size} bytes, {subject.size} were signed", subject.name)
        return
    sha, left = hashlib.sha256(), subject.size
    chunks = list[bytes]() if subject.name in kept and subject.size <= MAX_BYTES else None
    while left and (chunk := os.read(file, min(left, _CHUNK))):
        sha.update(chunk)
        left -= len(chunk)
        if chunks is not None:
            chunks.append(chunk)
    after = os.fstat(file)
    if left or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        yield Refusal("CHANGED_WHILE_READING", "somebody writes to it", subject.name)
    elif sha.hexdigest() != subject.sha256:
        yield Refusal("DIGEST", f"its SHA-256 is {sha.hexdigest()}, {subject.sha256} was signed", subject.name)
    elif chunks is not None:
        kept[subject.name] = b"".join(chunks)


def _readable(file: int, path: str, predicate: bytes) -> Iterator[Refusal]:
    """The copy for people must say what was signed, in whatever layout."""
    with os.fdopen(os.dup(file), "rb") as copy:
        data = copy.read(MAX_BYTES + 1)
    try:
        same = canonical_bytes(load(data, path)) == predicate
    except Refused:
        same = False
    if not same:
        yield Refusal("DIGEST", "it does not say what the signed manifest says", path)
