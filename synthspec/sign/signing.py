"""Sign a manifest: statement, pre-authentication encoding, one deterministic signature, one bundle."""

from __future__ import annotations

from collections.abc import Sequence

from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_origin import SigningKeyRef, SignProfile
from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes
from synthspec.sign.keys import SigningKey
from synthspec.sign.pae import pae
from synthspec.sign.statement import Subject, statement_bytes
from synthspec.sign.trust import Trust
from synthspec.sign.verify import VerifiedStatement, verify_bundle


def key_ref(key: SigningKey) -> SigningKeyRef:
    """The manifest's `key` for what `key` will sign."""
    return SigningKeyRef(kind=key.kind, key_id=key.key_id)


def sign_profile(key: SigningKey) -> SignProfile:
    """The manifest's `sign` for what `key` will sign."""
    return SignProfile(alg=key.public.algorithm, hash="sha256", envelope="DSSEv1")


def sign(manifest: Manifest, subjects: Sequence[Subject], key: SigningKey) -> bytes:
    """The bundle over `manifest` and the files it covers. The same inputs give the same bytes.

    Raises:
        ValueError: what would be signed does not verify: a subject with a bad or repeated name, none or too many
            subjects, a manifest that names another key. Nothing is signed that this program would refuse.

    """
    payload = statement_bytes(manifest, subjects)
    bundle = bundle_bytes(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.key_id)
    answer = verify_bundle(bundle, Trust((key.public,)))
    if isinstance(answer, VerifiedStatement):
        return bundle
    raise ValueError("not signed: " + "; ".join(f"{each.code} {each.where}: {each.message}" for each in answer))
