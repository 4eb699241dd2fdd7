"""A run in the words of other tools: Croissant, CycloneDX ML-BOM and RO-Crate, each written from the same facts.

The forms are plain JSON, and the libraries that write them bring pandas, rdflib or a web client along without writing what is
needed here (none of them has model cards and fixed bytes), so that they serve as oracles of the tests alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from synthspec.exports.croissant import croissant
from synthspec.exports.facts import Facts, File
from synthspec.exports.ml_bom import ml_bom
from synthspec.exports.ro_crate import ro_crate
from synthspec.ir.canonical import Json
from synthspec.spec.sampling import ExportName

FILES: Mapping[ExportName, str] = {
    "croissant": "croissant.json",
    "ml_bom": "model.cdx.json",
    "ro_crate": "ro-crate-metadata.json",
}
"""The file of each form; the last is a name that RO-Crate fixes, and what it speaks of lies beside it."""

WRITERS: Mapping[ExportName, Callable[[Facts], Json]] = {"croissant": croissant, "ml_bom": ml_bom, "ro_crate": ro_crate}

__all__ = ["FILES", "WRITERS", "Facts", "File"]
