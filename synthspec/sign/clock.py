"""The time that goes into a manifest, and whether a manifest's time is credible."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_public import PublicManifest
from synthspec.sign.refusal import Refusal, Refusals

AnyManifest = Manifest | PublicManifest
_SKEW = timedelta(minutes=5)
"""How far two honest clocks may differ."""


def now(environment: Mapping[str, str] = os.environ) -> str:
    """The present as ``2026-01-31T12:00:00Z``, or the instant in SOURCE_DATE_EPOCH, so that builds can be repeated.

    Raises:
        ValueError: SOURCE_DATE_EPOCH is not a number of seconds since 1970.

    """
    epoch = environment.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return _written(datetime.now(UTC))
    if not (epoch.isascii() and epoch.isdigit() and len(epoch) <= 11):
        raise ValueError("SOURCE_DATE_EPOCH must be a whole number of seconds since 1970-01-01T00:00:00Z")
    return _written(datetime.fromtimestamp(int(epoch), UTC))


def later(instant: str, days: float) -> str:
    """The instant `days` after `instant`, both as `now` writes them."""
    return _written(datetime.fromisoformat(instant) + timedelta(days=days))


def freshness(manifest: AnyManifest, at: datetime) -> Refusals:
    """Whether `manifest` may be believed at the instant `at` (with a time zone): not from the future, not expired."""
    release = manifest.release
    found = []
    if datetime.fromisoformat(release.created_at) > at + _SKEW:
        message = f"it says it was created at {release.created_at}, which is in the future"
        found.append(Refusal("FROM_FUTURE", message, "/release/createdAt"))
    if release.expires_at is not None and datetime.fromisoformat(release.expires_at) <= at:
        found.append(Refusal("EXPIRED", f"it expired at {release.expires_at}", "/release/expiresAt"))
    return tuple(found)


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
