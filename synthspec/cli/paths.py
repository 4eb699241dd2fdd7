"""The files that a user names: as they are, by their folder, or by a pattern."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthspec.cli.answer import usage

if TYPE_CHECKING:
    from synthspec.pipeline.front import Spot

STDIN = "-"


def spots(paths: Sequence[str], stdin_filename: Path) -> list[Spot]:
    """What to read for each file that `paths` name; what comes from stdin is said to lie at `stdin_filename`."""
    from synthspec.pipeline.front import Spot, spot

    return [
        Spot(stdin_filename, str(stdin_filename), sys.stdin.buffer.read()) if path == STDIN else spot(Path(path))
        for path in files(paths)
    ]


def files(paths: Sequence[str]) -> list[str]:
    """The files that `paths` (files, folders, globs, ``-``) name, each once; exit 2 for one that names none."""
    found: dict[str, str] = {}
    for path in paths:
        listed = [path] if path == STDIN else list(_expand(path))
        if not listed:
            raise usage(f"{path}: no such file or folder, and no file matches it")
        for each in listed:
            # One file is one file, however it is spelled.
            found.setdefault(each if each == STDIN else str(Path(each).resolve()), each)
    return list(found.values())


def _expand(path: str) -> Iterator[str]:
    import glob

    if Path(path).is_dir():
        documents = sorted(item for pattern in ("*.yaml", "*.yml") for item in Path(path).rglob(pattern))
        yield from (str(document) for document in documents if _ours(document))
    elif Path(path).exists():
        yield path
    else:
        yield from sorted(name for name in glob.glob(path, recursive=True) if Path(name).is_file())  # noqa: PTH207


def _ours(document: Path) -> bool:
    """Whether a file met in a folder is one of ours: other YAML lies beside specs, and is none of our business."""
    if not document.is_file() or any(part.startswith(".") for part in document.parts if part not in (".", "..")):
        return False
    with document.open("rb") as file:
        start = file.read(1 << 16)
    return b"synthspec/" in start or _like_ours(start)


_KEY = re.compile(rb"^(sref|engine|contracts|modality|fields|keys)[ \t]*:", re.MULTILINE)
_KIND = re.compile(rb"^kind[ \t]*:[ \t]*[\"']?(?:EngineSpec|SRef)\b", re.MULTILINE)
_ALIKE = (
    frozenset({b"sref", b"engine"}),
    frozenset({b"engine", b"contracts"}),
    frozenset({b"modality", b"fields", b"keys"}),
)


def _like_ours(start: bytes) -> bool:
    """Whether a file without `apiVersion` is a spec or an SRef all the same: whoever forgot the line is told."""
    held = set(_KEY.findall(start))
    return _KIND.search(start) is not None or any(keys <= held for keys in _ALIKE)
