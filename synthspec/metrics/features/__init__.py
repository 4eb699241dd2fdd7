"""Frozen, declared feature extractors that need no download (P412-1)."""

from __future__ import annotations

from functools import lru_cache

from synthspec.metrics.features.clips import Rand3D
from synthspec.metrics.features.dilated import RandTCN
from synthspec.metrics.features.quantiles import TableQuantile
from synthspec.metrics.features.randcnn import RandCNN
from synthspec.metrics.features.table import TableRange
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Array, Extractor, Field
from synthspec.metrics.series import LEAST_LENGTH, layout, windows


def extractor(modality: str, fields: tuple[Field, ...], shape: tuple[int, ...], real: Array | None = None) -> Extractor:
    """The embedded extractor of a modality, for records of `shape`.

    `real` are the records, (n, *shape), whose ranks or scales the features of tables and series are fitted on; without
    any, a table's numbers are read in the range that the SRef declares.

    Raises:
        UnmeasurableError: there is none for this modality or shape.

    """
    if modality == "image":
        if len(shape) != 3:
            raise UnmeasurableError(f"a picture is (channels, height, width), not {shape}")
        return _randcnn(shape[0])
    if modality == "video":
        if len(shape) != 4:
            raise UnmeasurableError(f"a clip is (frames, channels, height, width), not {shape}")
        return _rand3d(shape[1])
    arranged = layout(modality, fields, shape)
    if arranged is not None and arranged[1] >= LEAST_LENGTH and real is not None:
        return RandTCN(windows(real, arranged))
    if len(shape) == 1 and len(fields) == shape[0]:
        return TableRange(fields) if real is None else TableQuantile(fields, real)
    raise UnmeasurableError(f"no embedded extractor for modality {modality} and records of shape {shape}")


@lru_cache(maxsize=4)
def _randcnn(channels: int) -> RandCNN:
    """One extractor a number of channels: its weights never change."""
    return RandCNN(channels)


@lru_cache(maxsize=4)
def _rand3d(channels: int) -> Rand3D:
    return Rand3D(channels)


__all__ = ["extractor"]
