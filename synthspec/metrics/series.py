"""Records that run along an axis: which content is a series, and its windows as (n, channels, length)."""

from __future__ import annotations

import re
from itertools import groupby

from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Array, Field

LEAST_LENGTH = 8
"""Values of a window below which its correlations say nothing."""

Layout = tuple[int, int]
"""Channels and length."""

_MODALITIES = frozenset({"timeseries", "audio"})


def layout(modality: str, fields: tuple[Field, ...], shape: tuple[int, ...]) -> Layout | None:
    """How the numbers of one record of `shape` lie in time; None where a record is no window of a series.

    A lone field is a window of shape (length,) or (channels, length). Several fields of one shape (length,), which
    stand side by side as ``name.0, name.1, ...``, are the channels of one window.
    """
    if modality not in _MODALITIES or any(field.levels for field in fields):
        return None
    if len(fields) == 1 and len(shape) in {1, 2}:
        return (shape[0], shape[1]) if len(shape) == 2 else (1, shape[0])
    if len(shape) != 1 or len(fields) != shape[0]:
        return None
    lengths = [len(list(group)) for _, group in groupby(re.sub(r"\.\d+$", "", field.name) for field in fields)]
    return (len(lengths), lengths[0]) if len(set(lengths)) == 1 and lengths[0] > 1 else None


def windows(content: Array, arranged: Layout) -> Array:
    """`content` as (n, channels, length).

    Raises:
        UnmeasurableError: a value is missing, and what is missing has no spectrum.

    """
    found = content.reshape(len(content), *arranged)
    if found.size and found.min() != found.min():  # NaN
        raise UnmeasurableError("a window has gaps")
    return found
