"""Findings as GitHub workflow commands, which become annotations of the pull request.

GitHub shows ten of a level for each step and drops the rest silently, so the worst ten are written and the rest counted.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from synthspec.diag import Diagnostic, Severity
from synthspec.report.findings import Report, worst_first
from synthspec.report.findings_text import plain, summary
from synthspec.text import counted

SHOWN = 10


def render(report: Report) -> str:
    """Annotations, worst first, then what is not shown, then the summary."""
    ordered = worst_first(report.findings)
    lines: list[str] = []
    left: list[str] = []
    for severity in Severity:
        level = [finding for finding in ordered if finding.severity is severity]
        lines += [_annotation(finding) for finding in level[:SHOWN]]
        if len(level) > SHOWN:
            more = len(level) - SHOWN
            left.append(counted(more, f"more {severity.value}"))
    if left:
        told = f"{' and '.join(left)} not shown: GitHub takes {SHOWN} of a level. `synthspec validate` prints them all."
        lines.append(f"::notice title=synthspec::{escape_data(told)}")
    return "\n".join([*lines, summary(report.findings, len(report.files))]) + "\n"


def _annotation(finding: Diagnostic) -> str:
    properties = {**_place(finding), "title": finding.code}
    listed = ",".join(f"{name}={escape_property(value)}" for name, value in properties.items())
    text = f"{finding.message}\n{finding.help}" if finding.help else finding.message
    return f"::{finding.severity.value} {listed}::{escape_data(text)}"


def _place(finding: Diagnostic) -> dict[str, str]:
    if finding.span is None:
        return {}
    (line, column), (end_line, end_column) = finding.span.begin, finding.span.stop
    place = {"file": finding.file, "line": str(line), "endLine": str(end_line)}
    # Columns are shown only where the annotation stays on one line.
    return place | ({"col": str(column), "endColumn": str(end_column)} if line == end_line else {})


def escape_data(text: str) -> str:
    """`text` as the message of a command: it can neither end the line nor begin another command."""
    return plain(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def escape_property(text: str) -> str:
    """`text` as the value of a property."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")
