"""A grid of samples as a PNG: what a person looks at first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ACROSS = 10
"""Pictures in a row, and rows where there are no classes."""
MOST_CLASSES = 20
LEAST_SIDE = 48
"""Pixels of the shorter side of one picture: small ones are enlarged by whole factors, without smoothing."""
GAP = 4


def write_grid(
    path: Path,
    images: NDArray[np.float64],
    span: tuple[float, float] | None,
    groups: NDArray[np.int64] | None,
) -> None:
    """Write the first records of `images`, shape (n, C, H, W) with C 1 or 3, as a grid; one row a class where there are any.

    `span` is the range that black and white stand for, that of the shown pictures where it is None; `groups` is the class
    of each record.
    """
    from PIL import Image

    rows = _rows(len(images), groups)
    shown = np.concatenate(rows)
    low, high = span or (float(images[shown].min()), float(images[shown].max()))
    levels = np.clip((images - low) / ((high - low) or 1.0) * 255, 0, 255)
    factor = max(1, -(-LEAST_SIDE // min(images.shape[2:])))
    height, width = (side * factor + GAP for side in images.shape[2:])
    columns = max(map(len, rows))
    canvas = np.full((len(rows) * height + GAP, columns * width + GAP, images.shape[1]), 128, np.uint8)
    for i, row in enumerate(rows):
        for j, record in enumerate(row.tolist()):
            tile = np.rint(levels[record]).astype(np.uint8).transpose(1, 2, 0).repeat(factor, 0).repeat(factor, 1)
            top, left = i * height + GAP, j * width + GAP
            canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    Image.fromarray(canvas[:, :, 0] if canvas.shape[2] == 1 else canvas).save(path, format="PNG")


def _rows(count: int, groups: NDArray[np.int64] | None) -> list[NDArray[np.intp]]:
    """Records of each row of the grid."""
    known = np.unique(groups) if groups is not None else np.zeros(0, np.int64)
    if groups is None or len(known) > MOST_CLASSES:
        return [np.arange(begin, min(begin + ACROSS, count)) for begin in range(0, min(count, ACROSS**2), ACROSS)]
    return [np.flatnonzero(groups == group)[:ACROSS] for group in known.tolist()]
