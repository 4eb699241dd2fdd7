"""DSSE's pre-authentication encoding: the bytes that are signed (secure-systems-lab/dsse, protocol.md v1.0.0)."""

from __future__ import annotations


def pae(payload_type: str, payload: bytes) -> bytes:
    """``DSSEv1 SP LEN(type) SP type SP LEN(body) SP body``, lengths in decimal bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
