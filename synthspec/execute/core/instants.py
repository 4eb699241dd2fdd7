"""ISO 8601 instants to nanoseconds since 1970-01-01T00:00Z, exactly."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_INSTANT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:(Z|z)|([+-])(\d{2}):?(\d{2}))?",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant(text: str) -> int | str:
    """Nanoseconds (UTC) of ``2026-01-01T00:00:00.011421539Z`` or ``...+01:00``; what is wrong with it otherwise.

    Seconds that are left out are none. A time without zone is refused: which instant it means would be a guess.
    """
    match = _INSTANT.fullmatch(text)
    if match is None and _DAY.fullmatch(text):
        return "is a day: an instant has a time and a zone, as in 2026-01-31T00:00:00Z"
    if match is None:
        return "is not an ISO 8601 instant with at most nine decimals"
    *date, fraction, zulu, sign, hours, minutes = match.groups()
    if not zulu and not sign:
        return "has no time zone: end it with Z or an offset such as +01:00"
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in date)
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        return f"is no instant ({error})"
    if sign and (int(hours) > 23 or int(minutes) > 59):
        return f"is no instant (an offset of {sign}{hours}:{minutes})"
    shift = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
    since = whole - _EPOCH + (shift if sign == "-" else -shift)
    nanoseconds = (since.days * 86_400 + since.seconds) * 10**9 + int((fraction or "0").ljust(9, "0"))
    return nanoseconds if -(2**63) < nanoseconds < 2**63 else "is outside the years 1678 to 2261"
