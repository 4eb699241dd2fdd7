"""The manifest: what is signed about a run, in the key tree of App C with the `deep` group of Chapter 5.

It is the predicate of the in-toto statement. The bytes are RFC 8785 (`canonical_bytes`); the JSON Schema is generated
from these models. `schemaVersion` follows semantic versioning: another major version is refused, never guessed at.
"""

import json
from typing import Annotated, Literal

from pydantic import Field

from synthspec.ir.manifest_base import Group
from synthspec.ir.manifest_engine import Dataset, Deep, EngineRef, Generation, PrivacyGroup, Runtime
from synthspec.ir.manifest_evidence import ContractEntry, GateEntry, Metric, Verdict
from synthspec.ir.manifest_origin import (
    DagNode,
    Dependency,
    Environment,
    Override,
    PlanRef,
    Randomness,
    Release,
    SigningKeyRef,
    SignProfile,
    SpecRef,
    Trace,
    WaiverEntry,
)

SCHEMA_VERSION = "1.0.0"
SemVer = Annotated[str, Field(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$")]


class Manifest(Group):
    """``manifest.synth`` of one run. The verdict comes first; a FAIL is signed as faithfully as a PASS."""

    verdict: Verdict
    gate: GateEntry
    disclosure: Literal["restricted"] | None = None
    """Under a mechanism: this one stays in the house, and the public manifest goes out."""
    schema_version: Annotated[str, Field(alias="schemaVersion", pattern=r"^1\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")]
    version: SemVer
    """Version of the engine that the spec declares."""
    trace: Trace
    release: Release
    spec: SpecRef
    ir: PlanRef
    dataset: Dataset
    engine: EngineRef
    generation: Generation
    deep: Deep
    metrics: tuple[Metric, ...]
    contracts: tuple[ContractEntry, ...]
    privacy: PrivacyGroup
    runtime: Runtime
    randomness: Randomness
    environment: Environment
    dag: tuple[DagNode, ...]
    dependencies: tuple[Dependency, ...]
    overrides: tuple[Override, ...]
    waivers: tuple[WaiverEntry, ...]
    key: SigningKeyRef
    sign: SignProfile


def readable(manifest: Group) -> bytes:
    """The same content for people: indented, in the order of the model, so that the verdict is the first field."""
    return (json.dumps(manifest.canonical(), indent=2, ensure_ascii=False) + "\n").encode()
