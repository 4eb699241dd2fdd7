"""Verify a bundle: the signature before the content, the content before the files, and never an exception.

``verify_bundle`` -> who signed what; ``verify_tree`` -> the files are those; ``consistency`` -> the verdict follows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from synthspec.ir.manifest_public import PublicManifest
from synthspec.sign.bundle import PAYLOAD_TYPE, Bundle, read_bundle_bytes
from synthspec.sign.claims import consistency
from synthspec.sign.names import FULL, PUBLIC
from synthspec.sign.pae import pae
from synthspec.sign.public_key import PublicKey
from synthspec.sign.refusal import Refusals, Refused, refuse, settled
from synthspec.sign.statement import AnyManifest, Subject, read_statement
from synthspec.sign.timestamps import earliest
from synthspec.sign.tree import Tree, check_tree
from synthspec.sign.trust import Trust, TrustedKey


@dataclass(frozen=True, slots=True)
class VerifiedStatement:
    """What a trusted key signed. Only `verify_bundle` makes one."""

    manifest: AnyManifest
    subjects: tuple[Subject, ...]
    key: PublicKey
    """The key that the manifest names."""
    behind: tuple[TrustedKey, ...]
    """Everybody trusted who signed it, as the policy knows them."""
    stamped: datetime | None = None
    """The instant by which `key` had signed, where a trusted clock says so."""
    unread: int = 0
    """Time stamps that were not read, because no clock is trusted. They prove nothing then, nor do they harm."""
    payload: bytes = field(repr=False, kw_only=True)
    predicate: bytes = field(repr=False, kw_only=True)
    """The canonical JSON of the manifest, a part of the payload."""

    @property
    def digest(self) -> str:
        """SHA-256 of the payload: the identity of the manifest (signature bytes are none, they have two forms)."""
        return hashlib.sha256(self.payload).hexdigest()


def verify_bundle(data: bytes, trusted: Trust, approvals: bytes = b"") -> VerifiedStatement | Refusals:
    """Who signed what, or every reason to refuse `data`. Nothing of the payload is read before its signature holds.

    `approvals` are further bundles over the same payload, one a line: each must hold, and each distinct key counts.
    """
    return settled(lambda: _verify(data, trusted, approvals))


def verify_tree(statement: VerifiedStatement, folder: Path) -> Refusals:
    """Everything in `folder` that is not as it was signed; empty when all is."""
    return read_tree(statement, folder).refusals


def read_tree(
    statement: VerifiedStatement, folder: Path, keep: Collection[str] = (), beside: Collection[str] = ()
) -> Tree:
    """As `verify_tree`, with the content of the files in `keep`: the bytes that were hashed. Those `beside` may be there."""
    names = PUBLIC if isinstance(statement.manifest, PublicManifest) else FULL
    found = settled(lambda: check_tree(statement.subjects, statement.predicate, folder, keep, names, beside))
    return found if isinstance(found, Tree) else Tree(found, {}, ())


def _verify(data: bytes, trusted: Trust, approvals: bytes) -> VerifiedStatement:
    bundle = read_bundle_bytes(data)
    key = _signer(bundle, trusted)
    signers = {key: earliest(bundle.stamps, bundle.signature, trusted.roots)}
    unread = 0 if trusted.roots else len(bundle.stamps)
    for number, line in enumerate(approvals.splitlines(), 1):
        other, also = _approval(line, f"line {number} of the approvals", bundle.payload, trusted)
        proofs = (signers.get(also), earliest(other.stamps, other.signature, trusted.roots))
        signers[also] = min((each for each in proofs if each is not None), default=None)
        unread += 0 if trusted.roots else len(other.stamps)
    statement = read_statement(bundle.payload)
    manifest = statement.manifest
    if manifest.key.key_id != key.key_id or manifest.sign.alg != key.algorithm:
        raise refuse("KEY_HINT", "the manifest says that another key signed it", "/predicate/key")
    created = datetime.fromisoformat(manifest.release.created_at)
    behind = trusted.require(signers, manifest.release.stream, created)
    return VerifiedStatement(
        manifest,
        statement.subjects,
        key,
        behind,
        signers[key],
        unread,
        payload=bundle.payload,
        predicate=statement.predicate,
    )


def _approval(line: bytes, where: str, payload: bytes, trusted: Trust) -> tuple[Bundle, PublicKey]:
    """A further signature and its key. One of a stranger is refused as well, and `where` tells whose the fault is."""
    try:
        other = read_bundle_bytes(line)
        if other.payload != payload:
            raise refuse("SIGNATURE", "this approval is of another manifest")
        return other, _signer(other, trusted)
    except Refused as refused:
        raise Refused(replace(each, where=f"{where} {each.where}".rstrip()) for each in refused.refusals) from None


def _signer(bundle: Bundle, trusted: Trust) -> PublicKey:
    if not trusted.keys or trusted.threshold < 1:
        raise refuse("TRUST_POLICY", "no key is trusted")
    message = pae(PAYLOAD_TYPE, bundle.payload)
    # Every trusted key is tried: a hint chooses nothing, it may only be wrong.
    signers = [key for key in trusted.keys if key.verifies(message, bundle.signature)]
    if not signers:
        raise refuse("SIGNATURE", "no trusted key made this signature over this content")
    key = signers[0]
    if any(hint not in ("", key.key_id) for hint in bundle.hints):
        raise refuse("KEY_HINT", f"signed by the key {key.key_id}, but the bundle points to another")
    return key


__all__ = ["VerifiedStatement", "consistency", "read_tree", "verify_bundle", "verify_tree"]
