"""Findings one line each, ``file:line:column: severity[code]: message``: what editors and grep read; a count last."""

from __future__ import annotations

from synthspec.diag import Diagnostic
from synthspec.report.findings import Report, line_and_column, worst_first
from synthspec.report.findings_text import plain, summary


def render(report: Report) -> str:
    """The findings worst first, then the summary."""
    lines = [_line(finding) for finding in worst_first(report.findings)]
    return "\n".join([*lines, summary(report.findings, len(report.files))]) + "\n"


def _line(finding: Diagnostic) -> str:
    line, column = line_and_column(finding)
    place = f"{finding.file}:{line}:{column}: " if finding.file else ""
    return plain(f"{place}{finding.severity.value}[{finding.code}]: {finding.message}")
