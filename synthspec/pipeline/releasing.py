"""A finished run as a release: its files in a folder named by its content, and a pointer that moves to it (Ch. 13).

Below the folder of releases each stream has one of its own::

    STREAM/7-0f3a…/     the files of release 7, read-only; the name ends with the payload's SHA-256
    STREAM/current      a link to the release in force
    STREAM/previous     a link to the one that was before it, until somebody goes back to it

Nothing that is there is ever written again. Of a run under a mechanism only the public half goes there (P405-4).
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synthspec.ir.manifest import Manifest
from synthspec.pipeline.verifying import bundle_in, verify, verify_alone
from synthspec.sign import Refusals, Subject, VerifiedStatement
from synthspec.sign.names import FULL, PUBLIC, fault
from synthspec.sign.refusal import Refused, refuse, settled
from synthspec.store.atomic import copy_hashed, make_folder, settle, sync_folder

CURRENT = "current"
PREVIOUS = "previous"
_NAME = re.compile(r"[1-9][0-9]*-[0-9a-f]{16}", re.ASCII)
_DIGITS = 16
_FILE, _FOLDER = 0o444, 0o555


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A release in force: its folder, and the one before it, where there is one to go back to."""

    folder: Path
    previous: Path | None
    files: int
    fresh: bool
    """Whether the folder was made now; else it was there, with the same content."""


def release(run: Path, to: Path, keys: tuple[Path, ...] = ()) -> Released | Refusals:
    """Put the run in the folder `run` among the releases in `to` and let its stream point to it.

    Refused, with nothing changed, when the manifest does not verify (trusting `keys` beside one's own) or its gate is
    closed. Under a mechanism both manifests must verify, and the public one is what is released.
    """
    return settled(lambda: _of_the_world(lambda: _release(run, to, keys), to))


def rollback(stream: Path, name: str | None = None, keys: tuple[Path, ...] = ()) -> Released | Refusals:
    """Let the folder `stream` point to the release `name` again; None: to the one before. That release must verify."""
    return settled(lambda: _of_the_world(lambda: _rollback(stream, name, keys), stream))


def _of_the_world(step: Callable[[], Released], where: Path) -> Released:
    """The result of `step`. Raises Refused (IO) where the disk does not take it."""
    try:
        return step()
    except OSError as error:
        raise refuse("IO", f"the release cannot be written: {error.strerror}", str(error.filename or where)) from None


def _release(run: Path, to: Path, keys: tuple[Path, ...]) -> Released:
    bundle = bundle_in(run)
    statement = _verified(bundle, keys, ordered=True)
    if isinstance(statement.manifest, Manifest) and statement.manifest.privacy.mechanism != "none":
        bundle = bundle.parent / PUBLIC.bundle
        statement = _verified(bundle, keys, ordered=True)
    said = statement.manifest.release
    if "/" in said.stream or (wrong := fault(said.stream)):
        why = "has a slash" if "/" in said.stream else wrong
        raise refuse("BAD_NAME", f"the stream {said.stream!r} cannot name a folder: it {why}", "/release/stream")
    stream = to.absolute() / said.stream
    make_folder(stream)
    with _alone(stream):
        folder = stream / f"{said.sequence}-{statement.digest[:_DIGITS]}"
        before, fresh = _pointed(stream, CURRENT), not os.path.lexists(folder)
        _pointed(stream, PREVIOUS)
        if fresh:
            _place(bundle, statement, folder, keys)
        elif _verified(folder, keys).digest != statement.digest:
            raise refuse("FORK", "another release lies there", str(folder))
        if before is not None and before != folder.name:
            _point(stream, PREVIOUS, before)
        _point(stream, CURRENT, folder.name)
    return Released(folder=folder, previous=_other(stream, folder), files=len(statement.subjects), fresh=fresh)


def _rollback(stream: Path, name: str | None, keys: tuple[Path, ...]) -> Released:
    stream = stream.absolute()
    if not (stream / CURRENT).is_symlink():
        raise refuse("IO", "no stream of releases: it has no link 'current'", str(stream))
    with _alone(stream):
        current, wanted = _pointed(stream, CURRENT), name or _pointed(stream, PREVIOUS)
        if wanted is None or wanted == current:
            raise refuse("MISSING_FILE", "there is no release before this one; name one with --to", str(stream))
        if not _NAME.fullmatch(wanted) or not (stream / wanted).is_dir():
            raise refuse("MISSING_FILE", "there is no release of this name", str(stream / wanted))
        statement = _verified(stream / wanted, keys)
        _point(stream, CURRENT, wanted)
        # What was left behind is not what to go back to: a second step back names its release.
        (stream / PREVIOUS).unlink(missing_ok=True)
        sync_folder(stream)
    return Released(folder=stream / wanted, previous=None, files=len(statement.subjects), fresh=False)


def _verified(path: Path, keys: tuple[Path, ...], *, ordered: bool = False) -> VerifiedStatement:
    """What `path` holds, with an open gate. Raises Refused."""
    found = verify(path, keys) if ordered else verify_alone(path, keys)
    if found.statement is None or found.refusals:
        raise Refused(found.refusals)
    _open(found.statement, path)
    return found.statement


def _open(statement: VerifiedStatement, path: Path) -> None:
    """Raises Refused where the gate is closed."""
    if statement.manifest.verdict != "PASS":
        message = "the gate is closed: a contract is not held, and nothing goes out"
        raise refuse("GATE_CLOSED", message, str(path))


def _place(bundle: Path, statement: VerifiedStatement, folder: Path, keys: tuple[Path, ...]) -> None:
    """Copy what `statement` covers, and its signatures, to `folder`, which appears whole and verified, or not at all."""
    names = PUBLIC if bundle.name == PUBLIC.bundle else FULL
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
    draft.mkdir()
    try:
        for subject in statement.subjects:
            _copy(bundle.parent, draft, subject.name, subject)
        _copy(bundle.parent, draft, bundle.name)
        for name in (names.approvals, names.readable):
            if os.path.lexists(bundle.parent / name):
                _copy(bundle.parent, draft, name)
        for inner in sorted((path for path in draft.rglob("*") if path.is_dir()), reverse=True):
            _seal(inner)
        _seal(draft)
        _same(draft, statement, keys)
        draft.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        _discard(draft)
        raise


def _same(draft: Path, statement: VerifiedStatement, keys: tuple[Path, ...]) -> None:
    """Raises Refused unless the copy verifies by itself, as what `statement` is."""
    if _verified(draft, keys).digest != statement.digest:
        raise refuse("CHANGED_WHILE_READING", "the manifest was replaced while it was copied", str(draft))


def _copy(source: Path, target: Path, name: str, subject: Subject | None = None) -> None:
    """Copy one file; of a `subject` what was copied is what was signed. Raises Refused, OSError."""
    path = target / name
    make_folder(path.parent)
    # Links were refused when the folder was verified; one that came since is not followed either.
    handle = os.open(source / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as old, path.open("xb") as new:
        found = copy_hashed(old, new)
        settle(new, _FILE)
    if subject is not None and found != (subject.sha256, subject.size):
        raise refuse("CHANGED_WHILE_READING", "it was changed while it was copied", name)


def _seal(folder: Path) -> None:
    sync_folder(folder)
    folder.chmod(_FOLDER)


def _discard(draft: Path) -> None:
    """Remove a draft, whose folders may have been sealed already."""
    for folder in (draft, *(path for path in draft.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _alone(stream: Path) -> Iterator[None]:
    """One process at a time moves the links of `stream`."""
    lock = os.open(stream / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _pointed(stream: Path, link: str) -> str | None:
    """The name that `link` points to. Raises Refused where it is no link of ours: it is not replaced."""
    path = stream / link
    if not os.path.lexists(path):
        return None
    target = str(path.readlink()) if path.is_symlink() else ""
    if not _NAME.fullmatch(target):
        raise refuse("SPECIAL_FILE", "it is no link to a release beside it; nothing was changed", str(path))
    return target


def _point(stream: Path, link: str, name: str) -> None:
    """Let `link` point to the release `name`, in one step."""
    draft = stream / f".{link}.{secrets.token_hex(6)}"
    draft.symlink_to(name)
    draft.replace(stream / link)
    sync_folder(stream)


def _other(stream: Path, folder: Path) -> Path | None:
    """The release to go back to from `folder`."""
    name = _pointed(stream, PREVIOUS)
    return None if name is None or name == folder.name else stream / name
