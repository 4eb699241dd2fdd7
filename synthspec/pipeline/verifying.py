"""From a bundle back to trust: who signed, whether the files are those, whether the verdict follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from synthspec.ir.evidence import Evidence
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_evidence import from_evidence, from_verdicts
from synthspec.ir.plan import Plan, read_plan, spec_digest
from synthspec.judge import judge
from synthspec.pipeline.running import promises_of
from synthspec.sign import (
    Refusal,
    Refusals,
    VerifiedStatement,
    config_dir,
    consistency,
    freshness,
    read_bundle,
    trusted_keys,
    verify_bundle,
    verify_tree,
)
from synthspec.sign.names import BUNDLE
from synthspec.sign.trust import Trust

EVIDENCE_FILE = "evidence.json"
PLAN_FILE = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What could be shown of a manifest. `statement` is there when the signature holds, whatever else is wrong."""

    refusals: Refusals
    statement: VerifiedStatement | None = None
    files: int = 0
    """Signed files that were compared."""

    @property
    def authentic(self) -> bool:
        return self.statement is not None and not self.refusals

    @property
    def passed(self) -> bool:
        """Authentic, and the gate is open."""
        return self.authentic and self.statement is not None and self.statement.manifest.verdict == "PASS"


def verify(path: Path, keys: tuple[Path, ...] = ()) -> Verification:
    """Verify the bundle at `path` (or in the folder `path`) and the files beside it; trust `keys` beside one's own.

    Nothing is believed because it is written: digests are computed again, figures are judged again by the signed plan.
    """
    bundle = path / BUNDLE if path.is_dir() else path
    data = read_bundle(bundle)
    if not isinstance(data, bytes):
        return Verification(refusals=data)
    trust = trusted_keys(config_dir(), keys)
    if not isinstance(trust, Trust):
        return Verification(refusals=trust)
    statement = verify_bundle(data, trust)
    if not isinstance(statement, VerifiedStatement):
        return Verification(refusals=statement)
    manifest = statement.manifest
    refusals = (
        *verify_tree(statement, bundle.parent),
        *freshness(manifest, datetime.now(UTC)),
        *consistency(manifest),
    )
    if not refusals:
        refusals = tuple(_follows(manifest, bundle.parent))
    return Verification(refusals=refusals, statement=statement, files=len(statement.subjects))


def _follows(manifest: Manifest, folder: Path) -> Iterator[Refusal]:
    """Whether the manifest says what its plan and its evidence say; the files were hashed before."""
    try:
        plan = read_plan((folder / PLAN_FILE).read_bytes())
        found = _evidence(folder / EVIDENCE_FILE)
    except FileNotFoundError as error:
        yield Refusal("EVIDENCE_MISSING", "the plan or the evidence is not among the signed files", str(error.filename))
        return
    except (OSError, ValidationError, ValueError) as error:
        yield Refusal("SCHEMA", f"the plan or the evidence cannot be read: {type(error).__name__}", str(folder))
        return
    for holds, message, where in _claims(manifest, plan, found):
        if not holds():
            yield Refusal("VERDICT_INCONSISTENT", message, where)


def _claims(manifest: Manifest, plan: Plan, found: Evidence) -> list[tuple[Callable[[], bool], str, str]]:
    verdicts = judge(promises_of(plan), found)
    return [
        (lambda: plan.digest == manifest.ir.digest.sha256, "it names another plan than plan.json", "/ir"),
        (
            lambda: spec_digest(plan.spec, plan.sref) == plan.spec_digest == manifest.spec.canonical_digest,
            "the plan was made from another spec than the manifest names",
            "/spec",
        ),
        (lambda: from_evidence(found) == manifest.metrics, "its metrics are not those of evidence.json", "/metrics"),
        (
            lambda: from_verdicts(verdicts, EVIDENCE_FILE) == manifest.contracts,
            "judged again by the plan's limits, the evidence gives other results",
            "/contracts",
        ),
    ]


def _evidence(path: Path) -> Evidence:
    return TypeAdapter(Evidence).validate_json(path.read_bytes())
