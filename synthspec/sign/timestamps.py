"""RFC 3161 time stamps over a signature: what a trusted clock shows is that the signature is not younger than the stamp.

A stamp is made elsewhere, by whoever keeps the clock; nothing here speaks to a network. `rfc3161-client` is loaded only
where there is a stamp to read or a request to write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING

from synthspec.sign.refusal import refuse

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

_GRANTED = 0
_HASHES = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}
"""The hashes that a stamp may be made over, by object identifier."""


def read_roots(pem: str, where: str) -> tuple[Certificate, ...]:
    """The certificates in `pem`, whose owners are believed about the time; none in an empty text.

    Raises:
        Refused: TRUST_POLICY when it is not a row of certificates.

    """
    if not pem.strip():
        return ()
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return tuple(dict.fromkeys(load_pem_x509_certificates(pem.encode())))
    except ValueError as error:
        raise refuse("TRUST_POLICY", f"these are no certificates in PEM: {error}", where) from None


def roots_pem(roots: Iterable[Certificate]) -> str:
    """`roots` as the trust file holds them: nothing but the certificates."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(root.public_bytes(Encoding.PEM).decode() for root in roots)


def request(signature: bytes) -> bytes:
    """A request (DER) to stamp the SHA-256 of `signature`, with a nonce, that asks for the certificate of the clock.

    Raises:
        Refused: IO where `rfc3161-client` is not installed.

    """
    client = _client()
    builder = client.TimestampRequestBuilder(data=signature, hash_algorithm=client.HashAlgorithm.SHA256)
    return bytes(builder.build().as_bytes())


def stamped_at(token: bytes, signature: bytes, roots: Sequence[Certificate], answers: bytes = b"") -> datetime:
    """The instant after which `signature` was not made, by the reply `token` (DER) of a clock below one of `roots`.

    The accuracy that the clock states is added to its time. The certificates have to hold at that time, not today.
    Without `roots` only what the token says is read, and its time is nobody's word. `answers` is the request that it must
    answer, where that is at hand.

    Raises:
        Refused: TIMESTAMP_MISMATCH when it stamps something else; TIMESTAMP_UNTRUSTED when it cannot be read, was not
            granted, answers another request, or no root stands behind it; IO where `rfc3161-client` is not installed.

    """
    reply = _reply(token)
    imprint = reply.tst_info.message_imprint
    made = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if made is None:
        raise refuse("TIMESTAMP_UNTRUSTED", "the time stamp is over a weak or unknown hash")
    if imprint.message != made(signature).digest():
        raise refuse("TIMESTAMP_MISMATCH", "the time stamp is of another signature")
    if answers and reply.tst_info.nonce != _nonce(answers):
        raise refuse("TIMESTAMP_UNTRUSTED", "the time stamp answers another request: their nonces differ")
    if roots:
        _believe(reply, signature, roots)
    return _latest(reply)


def earliest(tokens: Iterable[bytes], signature: bytes, roots: Sequence[Certificate]) -> datetime | None:
    """The earliest of the instants that `tokens` prove of `signature`; every one must hold, and none is read without roots.

    Raises:
        Refused: as `stamped_at`.

    """
    return min((stamped_at(token, signature, roots) for token in tokens), default=None) if roots else None


def _client() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError:
        message = "reading time stamps needs rfc3161-client; install it with: pip install 'synthspec[timestamps]'"
        raise refuse("IO", message) from None
    return rfc3161_client


def _reply(token: bytes) -> TimeStampResponse:
    client = _client()
    try:
        reply: TimeStampResponse = client.decode_timestamp_response(token)
        granted = reply.status == _GRANTED
        _ = reply.tst_info.gen_time
    except Exception:  # noqa: BLE001 - the library promises no class of error
        raise refuse("TIMESTAMP_UNTRUSTED", "the time stamp is not a reply as RFC 3161 has it") from None
    if not granted:
        raise refuse("TIMESTAMP_UNTRUSTED", "the clock did not grant this time stamp")
    return reply


def _nonce(answers: bytes) -> int | None:
    _client()
    from rfc3161_client._rust import parse_timestamp_request

    try:
        nonce: int | None = parse_timestamp_request(answers).nonce
    except ValueError:
        raise refuse("TIMESTAMP_UNTRUSTED", "the request is none as RFC 3161 has it") from None
    return nonce


def _believe(reply: TimeStampResponse, signature: bytes, roots: Sequence[Certificate]) -> None:
    client = _client()
    verifier = client.VerifierBuilder(roots=list(roots)).build()
    try:
        held = verifier.verify_message(reply, signature)
    except Exception:  # noqa: BLE001 - whatever goes wrong, it was not shown
        message = "no trusted root stands behind the time stamp, or a certificate below it did not hold at its time"
        raise refuse("TIMESTAMP_UNTRUSTED", message) from None
    if held is not True:
        raise refuse("TIMESTAMP_UNTRUSTED", "no trusted root stands behind the time stamp")


def _latest(reply: TimeStampResponse) -> datetime:
    accuracy = reply.tst_info.accuracy
    margin = timedelta()
    if accuracy is not None:
        margin = timedelta(
            seconds=accuracy.seconds or 0, milliseconds=accuracy.millis or 0, microseconds=accuracy.micros or 0
        )
    return reply.tst_info.gen_time + margin
