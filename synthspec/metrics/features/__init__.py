"""Frozen, declared feature extractors that need no download (P412-1)."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from synthspec.metrics.features.randcnn import RandCNN
from synthspec.metrics.features.table import TableRange
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Array, Field


class Extractor(Protocol):
    """A frozen map from content to features."""

    name: str
    """``name@sha256[:8]``: part of the label of every figure that rests on it."""
    sha256: str
    """Of the whole definition."""
    fd_scale: float
    """The factor on the features under the Frechet distance."""
    dim: int
    """Dimensions of one view; FID is averaged over views, the other metrics use them side by side."""

    def __call__(self, content: Array) -> Array:
        """Features of shape (n, views, dim)."""


def extractor(modality: str, fields: tuple[Field, ...], shape: tuple[int, ...]) -> Extractor:
    """The embedded extractor of a modality, for records of `shape`.

    Raises:
        UnmeasurableError: there is none for this modality or shape.

    """
    if modality == "image":
        if len(shape) != 3:
            raise UnmeasurableError(f"a picture is (channels, height, width), not {shape}")
        return _randcnn(shape[0])
    if len(shape) == 1 and len(fields) == shape[0]:
        return TableRange(fields)
    raise UnmeasurableError(f"no embedded extractor for modality {modality} and records of shape {shape}")


@lru_cache(maxsize=4)
def _randcnn(channels: int) -> RandCNN:
    """One extractor a number of channels: its weights never change."""
    return RandCNN(channels)


__all__ = ["Extractor", "extractor"]
