"""A folder of pictures or sounds to tables: one file a record, the name of its folder as its label.

Columns: ``file`` (the name below the source), ``label`` (the folder it lies in, empty at the top), ``rate`` (of sounds, in Hz)
and, under the name of the one content field that has axes, what the file holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.execute.core.picture import picture
from synthspec.execute.core.sound import Sound, require_alike, sound
from synthspec.execute.core.source import folder_digest, folder_files, read_bytes, within_memory
from synthspec.execute.core.table import Table
from synthspec.ir.schema import Field

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
SOUNDS = frozenset({".wav"})
COLUMNS = ("file", "label", "rate")
MAX_CHUNK = 1 << 26
"""Bytes of one chunk of decoded files, about."""


def folder_chunks(name: str, folder: Path, content: Field, rows: int, sha256: str, *, rated: bool) -> Iterator[Table]:
    """The files below `folder` in the order of their names, at most `rows` at a time.

    Pictures become [C, H, W] uint8, sounds [C, N]: integers as stored, or of full scale 1 where the field is a float.
    Sizes are compared with the shape of `content` before anything is decoded. `rated`: whether a field has the rates.

    Raises DataError: `schema.bad-value` with the file for what is damaged, of another size or unlike the files before it,
    `schema.path-escape` for links, `data.digest` where names and contents do not digest to `sha256`.
    """
    names = folder_files(folder)
    kind = _kind(name, names)
    within_memory(content.size * 4 * len(names), name)
    each = max(1, min(rows, MAX_CHUNK // max(1, content.size * 8)))
    seen: list[tuple[str, str]] = []
    first: Sound | None = None
    for start in range(0, len(names), each):
        part = names[start : start + each]
        arrays: list[NDArray[np.generic]] = []
        rates: list[int] = []
        for file in part:
            data = read_bytes(folder / file, f"{name}/{file}", "")
            seen.append((file, hashlib.sha256(data).hexdigest()))
            if kind is PICTURES:
                arrays.append(picture(f"{name}/{file}", data, content))
                continue
            heard = sound(f"{name}/{file}", data, content)
            first = first or heard
            require_alike(name, first, file, heard, rated=rated)
            arrays.append(heard.samples)
            rates.append(heard.rate)
        yield _table(name, part, np.stack(arrays), rates, content)
    found = folder_digest(seen)
    if sha256 and found != sha256:
        message = f"{name} digests to {found}, but {sha256} was expected"
        raise DataError("data.digest", message, "it was changed: run again, or restore the pinned content")


def _table(name: str, files: tuple[str, ...], array: NDArray[np.generic], rates: list[int], content: Field) -> Table:
    labels = [PurePosixPath(file).parent.as_posix() for file in files]
    more = {"rate": np.array(rates)} if rates else {}
    return Table(
        name=name,
        rows=len(files),
        columns={
            "file": list(files),
            "label": ["" if label == "." else label for label in labels],
            **more,
            content.name: array,
        },
        where=lambda row: files[row],
    )


def _kind(name: str, files: tuple[str, ...]) -> frozenset[str]:
    suffixes = {PurePosixPath(file).suffix.lower() for file in files}
    for kind in (PICTURES, SOUNDS):
        if suffixes and suffixes <= kind:
            return kind
    if not suffixes:
        raise DataError("schema.bad-value", f"{name} has no files", "put pictures or sounds into it")
    known = PICTURES | SOUNDS
    strange = next((file for file in files if PurePosixPath(file).suffix.lower() not in known), "")
    message = f"{name}/{strange} is neither a picture nor a sound" if strange else f"{name} has pictures and sounds"
    raise DataError("schema.bad-value", message, f"keep files of one kind: {' '.join(sorted(PICTURES))} or .wav")
