"""Frozen, declared feature extractors that need no download (P412-1)."""

from __future__ import annotations

from functools import lru_cache

from synthspec.metrics.features.randcnn import RandCNN
from synthspec.metrics.features.table import TableRange
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Extractor, Field


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


__all__ = ["extractor"]
