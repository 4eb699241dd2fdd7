"""What an export may say of a run. Under a mechanism these are public facts alone: who makes them sees to that (P405-4)."""

from __future__ import annotations

import mimetypes
import uuid
from dataclasses import dataclass, field

from synthspec.ir.canonical import digest
from synthspec.ir.schema import Schema

RESULTS = ("weights/", "samples.")
_OPEN = frozenset(
    {
        "Apache-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-2.0",
        "MIT", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0",
    }
)  # fmt: skip
"""Licences that are given to data, and have a page of their own at spdx.org."""
_FORMATS = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonlines",
    "npz": "application/x-npz",
    "parquet": "application/x-parquet",
    "safetensors": "application/x-safetensors",
    "sig": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "yaml": "application/yaml",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file of the run that may be handed on with the export: name, lower-case hex SHA-256, size in bytes."""

    name: str
    sha256: str
    size: int

    @property
    def format(self) -> str:
        """Its media type, by the ending of the name."""
        ending = self.name.rpartition(".")[2]
        return _FORMATS.get(ending) or mimetypes.types_map.get(f".{ending}", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure, as text: what is measured, its value, unit, bounds, and on which split."""

    label: str
    value: str
    unit: str
    lower: str = ""
    upper: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One contract and what became of it."""

    id: str
    expr: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A run, as far as it may be told to whom its files are given."""

    name: str
    version: str
    stream: str
    created: str
    """RFC 3339, in UTC: that of the manifest."""
    verdict: str
    plan: str = ""
    """Digest of the plan; empty under a mechanism, where it covers more than is public."""
    compiler: str = ""
    """Version of this program, where it may be told."""
    licence: str = ""
    owner: str = ""
    purpose: str = ""
    """What the spec says of itself."""
    schema: Schema
    schema_name: str
    records: int
    """Of the samples."""
    family: str
    architecture: str
    parameters: int | None
    """Trainable numbers of the network."""
    objective: str
    equation: str
    source: str
    """What the engine was trained on, as the spec names it."""
    source_sha256: str = ""
    commitment: str = ""
    """Under a mechanism, in place of a digest of the data."""
    privacy: str = ""
    """What a mechanism guarantees, in words."""
    eps: str = ""
    delta: str = ""
    files: tuple[File, ...]
    metrics: tuple[Measured, ...] = ()
    contracts: tuple[Judged, ...] = ()
    packages: tuple[tuple[str, str], ...] = field(default=())

    @property
    def serial(self) -> uuid.UUID:
        """The same for the same results of one release, and for no others."""
        made = sorted((each.name, each.sha256) for each in self.files if each.name.startswith(RESULTS))
        whole = digest("synthspec.export.v1", [self.stream, self.version, made])
        return uuid.uuid5(uuid.NAMESPACE_URL, f"https://synthspec.dev/releases/{whole}")

    @property
    def licence_url(self) -> str:
        """The page of the licence: itself where it is one, at spdx.org where that is known; else empty."""
        if self.licence.startswith(("https://", "http://")):
            return self.licence
        return f"https://spdx.org/licenses/{self.licence}.html" if self.licence in _OPEN else ""

    @property
    def description(self) -> str:
        """One paragraph in plain words; the first sentence says that the records are synthetic."""
        made = (
            f"{self.records} synthetic records of {self.schema_name} ({self.schema.modality}), drawn from a {self.family} "
            f"({self.architecture}, {self.objective}, {self.equation}) that was trained on {self.source}."
        )
        gate = f"The publication gate of the run says {self.verdict}."
        return " ".join(filter(None, (made, self.purpose, gate, self.privacy)))

    def made(self, prefix: str) -> tuple[File, ...]:
        """The files whose names start so, by name."""
        return tuple(sorted((each for each in self.files if each.name.startswith(prefix)), key=lambda each: each.name))
