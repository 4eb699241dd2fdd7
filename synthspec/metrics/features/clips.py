"""``rand3d-v1``: frozen random features of clips, space first and then time, without weights to download.

Every frame is read by ``randcnn-v1``; what three frames in a row look like together, and how far one lies from the next,
is read from those features. Frames in another order are then another clip, which a bag of frames would not notice.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from synthspec.metrics.features.randcnn import Definition as Frame
from synthspec.metrics.features.randcnn import RandCNN
from synthspec.metrics.features.weights import digest, orthogonal
from synthspec.metrics.request import Array
from synthspec.metrics.stream import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """All that fixes the features; its SHA-256 names them."""

    frame: Frame
    name: str = "rand3d-v1"
    input: str = "(frames, channels, height, width), SRef range to [-1, 1]"
    time: str = "sqrt(2) cos(frequency W [f(t-1), f(t), f(t+1)] + uniform phase), ends repeated, and |f(t+1) - f(t)|"
    pool: str = "means over time of frames, motion and, doubled, differences"
    weights: str = "orthogonal by QR of normal draws, Philox keyed by sha256('0/rand3d-v1/VIEW')"
    frequency: float = 1.0
    width: int = 64
    dim: int = 24
    scale: float = 2.0
    fd_scale: float = 10.0


_CLIPS = 64


class Rand3D:
    """The extractor for clips whose frames have `channels` channels."""

    def __init__(self, channels: int) -> None:
        self._definition = Definition(frame=Frame(channels=channels))
        self.sha256 = digest(asdict(self._definition))
        self.name = f"rand3d-v1@{self.sha256[:8]}"
        self.fd_scale = self._definition.fd_scale
        self.dim = self._definition.dim
        self._frames = RandCNN(channels)
        views = range(len(self._definition.frame.seeds))
        self._heads = [_Head(self._definition, self._frames.dim, view) for view in views]

    def __call__(self, content: Array) -> Array:
        """Features of shape (n, 3, 24) of clips (n, T, C, H, W) with values in [-1, 1]; row i depends on row i alone."""
        return np.concatenate([self._read(content[i : i + _CLIPS]) for i in range(0, len(content), _CLIPS)])

    def _read(self, clips: Array) -> Array:
        n, frames = clips.shape[:2]
        seen = self._frames(clips.reshape(n * frames, *clips.shape[2:])).reshape(n, frames, len(self._heads), -1)
        return np.stack([head(seen[:, :, view]) for view, head in enumerate(self._heads)], axis=1)


class _Head:
    """One view of time: frame features (n, T, d) to (n, dim)."""

    def __init__(self, definition: Definition, frame_dim: int, view: int) -> None:
        rng = stream(0, f"{definition.name}/{view}")
        self._mix = orthogonal(rng, 3 * frame_dim, definition.width)
        self._phase = rng.uniform(0.0, 2 * math.pi, definition.width)
        self._project = orthogonal(rng, 2 * frame_dim + definition.width, definition.dim) * definition.scale
        self._frequency = definition.frequency

    def __call__(self, seen: Array) -> Array:
        padded = np.pad(seen, ((0, 0), (1, 1), (0, 0)), mode="edge")
        three = np.concatenate([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], axis=2)
        motion = math.sqrt(2) * np.cos(self._frequency * (three @ self._mix) + self._phase)
        gaps = np.abs(np.diff(padded[:, :-1], axis=1))
        parts = [seen.mean(axis=1), motion.mean(axis=1), 2 * gaps.mean(axis=1)]
        return np.asarray(np.concatenate(parts, axis=1) @ self._project)
