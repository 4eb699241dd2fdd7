"""Sign a manifest: statement, pre-authentication encoding, one deterministic signature, one bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from synthspec.ir.manifest_origin import SigningKeyRef, SignProfile
from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes
from synthspec.sign.keys import SigningKey
from synthspec.sign.pae import pae
from synthspec.sign.statement import AnyManifest, Subject, statement_bytes
from synthspec.sign.trust import Trust, TrustedKey
from synthspec.sign.verify import VerifiedStatement, verify_bundle


def key_ref(key: SigningKey) -> SigningKeyRef:
    """The manifest's `key` for what `key` will sign."""
    return SigningKeyRef(kind=key.kind, key_id=key.key_id)


def sign_profile(key: SigningKey) -> SignProfile:
    """The manifest's `sign` for what `key` will sign."""
    return SignProfile(alg=key.public.algorithm, hash="sha256", envelope="DSSEv1")


def sign(manifest: AnyManifest, subjects: Sequence[Subject], key: SigningKey) -> bytes:
    """The bundle over `manifest` and the files it covers. The same inputs give the same bytes.

    Raises:
        ValueError: what would be signed does not verify: a subject with a bad or repeated name, none or too many
            subjects, a manifest that names another key. Nothing is signed that this program would refuse.

    """
    payload = statement_bytes(manifest, subjects)
    bundle = bundle_bytes(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.key_id)
    answer = verify_bundle(bundle, Trust((TrustedKey(key.public),)))
    if isinstance(answer, VerifiedStatement):
        return bundle
    raise ValueError("not signed: " + "; ".join(f"{each.code} {each.where}: {each.message}" for each in answer))


def payload_digest(manifest: AnyManifest, subjects: Sequence[Subject]) -> str:
    """SHA-256 of what `sign` signs: the identity of the manifest."""
    return hashlib.sha256(statement_bytes(manifest, subjects)).hexdigest()


def approval(statement: VerifiedStatement, key: SigningKey) -> bytes:
    """One more bundle over what `statement` holds, signed with `key`, as a line for the approvals."""
    return bundle_bytes(statement.payload, key.sign(pae(PAYLOAD_TYPE, statement.payload)), key.key_id) + b"\n"
