"""Codes of waivers that need the day, or the other findings."""

from __future__ import annotations

from synthspec.diag import Severity
from synthspec.rules.documented.form import Documented, documented

CODES: tuple[Documented, ...] = (
    documented(
        "waiver.expired",
        "check",
        "A waiver has ended.",
        why=(
            "An exception that outlives its date has become the rule. It is approved again, or what it "
            "excused is mended."
        ),
        bad='{id: P405-2.coverage-missing, reason: pilot, approver: q.a, expires: "2001-01-31"}',
        good='{id: P405-2.coverage-missing, reason: pilot, approver: q.a, expires: "2999-01-31"}',
        refs="language 4, waivers",
    ),
    documented(
        "waiver.unused",
        "check",
        "A waiver excuses nothing.",
        why=("It was for a fault that is mended, or its id is misspelt. Left in place it would hide the next fault."),
        bad="waivers: [{id: P405-2.coverage-mising, ...}]",
        good="waivers: []",
        refs="language 4, waivers",
        severity=Severity.WARNING,
    ),
)
