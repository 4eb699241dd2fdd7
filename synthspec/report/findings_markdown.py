"""Findings as a Markdown table, for a comment or the summary of a job; a count last."""

from __future__ import annotations

import re

from synthspec.diag import Diagnostic
from synthspec.report.findings import Report, line_and_column, worst_first
from synthspec.report.findings_json import RULE_URL
from synthspec.report.findings_text import plain, summary

_HEAD = ("| Severity | Code | Place | Finding | Help |", "| --- | --- | --- | --- | --- |")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|~!@$&])")


def render(report: Report) -> str:
    """The table, worst first, then the summary; the summary alone when there is nothing to say."""
    rows = [_row(finding) for finding in worst_first(report.findings)]
    table = [*_HEAD, *rows, ""] if rows else []
    return "\n".join([*table, summary(report.findings, len(report.files))]) + "\n"


def _row(finding: Diagnostic) -> str:
    line, column = line_and_column(finding)
    place = f"{finding.file}:{line}:{column}" if finding.file else ""
    code = f"[{cell(finding.code)}]({RULE_URL}{finding.code})"
    cells = (finding.severity.value, code, cell(place), cell(finding.message), cell(finding.help))
    return f"| {' | '.join(cells)} |"


def cell(text: str) -> str:
    """`text` as it reads, on one line: nothing in it is markup, a mention or the end of the cell."""
    return _SPECIAL.sub(r"\\\1", plain(text))
