"""Which document is the earlier self of which, and where the policies are read that govern."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from synthspec.ir.change import Review
from synthspec.resolve import find_root
from synthspec.review.documents import Loaded, Shelf
from synthspec.review.judging import Judged, judge_review
from synthspec.review.policies import Loading, load_policies
from synthspec.review.reviewing import Sides, differing, review_pair
from synthspec.review.trees import FolderTree, GitTree, WorkTree, commit_of, fork_of, top_level
from synthspec.spec.base import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a user may say beside the two sides."""

    today: date
    approved: frozenset[str] = frozenset()
    policies: tuple[str, ...] = ()
    """Policy files to ask instead of those that the base holds for these documents."""
    strict: bool = False
    """Whether what a person has to judge stands against the change until somebody has."""


def review_files(old: Path, new: Path, asked: Asked) -> Review:
    """Two documents, or two folders file by file. Policies are those of `asked`, read as they lie. Raises OSError."""
    policies = load_policies((_single(Path(path)) for path in asked.policies), everywhere=True)
    if old.is_dir() and new.is_dir():
        right = Shelf(FolderTree(new))
        sides = Shelf(FolderTree(old)).all(), right.all()
        pairs = (_left_there(each, right) for each in paired(*sides))
        return _answer(pairs, policies, asked, same=_same(*sides))
    pair = (_single(old), _single(new))
    # Two files that say the same are an answer too: that none of so many guards is loosened.
    return _answer([pair], policies, asked, every=True)


def review_texts(path: Path, old: bytes | None, new: bytes | None, asked: Asked) -> Review:
    """Two versions of the document at `path`, each with the schema that lies beside it now: what a diff of git shows."""
    root = find_root(path.resolve())
    name = path.resolve().relative_to(root.resolve()).as_posix()
    shelves = [None if data is None else Shelf(_Replaced(FolderTree(root), name, data)) for data in (old, new)]
    left, right = (None if shelf is None else shelf.load(name) for shelf in shelves)
    if shelves[1] is not None:
        left, right = _left_there((left, right), shelves[1])
    policies = load_policies((_single(Path(each)) for each in asked.policies), everywhere=True)
    return _answer([] if left is None and right is None else [(left, right)], policies, asked)


@dataclass(frozen=True)
class _Replaced:
    """A folder in which one file holds something else."""

    folder: FolderTree
    path: str
    data: bytes

    @property
    def label(self) -> str:
        return ""

    def paths(self) -> tuple[str, ...]:
        return (self.path,)

    def read(self, path: str) -> bytes | None:
        return self.data if path == self.path else self.folder.read(path)


def review_against(base: str, head: str | None, paths: Sequence[str], here: Path, asked: Asked) -> Review:
    """What the working tree (or the commit `head`) changes since it left `base`; `paths` keeps what lies at or below them.

    Documents and the schemas that they name come from the same side. The policies are those of `base` itself, so that no
    change can bring its own law. Raises GitError, and OSError for a file that cannot be read.
    """
    root = top_level(here)
    tip = commit_of(root, base)
    end = commit_of(root, head if head is not None else "HEAD")
    fork = GitTree(root, fork_of(root, tip, end), base)
    law = fork if fork.revision == tip else GitTree(root, tip, base)
    left = Shelf(fork)
    right = Shelf(WorkTree(root) if head is None else GitTree(root, end, head))
    wanted = tuple(_from_root(path, here, root) for path in paths)
    _all_there(paths, wanted, root, {*left.tree.paths(), *right.tree.paths()})
    sides = left.all(), right.all()
    pairs = [pair for pair in (_left_there(each, right) for each in paired(*sides)) if _wanted(pair, wanted)]
    shelf = left if law is fork else Shelf(law)
    looked_at = ({path: each for path, each in side.items() if _wanted((each, None), wanted)} for side in sides)
    return _answer(pairs, _law(shelf, asked, here, root), asked, same=_same(*looked_at))


def paired(old: dict[str, Loaded], new: dict[str, Loaded]) -> Iterator[Sides]:
    """The two sides of every document that differs: by path, then for what moved by kind and name, or by what it says."""
    gone = {path: document for path, document in old.items() if path not in new}
    came = {path: document for path, document in new.items() if path not in old}
    for path, document in old.items():
        if path in new and differing(document, new[path]):
            yield document, new[path]
    for document in list(gone.values()):
        twins = [other for other in came.values() if _called(other) == _called(document)]
        if len(twins) == 1 and _called(document)[1]:
            del came[twins[0].path], gone[document.path]
            yield document, twins[0]
    for before, after in _alike(gone, came):
        yield gone.pop(before), came.pop(after)
    yield from ((document, None) for document in gone.values())
    yield from ((None, document) for document in came.values())


def _left_there(pair: Sides, shelf: Shelf) -> Sides:
    """Of a document that is gone, the file that is still there: it cannot be read as what it was."""
    old, new = pair
    return pair if old is None or new is not None else (old, shelf.read_as(old.path, old.kind))


ALIKE = 0.5
"""The share of lines in common from which a document under another path and name is an older one: as git counts renames."""


def _alike(gone: dict[str, Loaded], came: dict[str, Loaded]) -> Iterator[tuple[str, str]]:
    """The paths of documents of one kind that say much the same, the closest first: nobody escapes by a new name."""
    shares = sorted(
        (-share, before, after)
        for before, old in gone.items()
        for after, new in came.items()
        if old.kind == new.kind and (share := len(old.lines & new.lines) / max(len(old.lines | new.lines), 1)) >= ALIKE
    )
    taken: set[str] = set()
    for _, before, after in shares:
        if taken.isdisjoint((f"old {before}", f"new {after}")):
            taken |= {f"old {before}", f"new {after}"}
            yield before, after


def _answer(pairs: Iterable[Sides], policies: Loading, asked: Asked, *, same: int = 0, every: bool = False) -> Review:
    judged = [
        Judged(reviewed=review_pair(old, new, asked.today), old=old, new=new)
        for old, new in _with_schemas(pairs, every=every)
    ]
    judged.sort(key=lambda each: (each.reviewed.kind != "EngineSpec", each.reviewed.file))
    answer = judge_review(judged, policies.governing, asked.approved, strict=asked.strict)
    return replace(answer, findings=(*policies.faults, *answer.findings), same=same)


def _same(old: dict[str, Loaded], new: dict[str, Loaded]) -> int:
    """How many documents are what they were."""
    return sum(path in new and not differing(document, new[path]) for path, document in old.items())


def _with_schemas(pairs: Iterable[Sides], *, every: bool) -> Iterator[Sides]:
    """Every pair that differs (or `every` one), and the schemas that its specs name; each once."""
    told: set[tuple[str, str]] = set()
    for old, new in pairs:
        named = (None if old is None else old.sref, None if new is None else new.sref)
        for left, right in ((old, new), named) if None not in named else ((old, new),):
            key = ("" if left is None else left.path, "" if right is None else right.path)
            if key not in told and (differing(left, right) or (every and left is old)):
                told.add(key)
                yield left, right


def _law(shelf: Shelf, asked: Asked, here: Path, root: Path) -> Loading:
    if not asked.policies:
        return load_policies(shelf.all().values())
    found = [shelf.load(_from_root(path, here, root)) for path in asked.policies]
    missing = [path for path, document in zip(asked.policies, found, strict=True) if document is None]
    if missing:
        raise FileNotFoundError(2, "the base has no such policy", missing[0])
    return load_policies(cast("list[Loaded]", found), everywhere=True)


def _single(path: Path) -> Loaded:
    """The one document at `path`. Raises OSError for what is not there, and for a file of another kind."""
    file = path.resolve()
    if file.is_dir():
        raise IsADirectoryError(21, "a folder is compared with a folder, and a file with a file", str(path))
    if not file.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    root = find_root(file)
    found = Shelf(FolderTree(root)).load(file.relative_to(root.resolve()).as_posix())
    if found is None:
        raise FileNotFoundError(2, "no document of synthspec", str(path))
    return found


def _all_there(paths: Sequence[str], wanted: Sequence[str], root: Path, known: Collection[str]) -> None:
    """Raises FileNotFoundError for a path that neither side has: whoever mistypes one has reviewed nothing."""
    for path, name in zip(paths, wanted, strict=True):
        if name == ".." or name.startswith("../"):
            raise FileNotFoundError(2, "it lies outside the repository that is reviewed", path)
        if not (root / name).exists() and not any(_at_or_below(each, name) for each in known):
            raise FileNotFoundError(2, "neither side has such a file or folder", path)


def _from_root(path: str, here: Path, root: Path) -> str:
    absolute = posixpath.normpath((here.resolve() / path).as_posix())
    return posixpath.relpath(absolute, root.resolve().as_posix())


def _wanted(pair: Sides, wanted: Collection[str]) -> bool:
    """Whether a document lies at or below `wanted`. A policy always does: it judges what lies there, wherever it is."""
    paths = [side.path for side in pair if side is not None]
    law = any(side.kind == "Policy" for side in pair if side is not None)
    return not wanted or law or any(_at_or_below(path, name) for path in paths for name in wanted)


def _at_or_below(path: str, name: str) -> bool:
    return name in (".", path) or path.startswith(f"{name}/") or fnmatchcase(path, name)


def _called(document: Loaded) -> tuple[str, str]:
    metadata = getattr(document.model, "metadata", None)
    return document.kind, metadata.name if isinstance(metadata, Metadata) else ""
