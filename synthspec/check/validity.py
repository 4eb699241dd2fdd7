"""What holds for every accepted exception, a waiver in the spec or a comment beside a line: it ends, and it is needed."""

from __future__ import annotations

from datetime import date

from synthspec.diag import did_you_mean
from synthspec.rules import RULES
from synthspec.rules.waivers.not_waivable import NEVER


def may_be_excused(code: str) -> bool:
    """False for what no reason makes up for: P405-4, P405-9, and faults of the exceptions themselves."""
    return code.partition(".")[0] not in NEVER


def end_fault(what: str, expires: str, today: date) -> tuple[str, str] | None:
    """Message and help when `expires` is no day or a day before `today`; None while `what` holds."""
    try:
        # Python would also take 20270131 and 2027-W05-7.
        end = date.fromisoformat(expires if len(expires) == len("2027-01-31") and "W" not in expires else "")
    except ValueError:
        return f"{expires} is no day of the calendar", "write a real day, such as 2027-01-31"
    if end >= today:
        return None
    return f"the {what} ended on {end}", "mend what it excused, or have it approved again"


def unused_advice(code: str) -> str:
    """What to do with an exception to `code` that excuses nothing."""
    codes = [rule.code for rule in RULES]
    return "delete it: it would hide a later fault" if code in codes else did_you_mean(code, codes)
