"""One wav of PCM as [C, N]: integers as stored, or of full scale 1 where the field is a float."""

from __future__ import annotations

import io
import struct
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field

_SHAPE = "resize the files, or write their shape into the SRef: C, N"


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """What a wav holds: `samples` [C, N] at `rate` Hz, of `bits` each."""

    samples: NDArray[np.generic]
    rate: int
    bits: int


def sound(name: str, data: bytes, content: Field) -> Sound:
    """The samples of the file `name` whose bytes are `data`; bytes are unsigned in a wav, wider samples are not.

    Its size is compared with the shape of `content` before anything is decoded. Raises DataError (`schema.bad-value`) for
    what is damaged, of another size, or no PCM of 8, 16, 24 or 32 bits.
    """
    channels, frames = content.shape if len(content.shape) == 2 else (1, content.size)
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            if (file.getnchannels(), file.getnframes()) != (channels, frames):
                found, shape = f"{file.getnchannels()}x{file.getnframes()} samples", "x".join(map(str, content.shape))
                raise DataError("schema.bad-value", f"{name} is {found}, but {content.name!r} is {shape}", _SHAPE)
            width, rate = file.getsampwidth(), file.getframerate()
            raw = file.readframes(frames)
    except (wave.Error, EOFError, struct.error, RuntimeError) as error:
        why = str(error) or "it ends too early"
        raise DataError("schema.bad-value", f"{name} is no wav that can be read: {why}", "save it as PCM") from error
    if len(raw) != channels * frames * width or width not in {1, 2, 3, 4}:
        raise DataError("schema.bad-value", f"{name} is shorter than it says", "save it again")
    samples = _integers(raw, width).reshape(frames, channels).T
    if np.dtype(content.dtype).kind == "f":
        return Sound(samples / float(2 ** (8 * width - 1)), rate, 8 * width)
    return Sound(samples, rate, 8 * width)


def require_alike(name: str, first: Sound, file: str, other: Sound, *, rated: bool) -> None:
    """Refuse sounds of several rates where no field has the rate, and integers of several widths: one number, two meanings.

    Raises DataError (`schema.bad-value`).
    """
    if first.rate != other.rate and not rated:
        message = f"{name}/{file} has {other.rate} samples a second, files before it have {first.rate}"
        raise DataError("schema.bad-value", message, "resample the files, or declare a field called rate")
    if first.bits != other.bits and other.samples.dtype.kind != "f":
        message = f"{name}/{file} has samples of {other.bits} bits, files before it have {first.bits}"
        raise DataError(
            "schema.bad-value", message, "save all with one width, or declare a float: full scale is 1 then"
        )


def _integers(raw: bytes, width: int) -> NDArray[np.int64]:
    """Samples as signed integers."""
    if width == 1:
        return np.frombuffer(raw, np.uint8).astype(np.int64) - 128
    if width == 3:
        parts = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.int64)
        whole: NDArray[np.int64] = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        return np.where(whole >= 1 << 23, whole - (1 << 24), whole)
    return np.frombuffer(raw, f"<i{width}").astype(np.int64)
