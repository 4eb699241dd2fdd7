"""What `data.source` may name."""

from __future__ import annotations

from pathlib import Path

from synthspec.diag import did_you_mean
from synthspec.resolve.paths import BadPath, Wanted, locate

SKLEARN = "sklearn://"
CARRIED = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""The data sets that lie inside the scikit-learn package; the others would have to be fetched."""

DATA = Wanted(
    "data file", endings=(".csv", ".parquet", ".npz", ".npy", ".arrow", ".feather", ".jsonl", ".wav"), folders=True
)


def find_source(text: str, folder: Path, root: Path, *, allow_outside: bool) -> Path | None:
    """The file or folder of a source; None for a data set that scikit-learn carries. Raises `BadPath`."""
    if not text.startswith(SKLEARN):
        try:
            return locate(text, folder, root, allow_outside=allow_outside, wanted=DATA)
        except BadPath as fault:
            if fault.code == "schema.not-found" and text in CARRIED:
                raise BadPath(fault.code, fault.message, f"did you mean '{SKLEARN}{text}'?") from None
            raise
    name = text.removeprefix(SKLEARN)
    if name not in CARRIED:
        message = f"scikit-learn carries no data set called {name!r}"
        raise BadPath("schema.not-found", message, did_you_mean(name, CARRIED))
    return None
