"""From a bundle back to trust: who signed, whether the files are those, whether the verdict follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_public import PublicManifest
from synthspec.pipeline.contents import READ_BACK
from synthspec.pipeline.rejudging import contradictions
from synthspec.sign import (
    Refusal,
    Refusals,
    SigningKey,
    VerifiedStatement,
    config_dir,
    consistency,
    freshness,
    order,
    read_bundle,
    read_tree,
    state_dir,
    trusted_keys,
    verify_bundle,
)
from synthspec.sign.companions import COMPANIONS, disagreements
from synthspec.sign.names import BUNDLE, FULL, PUBLIC, Names
from synthspec.sign.refusal import Refused
from synthspec.sign.signing import approval
from synthspec.sign.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What could be shown of a manifest. `statement` is there when the signature holds, whatever else is wrong."""

    refusals: Refusals
    statement: VerifiedStatement | None = None
    files: int = 0
    """Signed files that were compared."""
    ordered: bool = False
    """Whether the release was held against what was seen of its stream: done for keys of the trust file."""
    marked: tuple[str, ...] = ()
    """Files that can be run: their modes are not signed."""
    exported: int | None = None
    """Exports that were written again and compared; None where nobody asked, or there is no plan to write them from."""

    @property
    def authentic(self) -> bool:
        return self.statement is not None and not self.refusals

    @property
    def passed(self) -> bool:
        """Authentic, and the gate is open."""
        return self.authentic and self.statement is not None and self.statement.manifest.verdict == "PASS"


def verify(path: Path, keys: tuple[Path, ...] = (), *, exports: bool = False) -> Verification:
    """Verify the bundle at `path` (or in the folder `path`) and the files beside it; trust `keys` beside one's own.

    Nothing is believed because it is written: digests are computed again, figures are judged again by the signed spec. With
    `exports` those of a restricted manifest are written again, too, and compared; a public one has no plan to write them from.
    """
    found = _verify(path, trusted_keys(config_dir(), keys), exports=exports)
    if found.statement is None or found.refusals or not any(entry.pinned for entry in found.statement.behind):
        return found
    release = found.statement.manifest.release
    return replace(found, refusals=order(release, found.statement.digest, state_dir()), ordered=True)


def verify_alone(path: Path, keys: tuple[Path, ...] = ()) -> Verification:
    """As `verify`, whatever was seen of the stream before: for an older release that somebody means to go back to."""
    return _verify(path, trusted_keys(config_dir(), keys))


def approve(path: Path, key: SigningKey) -> tuple[Refusals, Path | None]:
    """Add the signature of `key` to the approvals beside the bundle at `path`, which must verify but for their number."""
    policy = trusted_keys(config_dir())
    alone = replace(policy, threshold=1, thresholds=()) if isinstance(policy, Trust) else policy
    found = _verify(path, alone)
    if found.statement is None or found.refusals:
        return found.refusals, None
    bundle = bundle_in(path)
    names = PUBLIC if bundle.name == PUBLIC.bundle else FULL
    held = _approvals(bundle.parent, names)
    if not isinstance(held, bytes):
        return held, None
    try:
        line = approval(found.statement, key)
    except Refused as refused:
        return refused.refusals, None
    if line not in held.splitlines(keepends=True):
        from synthspec.store.atomic import write_atomically

        write_atomically(bundle.parent / names.approvals, held + line, bundle.parent, 0o644)
    return (), bundle.parent / names.approvals


def _verify(path: Path, trust: Trust | Refusals, *, exports: bool = False) -> Verification:
    bundle = bundle_in(path)
    if path.is_dir() and not (bundle.is_symlink() or bundle.exists()):
        message = "there is no signed manifest in this folder: name the folder of a run, or its manifest.sigstore.json"
        return Verification(refusals=(Refusal("IO", message, str(path)),))
    data = read_bundle(bundle)
    if not isinstance(data, bytes):
        return Verification(refusals=data)
    if not isinstance(trust, Trust):
        return Verification(refusals=trust)
    names = PUBLIC if bundle.name == PUBLIC.bundle else FULL
    approvals = _approvals(bundle.parent, names)
    if not isinstance(approvals, bytes):
        return Verification(refusals=approvals)
    statement = verify_bundle(data, trust, approvals)
    if not isinstance(statement, VerifiedStatement):
        return Verification(refusals=statement)
    manifest = statement.manifest
    again = exports and isinstance(manifest, Manifest)
    read = READ_BACK | COMPANIONS | (_exports() if again else frozenset())
    tree = read_tree(statement, bundle.parent, read, _beside(bundle.parent, names, trust))
    refusals = (*tree.refusals, *freshness(manifest, datetime.now(UTC)), *consistency(manifest))
    if not refusals and isinstance(manifest, Manifest):
        refusals = contradictions(manifest, statement.subjects, tree.content)
    if not refusals and isinstance(manifest, PublicManifest):
        # What a spec alone lets one say takes more than what a plan does: the way from one to the other.
        from synthspec.pipeline.public_claims import public_contradictions

        refusals = public_contradictions(manifest, statement.subjects, tree.content)
    if not refusals:
        refusals = disagreements(statement, tree.content)
    exported = None
    if not refusals and again:
        from synthspec.pipeline.reexporting import EXPORTS, misquoted

        refusals = misquoted(statement, tree.content, trust)
        exported = len(EXPORTS & tree.content.keys())
    return Verification(
        refusals=refusals,
        statement=statement,
        files=len(statement.subjects),
        marked=tree.marked,
        exported=exported,
    )


def _exports() -> frozenset[str]:
    """Files that are read where exports are compared: what writes them is loaded then, and not before."""
    from synthspec.pipeline.reexporting import COMPARED

    return COMPARED


def _beside(folder: Path, names: Names, trust: Trust) -> frozenset[str]:
    """What may lie beside the public files: in the house of the restricted manifest all that it signs for, else nothing."""
    if names == FULL or not (folder / BUNDLE).exists():
        return frozenset()
    data = read_bundle(folder / BUNDLE)
    held = _approvals(folder, FULL)
    alone = replace(trust, threshold=1, thresholds=())
    full = verify_bundle(data, alone, held) if isinstance(data, bytes) and isinstance(held, bytes) else None
    if not isinstance(full, VerifiedStatement):
        return frozenset()
    return frozenset({subject.name for subject in full.subjects} | {BUNDLE, FULL.approvals, FULL.readable})


def bundle_in(path: Path) -> Path:
    """The bundle meant by `path`: in a folder the full one, else the public one, where that alone was handed on."""
    if not path.is_dir():
        return path
    return path / (PUBLIC if (path / PUBLIC.bundle).exists() and not (path / BUNDLE).exists() else FULL).bundle


def _approvals(folder: Path, names: Names) -> bytes | Refusals:
    path = folder / names.approvals
    return read_bundle(path) if path.is_symlink() or path.exists() else b""
