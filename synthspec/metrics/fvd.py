"""FVD: the Frechet distance of features of clips, named for the extractor that made them."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.metrics import fid
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError

ESTIMATOR = fid.ESTIMATOR


def measure(bench: Bench) -> Figure:
    """FVD of synthetic clips against the reference split.

    The published FVD has the features of one trained network; a figure under others is another figure, so the label says
    which. Trained video features notice what single frames hold more than how they follow; the embedded ones read both.

    Raises:
        UnmeasurableError: the records are no clips.

    """
    if bench.request.modality != "video":
        raise UnmeasurableError(f"FVD is about clips, and the modality is {bench.request.modality}")
    return fid.frechet_figure(bench, "FVD", f"FVD[{bench.extractor.name}]")
