"""Where a run came from: release, spec, plan, what ran, on what, and from which seeds (P405-8)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from synthspec.ir.manifest_base import Artifact, Count, Digest, Exact, FileName, Group, Scalar, Sha256, Timestamp


class Trace(Group):
    """App C `trace`: who can be asked about this run."""

    TraceID: str
    build: str
    """Version of the compiler that ran."""
    commit: str | None = None
    timestamp: Timestamp


class Release(Group):
    """Place in a stream of releases; a verifier that remembers `sequence` notices a rollback."""

    stream: str
    sequence: Annotated[Count, Field(ge=1)]
    previous: Digest | None = None
    """SHA-256 of the payload of the release before this one."""
    created_at: Timestamp = Field(alias="createdAt")
    expires_at: Timestamp | None = Field(alias="expiresAt", default=None)


class SpecRef(Group):
    """The spec as a file, and as content that no layout changes."""

    name: FileName
    digest: Digest
    canonical_digest: Sha256 = Field(alias="canonicalDigest")


class Compiler(Group):
    """The program that made the plan."""

    name: str
    version: str
    digest: Digest | None = None


class PlanRef(Group):
    """The plan that ran, and what made it."""

    digest: Digest
    compiler: Compiler


class DagNode(Group):
    """One node of the plan: its content key, what went in, what came out, and whether it was found in the store."""

    node: str
    op: str
    op_version: str = Field(alias="opVersion")
    key: Sha256
    inputs: tuple[Artifact, ...]
    outputs: tuple[Artifact, ...]
    reused: bool


class Dependency(Group):
    """Something the run read and did not make: reference data, a feature extractor."""

    name: str
    digest: Digest
    annotations: Mapping[str, str] | None = None


class Code(Group):
    """The code that ran: a commit where it came from a checkout, and whether that was edited."""

    version: str
    commit: str | None = None
    dirty: bool | None = None
    digest: Digest | None = None


class BackendRef(Group):
    """The backend that ran and the facts that its numbers depend on (capability level, BLAS, determinism flags)."""

    name: str
    version: str
    facts: Mapping[str, Scalar]


class Environment(Group):
    """Everything that a seed alone does not fix: `replay` compares it fact by fact."""

    python: str
    implementation: str
    os: str
    kernel: str
    machine: str
    libc: str | None = None
    cpu: Mapping[str, Scalar]
    accelerators: tuple[Mapping[str, Scalar], ...]
    threads: Mapping[str, Count]
    variables: Mapping[str, str]
    """Environment variables that change numbers (``OMP_*``, ``MKL_*``, ``ATEN_CPU_CAPABILITY``); never any other."""
    packages: Mapping[str, str]
    """Installed distributions by name, with their versions."""
    backend: BackendRef
    code: Code
    timezone: str | None = None
    locale: str | None = None


class Randomness(Group):
    """P405-8: every public seed; of a secret one only a salted commitment."""

    seeds: Mapping[str, Exact]
    commitments: Mapping[str, Sha256] | None = None
    rng: str
    solver: str | None = None
    NFE: Count | None = None


class Override(Group):
    """One ``--set path=value`` of the command line, as it was typed."""

    path: str
    value: str


class WaiverEntry(Group):
    """An accepted exception. It explains a result and never turns it into another one."""

    id: str
    reason: str
    approver: str
    expires: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class SigningKeyRef(Group):
    """Which key signed. A development key proves that nothing changed since, not who made it."""

    kind: Literal["development", "user"]
    key_id: str
    """base64(SHA-256(SPKI DER))."""


class SignProfile(Group):
    """App C `sign`: what the signature is over and how it was made. Leaf names are ours: the source breaks off here."""

    alg: Literal["ecdsa-p256-sha256", "ed25519"]
    hash: Literal["sha256"]
    envelope: Literal["DSSEv1"]
