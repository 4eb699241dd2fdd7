"""From a bundle back to trust: who signed, whether the files are those, whether the verdict follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from synthspec.pipeline.rejudging import contradictions
from synthspec.sign import (
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

    Nothing is believed because it is written: digests are computed again, figures are judged again by the signed spec.
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
        refusals = tuple(contradictions(manifest, statement.subjects, bundle.parent))
    return Verification(refusals=refusals, statement=statement, files=len(statement.subjects))
