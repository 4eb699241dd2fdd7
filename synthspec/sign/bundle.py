"""The file: a Sigstore bundle v0.3 with one DSSE signature and a hint of the key that made it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from synthspec.ir.canonical import Json, canonical_bytes
from synthspec.sign.names import FULL, PUBLIC
from synthspec.sign.refusal import refuse
from synthspec.sign.strict_json import decode_base64, load

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STAMPS = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps"
_MAX_STAMPS = 8


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the file says, nothing of it believed yet. The hints are empty where the file has none."""

    payload: bytes
    signature: bytes
    hints: tuple[str, ...]
    stamps: tuple[bytes, ...] = ()
    """RFC 3161 replies over the signature, in DER."""


def bundle_bytes(payload: bytes, signature: bytes, key_id: str) -> bytes:
    """Write the bundle, in canonical JSON, so that the same inputs give the same bytes."""
    return canonical_bytes(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": key_id}},
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": key_id}],
            },
        }
    )


def read_bundle_bytes(data: bytes) -> Bundle:
    """Take the file apart.

    Raises:
        Refused: what `strict_json.load` refuses; another media or payload type; no signature or more than one; unknown
            or missing fields; base64 that is not canonical.

    """
    read = load(data, "the bundle")
    if isinstance(read, dict) and {"schemaVersion", "verdict", "release"} <= read.keys():
        names = PUBLIC if read.get("disclosure") == "public" else FULL
        message = (
            f"this is the readable copy of a manifest, which nobody signed: verify {names.bundle}, which lies beside it"
        )
        raise refuse("SCHEMA", message)
    if isinstance(read, dict) and not {"mediaType", "dsseEnvelope"} & read.keys():
        raise refuse("SCHEMA", f"it is no signed bundle: the one of a run is its {FULL.bundle}")
    whole = _fields(read, "", ("mediaType", "verificationMaterial", "dsseEnvelope"))
    if whole["mediaType"] != MEDIA_TYPE:
        raise refuse("MEDIA_TYPE", f"the bundle is not an {MEDIA_TYPE}", "/mediaType")
    material = _fields(
        whole["verificationMaterial"], "/verificationMaterial", ("publicKey",), ("timestampVerificationData",)
    )
    hinted = _fields(material["publicKey"], "/verificationMaterial/publicKey", (), ("hint",))
    envelope = _fields(whole["dsseEnvelope"], "/dsseEnvelope", ("payload", "payloadType", "signatures"))
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise refuse("PAYLOAD_TYPE", f"the payload is not said to be {PAYLOAD_TYPE}", "/dsseEnvelope/payloadType")
    signed = _fields(_only(envelope["signatures"]), "/dsseEnvelope/signatures/0", ("sig",), ("keyid",))
    return Bundle(
        payload=decode_base64(envelope["payload"], "the payload"),
        signature=decode_base64(signed["sig"], "the signature"),
        hints=(_hint(hinted.get("hint"), "hint"), _hint(signed.get("keyid"), "keyid")),
        stamps=_stamps(material),
    )


def stamped(data: bytes, token: bytes) -> bytes:
    """The bundle `data` with the RFC 3161 reply `token` in it, as other tools look for it; as it is when it is there.

    Raises:
        Refused: as `read_bundle_bytes`; SCHEMA when it has as many as are read.

    """
    held = read_bundle_bytes(data).stamps
    if token in held:
        return data
    if len(held) >= _MAX_STAMPS:
        raise refuse("SCHEMA", f"it has {len(held)} time stamps already; no more are read", _STAMPS)
    whole = _object(load(data, "the bundle"), "/")
    stamps: list[Json] = [{"signedTimestamp": base64.b64encode(each).decode()} for each in (*held, token)]
    material = {
        **_object(whole["verificationMaterial"], "/verificationMaterial"),
        "timestampVerificationData": {"rfc3161Timestamps": stamps},
    }
    return canonical_bytes({**whole, "verificationMaterial": material})


def _stamps(material: dict[str, Json]) -> tuple[bytes, ...]:
    if "timestampVerificationData" not in material:
        return ()
    held = _fields(
        material["timestampVerificationData"],
        "/verificationMaterial/timestampVerificationData",
        ("rfc3161Timestamps",),
    )["rfc3161Timestamps"]
    if not isinstance(held, list) or not 1 <= len(held) <= _MAX_STAMPS:
        raise refuse("SCHEMA", f"not a list of 1 to {_MAX_STAMPS} time stamps", _STAMPS)
    return tuple(
        decode_base64(_fields(each, f"{_STAMPS}/{index}", ("signedTimestamp",))["signedTimestamp"], "the time stamp")
        for index, each in enumerate(held)
    )


def _object(value: Json, where: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise refuse("SCHEMA", "not an object", where)
    return value


def _fields(value: Json, where: str, wanted: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Json]:
    held = _object(value, where or "/")
    if missing := sorted(set(wanted) - set(held)):
        raise refuse("SCHEMA", f"lacks {', '.join(missing)}", where or "/")
    if unknown := sorted(set(held) - set(wanted) - set(optional)):
        raise refuse("SCHEMA", f"has unknown fields: {', '.join(unknown)}", where or "/")
    return held


def _only(signatures: Json) -> Json:
    if signatures is None or signatures == []:
        raise refuse("NO_SIGNATURE", "the envelope is not signed", "/dsseEnvelope/signatures")
    if not isinstance(signatures, list):
        raise refuse("SCHEMA", "signatures is not a list", "/dsseEnvelope/signatures")
    if len(signatures) != 1:
        message = f"the envelope carries {len(signatures)} signatures; exactly one is read"
        raise refuse("SIGNATURE_COUNT", message, "/dsseEnvelope/signatures")
    return signatures[0]


def _hint(value: Json, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise refuse("SCHEMA", f"{name} is not a string")
    return value
