"""Findings as a GitLab code quality report: a list of issues whose fingerprints are unique.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json

from synthspec.diag import Diagnostic, Severity
from synthspec.report.findings import Report, in_order, line_and_column, unique_fingerprints

LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def render(report: Report) -> str:
    """The JSON list; empty when there is nothing to say."""
    findings = in_order(report.findings)
    issues = [_issue(*each) for each in zip(findings, unique_fingerprints(findings), strict=True)]
    return json.dumps(issues, indent=2) + "\n"


def _issue(finding: Diagnostic, fingerprint: str) -> dict[str, object]:
    line, _ = line_and_column(finding)
    end = line if finding.span is None else finding.span.stop[0]
    return {
        "description": f"{finding.message} ({finding.help})" if finding.help else finding.message,
        "check_name": finding.code,
        "fingerprint": fingerprint,
        "severity": LEVELS[finding.severity],
        "location": {"path": finding.file or ".", "lines": {"begin": line, "end": end}},
    }
