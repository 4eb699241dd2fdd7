"""A folder of pictures or sounds to tables: one file a record, the name of its folder as its label.

Columns: ``file`` (the name below the source), ``label`` (the folder it lies in, empty at the top), ``rate`` (of sounds, in Hz)
and, under the name of the one content field that has axes, what the file holds.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import wave
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.execute.core.source import folder_digest, folder_files, read_bytes, within_memory
from synthspec.execute.core.table import Table
from synthspec.ir.schema import Field

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})
SOUNDS = frozenset({".wav"})
FORMATS = ("PNG", "JPEG", "BMP")
COLUMNS = ("file", "label", "rate")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
MAX_CHUNK = 1 << 26
"""Bytes of one chunk of decoded files, about."""
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, KeyError, IndexError, MemoryError)
"""What Pillow raises for damaged files, beside its own."""


def folder_chunks(name: str, folder: Path, content: Field, rows: int, sha256: str) -> Iterator[Table]:
    """The files below `folder` in the order of their names, at most `rows` at a time.

    Pictures become [C, H, W] uint8, sounds [C, N]: integers as stored, or of full scale 1 where the field is a float.
    Sizes are compared with the shape of `content` before anything is decoded.

    Raises DataError: `schema.bad-value` with the file for what is damaged or of another size, `schema.path-escape` for
    links, `data.digest` where names and contents do not digest to `sha256`.
    """
    names = folder_files(folder)
    kind = _kind(name, names)
    within_memory(content.size * 4 * len(names), name)
    each = max(1, min(rows, MAX_CHUNK // max(1, content.size * 8)))
    seen: list[tuple[str, str]] = []
    for start in range(0, len(names), each):
        part = names[start : start + each]
        arrays, rates = [], []
        for file in part:
            data = read_bytes(folder / file, f"{name}/{file}", "")
            seen.append((file, hashlib.sha256(data).hexdigest()))
            array, rate = (
                _sound(f"{name}/{file}", data, content) if kind is SOUNDS else _picture(f"{name}/{file}", data, content)
            )
            arrays.append(array)
            rates.append(rate)
        yield _table(name, part, np.stack(arrays), rates if kind is SOUNDS else [], content)
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


def _picture(name: str, data: bytes, content: Field) -> tuple[NDArray[np.generic], int]:
    from PIL import Image

    channels, height, width = content.shape if len(content.shape) == 3 else (1, *content.shape, 1, 1)[:3]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.size != (width, height):
                    raise _other_size(name, f"{image.height}x{image.width} pixels", content)
                mode = MODES.get(channels, "")
                if image.mode != mode and not (image.mode in {"P", "1"} and mode):
                    raise _other_size(name, f"of mode {image.mode}", content)
                pixels = np.asarray(image.convert(mode), np.uint8)
    except (*_BROKEN, Warning, Image.DecompressionBombError) as error:
        raise DataError(
            "schema.bad-value", f"{name} is no picture that can be read: {error}", "save it as PNG"
        ) from error
    return pixels.reshape(height, width, channels).transpose(2, 0, 1), 0


def _sound(name: str, data: bytes, content: Field) -> tuple[NDArray[np.generic], int]:
    channels, frames = content.shape if len(content.shape) == 2 else (1, content.size)
    try:
        with wave.open(io.BytesIO(data), "rb") as sound:
            if (sound.getnchannels(), sound.getnframes()) != (channels, frames):
                raise _other_size(name, f"{sound.getnchannels()}x{sound.getnframes()} samples", content)
            width, rate = sound.getsampwidth(), sound.getframerate()
            raw = sound.readframes(frames)
    except (wave.Error, EOFError, struct.error, RuntimeError) as error:
        raise DataError("schema.bad-value", f"{name} is no wav that can be read: {error}", "save it as PCM") from error
    if len(raw) != channels * frames * width or width not in {1, 2, 3, 4}:
        raise DataError("schema.bad-value", f"{name} is shorter than it says", "save it again")
    samples = _integers(raw, width).reshape(frames, channels).T
    if np.dtype(content.dtype).kind == "f":
        return samples / float(2 ** (8 * width - 1)), rate
    return samples, rate


def _integers(raw: bytes, width: int) -> NDArray[np.int64]:
    """Samples as signed integers; one byte is unsigned in a wav."""
    if width == 1:
        return np.frombuffer(raw, np.uint8).astype(np.int64) - 128
    if width == 3:
        parts = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.int64)
        whole: NDArray[np.int64] = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        return np.where(whole >= 1 << 23, whole - (1 << 24), whole)
    return np.frombuffer(raw, f"<i{width}").astype(np.int64)


def _other_size(name: str, found: str, content: Field) -> DataError:
    shape = "x".join(map(str, content.shape))
    message = f"{name} is {found}, but {content.name!r} is {shape}"
    return DataError(
        "schema.bad-value", message, "resize the files, or write their shape into the SRef: C, H, W or C, N"
    )
