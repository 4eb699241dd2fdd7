"""Findings as JSON lines: each line one of the objects under `findings` of the JSON form; nothing when there is none."""

from __future__ import annotations

import json

from synthspec.report.findings import Report
from synthspec.report.findings_json import finding_object


def render(report: Report) -> str:
    """One object a line."""
    return "".join(json.dumps(finding_object(finding)) + "\n" for finding in report.findings)
