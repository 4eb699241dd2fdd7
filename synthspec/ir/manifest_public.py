"""The public manifest of a run under a mechanism: verdicts, DP outputs and public constants, and nothing else (P405-4).

What was measured on private records is a disclosure of them, whatever the training spent: no figure, no count of records,
no digest of anything private, no path of training is in here. The full manifest, marked restricted, has them.
"""

from typing import Annotated, Literal

from pydantic import Field

from synthspec.ir.manifest import SemVer
from synthspec.ir.manifest_base import Count, Digest, Group, Real, Sha256
from synthspec.ir.manifest_engine import Architecture, DpSpend, EngineRef, Generation, ObjectiveRef
from synthspec.ir.manifest_evidence import GateEntry, Verdict
from synthspec.ir.manifest_origin import Randomness, Release, SigningKeyRef, SignProfile, WaiverEntry
from synthspec.ir.verdict import ContractId, ContractSeverity, JudgedAt, Relation, Result


class PublicBound(Group):
    """One inequality of a contract and what became of it; not by how much."""

    metric: str
    relation: Relation
    limit: Real
    unit: str
    at: JudgedAt
    symbol: str
    result: Result


class PublicContract(Group):
    """One of C40-511..519, as its verdict alone."""

    id: ContractId
    name: str
    expr: str
    severity: ContractSeverity
    result: Result
    bounds: tuple[PublicBound, ...]
    tol_source: str


class PublicData(Group):
    """The data by name. `commitment` binds to them without telling anything: its salt is in the restricted manifest."""

    name: str
    modality: Literal["tabular", "image", "text", "audio", "graph", "timeseries", "video"]
    SRef: str
    n_real: Count | None = None
    """Only where the spec says that the number of records is public."""
    n_syn: Count
    commitment: Sha256


class PublicPrivacy(Group):
    """The guarantee: in figures, and in words."""

    mechanism: Literal["dp-sgd", "pate", "dp-noise"]
    dp: DpSpend
    statement: str


class PublicDeep(Group):
    """What was trained: DP outputs and the plan's own constants."""

    family: Literal["vae", "gan", "flow", "diffusion"]
    architecture: Architecture
    objective: ObjectiveRef
    weights: tuple[Digest, ...]


class PublicManifest(Group):
    """``manifest.synth`` for everybody. The verdict comes first."""

    verdict: Verdict
    gate: GateEntry
    disclosure: Literal["public"]
    schema_version: Annotated[str, Field(alias="schemaVersion", pattern=r"^1\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")]
    version: SemVer
    release: Release
    dataset: PublicData
    engine: EngineRef
    generation: Generation
    deep: PublicDeep
    contracts: tuple[PublicContract, ...]
    privacy: PublicPrivacy
    randomness: Randomness
    waivers: tuple[WaiverEntry, ...]
    key: SigningKeyRef
    sign: SignProfile
