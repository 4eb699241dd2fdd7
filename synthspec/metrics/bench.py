"""The bench: one request with its features, computed once and only when a metric asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from synthspec.ir.evidence import Split
from synthspec.metrics.features import extractor
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Array, Extractor, Given, Request, Sample
from synthspec.metrics.series import LEAST_LENGTH, Layout, layout, windows
from synthspec.metrics.stream import stream

T = TypeVar("T")
Part = Literal["train", "val", "test", "synthetic"]


class Bench:
    """Checked access to the arrays of a request.

    Every method raises `UnmeasurableError`, with the reason, where the request lacks what is asked for.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._made: dict[str, Any] = {}

    @property
    def reference(self) -> Split:
        return self.request.reference

    def rng(self, purpose: str) -> np.random.Generator:
        """The stream of one purpose."""
        return stream(self.request.seed, purpose)

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gives, made at the first call with this `key`."""
        if key not in self._made:
            self._made[key] = make()
        return cast("T", self._made[key])

    def sample(self, part: Part) -> Sample:
        """The records of one split or the synthetic ones, checked."""
        sample = self.request.synthetic if part == "synthetic" else self.request.split(part)
        if sample is None or not len(sample):
            raise UnmeasurableError(f"there are no {part} records")
        if sample.labels is not None and len(sample.labels) != len(sample):
            raise UnmeasurableError(f"{len(sample.labels)} labels for {len(sample)} {part} records")
        return sample

    def content(self, part: Part) -> Array:
        """Content of shape (n, ...) in float64, finite and shaped like the reference."""
        sample = self.sample(part)
        try:
            content = np.asarray(sample.content, dtype=np.float64)
        except (TypeError, ValueError):
            raise UnmeasurableError(f"the {part} content is not numeric") from None
        shape = self.sample(self.reference).content.shape[1:]
        if content.shape[1:] != shape:
            raise UnmeasurableError(f"{part} records have shape {content.shape[1:]}, real ones {shape}")
        if not (np.isfinite(content) | self._may_lack(content)).all():
            raise UnmeasurableError(f"the {part} content has values that are not finite")
        return content

    def _may_lack(self, content: Array) -> NDArray[np.bool_]:
        """Where a gap is allowed and is one: NaN in the column of a nullable number. Shaped like `content`."""
        nullable = [field.nullable and not field.levels for field in self.request.fields]
        if content.ndim != 2 or len(nullable) != content.shape[1]:
            return np.zeros(content.shape, dtype=bool)
        return np.asarray(np.isnan(content) & np.array(nullable))

    def scaled(self, part: Part) -> Array:
        """Content with the SRef's range mapped to [-1, 1] (pictures and clips); tables and series as they are."""
        content = self.content(part)
        if self.request.modality not in {"image", "video"}:
            return content
        field = self.request.fields[0] if self.request.fields else None
        if field is None or field.low is None or field.high is None or field.low >= field.high:
            raise UnmeasurableError("the SRef declares no range for the content")
        return 2 * (content - field.low) / (field.high - field.low) - 1

    @property
    def extractor(self) -> Extractor:
        """The extractor that the request brings, else the embedded one of its modality."""
        if self.request.extractor is not None:
            return self.request.extractor
        return self.once("extractor", self._embedded)

    def _embedded(self) -> Extractor:
        modality, fields = self.request.modality, self.request.fields
        shape = self.sample(self.reference).content.shape[1:]
        real = None if modality in {"image", "video"} else self.content(self.frozen_on)
        return extractor(modality, fields, shape, real)

    @property
    def frozen_on(self) -> Part:
        """The real records that sets scales, bandwidths and bins: those trained on, the reference where there are none."""
        return self.reference if self.request.train is None else "train"

    @property
    def windowed(self) -> Layout | None:
        """Channels and length where records are windows of a series."""
        return layout(self.request.modality, self.request.fields, self.sample(self.reference).content.shape[1:])

    def windows(self, part: Part) -> Array:
        """Windows of a series: (n, channels, length)."""
        arranged = self.windowed
        if arranged is None or arranged[1] < LEAST_LENGTH:
            raise UnmeasurableError(f"records are no windows of a series of at least {LEAST_LENGTH} values")
        return windows(self.content(part), arranged)

    def features(self, part: Part) -> Array:
        """Features of shape (n, views, dim)."""
        chosen = self.extractor
        if isinstance(chosen, Given):
            return chosen.parts[part]
        return self.once(f"features/{part}", lambda: chosen(self.scaled(part)))

    def embedded(self, part: Part) -> Array:
        """Features with the views side by side: (n, views * dim)."""
        features = self.features(part)
        return features.reshape(len(features), -1)

    def space(self, part: Part) -> Array:
        """The raw space of distances between records: pixels in [-1, 1], windows in standard deviations of their channel,
        or a table's encoded columns; (n, D).
        """
        if self.request.modality in {"image", "video"}:
            return self.scaled(part).reshape(len(self.sample(part)), -1)
        if self.windowed is None:
            return self.embedded(part)
        unit = self.windows(self.frozen_on).std(axis=(0, 2), keepdims=True)
        return (self.windows(part) / np.where(unit > 0, unit, 1.0)).reshape(len(self.sample(part)), -1)
