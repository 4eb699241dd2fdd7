"""The null of a spec: what its metrics show of one half of the real reference records against the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from synthspec.ir.evidence import Figure, Split
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.measuring import measure
from synthspec.metrics.request import Request, Sample
from synthspec.metrics.stream import Indices, halves, stream


def null_figures(
    names: Iterable[str], request: Request, n: int, cuts: int, purpose: str = "null/cuts"
) -> Iterator[tuple[Figure, ...]]:
    """The figures of `names` for each of `cuts` random cuts of the reference split into halves.

    One half is the reference, the other stands in for the synthetic records, thinned to `n` where it holds more. No real
    record is used twice in one cut: repeated ones would change every distance to a nearest neighbour. Each cut is measured
    with a seed of its own: slices, folds and resamples differ from run to run, too.

    Raises:
        UnmeasurableError: there is no reference split, or fewer than two records of it.

    """
    whole = request.split(request.reference)
    if whole is None or len(whole) < 2:
        raise UnmeasurableError(f"there are no two {request.reference} records to cut into halves")
    asked = tuple(names)
    seeds = stream(request.seed, f"{purpose}/seeds").integers(1 << 31, size=cuts).tolist()
    for seed, (real, other) in zip(seeds, halves(len(whole), cuts, stream(request.seed, purpose)), strict=True):
        cut = dataclasses.replace(request, synthetic=_take(whole, other[:n]), seed=seed)
        yield measure(asked, _with_split(cut, request.reference, _take(whole, real)))


def _with_split(request: Request, name: Split, sample: Sample) -> Request:
    match name:
        case "train":
            return dataclasses.replace(request, train=sample)
        case "val":
            return dataclasses.replace(request, val=sample)
        case "test":
            return dataclasses.replace(request, test=sample)


def _take(sample: Sample, rows: Indices) -> Sample:
    labels = None if sample.labels is None else sample.labels[rows]
    return Sample(content=sample.content[rows], labels=labels)
