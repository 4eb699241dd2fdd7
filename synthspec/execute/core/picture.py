"""One file of a picture as it is meant to be seen: [C, H, W] uint8. What eight bits a channel do not hold is refused."""

from __future__ import annotations

import io
import struct
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
ORIENTATION = 0x0112
"""The tag of EXIF that says how a camera was held; 5 to 8 lie on their side."""
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, KeyError, IndexError, MemoryError)
"""What Pillow raises for damaged files, beside its own."""
_SHAPE = "resize the files, or write their shape into the SRef: C, H, W"
_AS_SHOWN = "save it as a PNG of 8 bits a channel whose colours and alpha are what the SRef says, one picture a file"


def picture(name: str, data: bytes, content: Field) -> NDArray[np.uint8]:
    """The pixels of the file `name` whose bytes are `data`, turned as its EXIF says.

    Its size is compared with the shape of `content` before anything is decoded. Raises DataError (`schema.bad-value`) for
    what is damaged, of another size or mode, of 16 bits a channel, animated, or transparent where the field is not.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    channels, height, width = content.shape if len(content.shape) == 3 else (1, *content.shape, 1, 1)[:3]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                seen = image.size[::-1] if image.getexif().get(ORIENTATION, 1) in {5, 6, 7, 8} else image.size
                if seen != (width, height):
                    raise _other(name, f"{seen[1]}x{seen[0]} pixels", content, _SHAPE)
                what = _unlike(image, data, channels)
                if what:
                    raise _other(name, what, content, _AS_SHOWN)
                return _pixels(name, ImageOps.exif_transpose(image), content, channels)
    except UnidentifiedImageError as error:
        raise _unreadable(name, f"it is none of {', '.join(FORMATS)}") from error
    except (*_BROKEN, Warning, Image.DecompressionBombError) as error:
        raise _unreadable(name, str(error) or type(error).__name__) from error


def _unlike(image: Image.Image, data: bytes, channels: int) -> str:
    """Why converting `image` would lose or add something; empty when it is what the field holds."""
    mode = MODES.get(channels, "")
    if image.format == "PNG" and data[24:25] == b"\x10":  # the depth in IHDR: Pillow cuts colours of 16 bits to 8
        return "of 16 bits a channel"
    if getattr(image, "n_frames", 1) > 1:
        return "animated"
    if image.mode != mode and not (image.mode in {"P", "1"} and mode):
        return f"of mode {image.mode}"
    return "partly transparent" if "transparency" in image.info and channels < 4 else ""


def _pixels(name: str, image: Image.Image, content: Field, channels: int) -> NDArray[np.uint8]:
    mode = MODES[channels]
    if image.mode == "P" and channels == 1:
        colours = np.asarray(image.convert("RGB"), np.uint8)
        if (colours != colours[..., :1]).any():
            raise _other(name, "in colour (mode P)", content, _AS_SHOWN)
        return np.ascontiguousarray(colours[None, ..., 0])
    pixels = np.asarray(image.convert(mode), np.uint8)
    return pixels.reshape(*pixels.shape[:2], channels).transpose(2, 0, 1)


def _other(name: str, found: str, content: Field, help_text: str) -> DataError:
    shape = "x".join(map(str, content.shape))
    return DataError("schema.bad-value", f"{name} is {found}, but {content.name!r} is {shape}", help_text)


def _unreadable(name: str, why: str) -> DataError:
    return DataError("schema.bad-value", f"{name} is no picture that can be read: {why}", "save it as PNG")
