"""Public keys: ECDSA P-256 and Ed25519, checked when they are read, known by the digest of their SPKI."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from synthspec.sign.refusal import refuse

Algorithm = Literal["ecdsa-p256-sha256", "ed25519"]

_P = 2**255 - 19
# The y of every point whose order divides 8 (RFC 7748 curve; orders 4, 1, 2, 8, 8). The sign bit of x does not matter.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _P - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key; two of them are the same key exactly when `spki` is the same."""

    spki: bytes = field(repr=False)
    """SubjectPublicKeyInfo, DER."""
    algorithm: Algorithm
    _key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey = field(repr=False, compare=False)

    @property
    def key_id(self) -> str:
        """base64(SHA-256(SPKI DER)), the hint of Sigstore bundles."""
        return base64.b64encode(hashlib.sha256(self.spki).digest()).decode()

    @property
    def pem(self) -> str:
        """SPKI as PEM, as it goes into a trust folder."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is by this key over `message`; the key alone decides which algorithm is meant.

        An ECDSA signature has two forms, (r, s) and (r, n - s); both verify, so a signature is never an identity.
        """
        try:
            if isinstance(self._key, ec.EllipticCurvePublicKey):
                self._key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            else:
                self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def public_key(key: object, where: str = "") -> PublicKey:
    """Take up a public key of the `cryptography` library.

    Raises:
        Refused: KEY_TYPE for anything but P-256 and Ed25519, WEAK_KEY for an Ed25519 point of small order or in a
            non-canonical encoding.

    """
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return PublicKey(spki, "ecdsa-p256-sha256", key)
        case ed25519.Ed25519PublicKey():
            _no_small_order(key.public_bytes(Encoding.Raw, PublicFormat.Raw), where)
            return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "ed25519", key)
        case _:
            raise refuse("KEY_TYPE", "only ECDSA P-256 and Ed25519 keys are supported", where)


def read_public(data: bytes, where: str = "") -> PublicKey:
    """Read SPKI PEM or an OpenSSH public key line.

    Raises:
        Refused: KEY_FORMAT, and as `public_key`.

    """
    if data.count(b"-----BEGIN") > 1:
        raise refuse("KEY_FORMAT", "it holds more than one key or certificate; give each a file of its own", where)
    load = load_pem_public_key if data.lstrip().startswith(b"-----BEGIN") else load_ssh_public_key
    try:
        key = load(data)
    except UnsupportedAlgorithm:
        raise refuse("KEY_TYPE", "a key of this type is not supported", where) from None
    except ValueError:
        raise refuse("KEY_FORMAT", "not a public key in PEM (SPKI) or OpenSSH form", where) from None
    return public_key(key, where)


def _no_small_order(raw: bytes, where: str) -> None:
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P or y in _SMALL_ORDER_Y:
        raise refuse("WEAK_KEY", "this Ed25519 key accepts one signature for every message", where)
