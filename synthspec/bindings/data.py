"""`ds`: reference data with their schema and their split (P403-1, P405-9), from files or from columns in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthspec.bindings.documents import Section, plain
from synthspec.bindings.faults import refused
from synthspec.ir.emit import emit
from synthspec.store.atomic import make_folder, write_atomically

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

WORK = Path(".synthspec")
CARRIED = "sklearn://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Reference data that are to be bound to their SRef; nothing is read before an engine is fitted on them."""

    source: str
    """As a spec in `base` would name it."""
    sref: Path
    base: Path
    work: Path
    """Where the store and the results of the bindings lie."""
    sections: Section
    """The section `data` of the spec."""

    @property
    def path(self) -> Path | None:
        """The file or folder of the records; None for a set that scikit-learn carries."""
        return None if self.source.startswith(CARRIED) else (self.base / self.source).resolve()


def dataset(
    source: str | Path | Mapping[str, ArrayLike],
    sref: str | Path | Section,
    *,
    split: Section | None = None,
    work: str | Path = WORK,
    **more: object,
) -> Data:
    """Reference data for the bindings.

    `source` is a file or folder that a spec could name, ``sklearn://NAME``, or columns by their name at the source, one
    entry a record: array-likes of equal length, in the units of the SRef; NaN where there is no value. `sref` is the file
    of the SRef or its content. `split` is the section ``data.split``, such as ``{"method": "hash", "key": "rid", "train":
    0.7, "val": 0.15, "test": 0.15, "seed": 1}``: there is no default (P405-9). `more` are further keys of ``data``.

    Columns are written below `work`, where the store lies as well. Raises BindingError for columns that no array of
    numbers or text holds, OSError when `work` cannot be written.
    """
    folder = Path(work).absolute()
    schema = Path(sref).absolute() if isinstance(sref, str | Path) else _written_sref(sref, folder)
    base = schema.parent
    named = _written_columns(source, folder) if isinstance(source, Mapping) else source
    where = named if isinstance(named, str) and named.startswith(CARRIED) else os.path.relpath(named, base)
    sections = {"source": Path(where).as_posix() if CARRIED not in where else where, "split": split, **more}
    told = {name: value for name, value in sections.items() if value is not None}
    return Data(source=str(told["source"]), sref=schema, base=base, work=folder, sections=told)


def _written_sref(sref: Section, folder: Path) -> Path:
    document = plain({"apiVersion": "synthspec/v1", "kind": "SRef", **sref}, "sref")
    assert isinstance(document, dict)  # noqa: S101 - a mapping stays one
    return _written(emit(document).encode(), folder, ".sref.yaml")


def _written_columns(columns: Mapping[str, ArrayLike], folder: Path) -> Path:
    import io

    import numpy as np

    from synthspec.execute.core.export import write_npz

    arrays = {str(name): np.asarray(column) for name, column in columns.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biufMUS":
            message = f"the column {name!r} is an array of {array.dtype}, which would need pickle"
            raise refused("schema.wrong-type", message, "give numbers, truth values, datetime64 or text, NaN for a gap")
    stream = io.BytesIO()
    write_npz(stream, arrays)
    return _written(stream.getvalue(), folder, ".npz")


def _written(data: bytes, folder: Path, ending: str) -> Path:
    """The file of this content: written once, whatever it is called for."""
    path = folder / "data" / f"{hashlib.sha256(data).hexdigest()[:16]}{ending}"
    make_folder(path.parent)
    write_atomically(path, data, path.parent)
    return path
