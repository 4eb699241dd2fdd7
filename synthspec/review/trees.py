"""Where documents are read from: a folder, or a revision of a git repository. Nothing is checked out and no shell is asked."""

from __future__ import annotations

import posixpath
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from synthspec.parse.document import MAX_BYTES

SUFFIXES = (".yaml", ".yml")
_REGULAR = frozenset({"100644", "100755", "100664"})
_LINK = "120000"
_HOPS = 40
"""As many links as one path may lead over."""


class GitError(Exception):
    """git is not there, this is no repository of it, or it does not know what was asked for; the text says which."""


class Tree(Protocol):
    """Files by their path from one root, with forward slashes."""

    @property
    def label(self) -> str:
        """What stands before a path where it is shown; empty for files that lie on the disk as they are."""

    def paths(self) -> tuple[str, ...]:
        """Every file that may be a document of ours, in order."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where there is no regular file. Links are followed as long as they stay inside."""


@dataclass(frozen=True)
class FolderTree:
    """The files below a folder."""

    root: Path

    @property
    def label(self) -> str:
        return ""

    def paths(self) -> tuple[str, ...]:
        found = (path.relative_to(self.root) for pattern in SUFFIXES for path in self.root.rglob(f"*{pattern}"))
        return tuple(sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts)))

    def read(self, path: str) -> bytes | None:
        """The bytes of `path`, one more than a document may have at the most. Raises OSError."""
        if not _inside(path):
            return None
        file = self.root / path
        if not file.is_file() or not file.resolve().is_relative_to(self.root.resolve()):
            return None
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)


@dataclass(frozen=True)
class WorkTree(FolderTree):
    """What a commit of the working tree of a repository could hold: all of it but what git ignores."""

    def paths(self) -> tuple[str, ...]:
        """Hidden folders are looked into, as in a revision. Raises GitError."""
        listing = run_git(self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        found = {line.decode("utf-8", "surrogateescape") for line in listing.split(b"\0") if line}
        return tuple(sorted(path for path in found if path.endswith(SUFFIXES) and (self.root / path).is_file()))


@dataclass(frozen=True)
class GitTree:
    """The files of one revision."""

    repository: Path
    revision: str
    shown: str = ""
    _read: dict[str, bytes | None] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        return f"{self.shown or self.revision}:"

    @cached_property
    def _objects(self) -> dict[str, tuple[str, str]]:
        """The mode and the object of every file and link by its path."""
        listing = run_git(self.repository, "ls-tree", "-r", "-z", "--full-tree", self.revision)
        entries = (line.split(b"\t", 1) for line in listing.split(b"\0") if line)
        found = {path.decode("utf-8", "surrogateescape"): head.decode().split() for head, path in entries}
        return {path: (mode, oid) for path, (mode, kind, oid) in found.items() if kind == "blob"}

    @cached_property
    def _blobs(self) -> dict[str, str]:
        """The object of every regular file by its path."""
        return {path: oid for path, (mode, oid) in self._objects.items() if mode in _REGULAR}

    @cached_property
    def _links(self) -> dict[str, str]:
        """Where every link leads that is one, as it is written."""
        links = {path: oid for path, (mode, oid) in self._objects.items() if mode == _LINK}
        return {path: target.decode("utf-8", "surrogateescape") for path, target in self._batch(links).items()}

    def paths(self) -> tuple[str, ...]:
        linked = (path for path in self._links if self._blob(path) is not None)
        return tuple(sorted(path for path in (*self._blobs, *linked) if path.endswith(SUFFIXES)))

    def read(self, path: str) -> bytes | None:
        """The bytes of `path` in this revision. Raises GitError."""
        if not self._read:
            # All documents at once: a process a file would cost more than the review.
            self._read.update(self._batch({each: str(self._blob(each)) for each in self.paths()}))
        if path not in self._read:
            oid = self._blob(path)
            self._read[path] = None if oid is None else run_git(self.repository, "cat-file", "blob", oid)
        return self._read[path]

    def holds(self, path: str) -> bool:
        """Whether the revision has a regular file at `path`."""
        return path in self._blobs

    def _blob(self, path: str) -> str | None:
        """The object of the regular file that `path` leads to inside the tree."""
        hops = 0
        while path not in self._blobs:
            parts = path.split("/")
            heads = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
            link = next((head for head in heads if head in self._links), None)
            led = None if link is None else beside(link, self._links[link])
            hops += 1
            if link is None or led is None or hops > _HOPS:
                return None
            path = posixpath.normpath(led + path[len(link) :])
        return self._blobs[path]

    def _batch(self, wanted: Mapping[str, str]) -> dict[str, bytes]:
        """The bytes of several objects by one call, each cut where no document goes on."""
        asked = "".join(f"{oid}\n" for oid in wanted.values()).encode()
        answer = run_git(self.repository, "cat-file", "--batch", stdin=asked) if wanted else b""
        found: dict[str, bytes] = {}
        position = 0
        for path in wanted:
            end = answer.index(b"\n", position)
            size = int(answer[position:end].split()[2])
            found[path] = answer[end + 1 : end + 1 + size][: MAX_BYTES + 1]
            position = end + size + 2
        return found


def run_git(repository: Path, *words: str, stdin: bytes | None = None) -> bytes:
    """What git answers. Raises GitError with its own words."""
    try:
        # A list of words: no shell reads them, and what a user wrote is only ever a verified revision or an object's name.
        command = ["git", "-C", str(repository), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise GitError("git is not installed, or not on the PATH") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(said[-1] if said else f"git {words[0]} failed")
    return done.stdout


def top_level(folder: Path) -> Path:
    """The root of the repository that `folder` lies in. Raises GitError."""
    return Path(run_git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n"))


def commit_of(repository: Path, name: str) -> str:
    """The commit that `name` stands for. Raises GitError where there is none."""
    if not name or name.startswith("-"):
        raise GitError(f"{name!r} is no name of a revision")
    try:
        found = run_git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except GitError as error:
        raise GitError(f"git knows no revision called {name!r} (a shallow clone has to fetch it first)") from error
    return found.decode().strip()


def fork_of(repository: Path, base: str, head: str) -> str:
    """Where `head` left `base`; `base` itself where they share nothing that is here."""
    try:
        return run_git(repository, "merge-base", base, head).decode().split()[0]
    except GitError:
        return base


def beside(path: str, named: str) -> str | None:
    """The path that `named`, written in the document at `path`, means; None where it leaves the root."""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
    return joined if _inside(joined) else None


def _inside(path: str) -> bool:
    return not path.startswith("/") and path != ".." and not path.startswith("../") and "\0" not in path
