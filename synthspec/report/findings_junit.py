"""Findings as JUnit XML: a suite for each file, a failed case for each error, a passed one for a file without any.

A warning is a passed case with its text as output: it fails a suite no more than it fails `validate`.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from synthspec.diag import Diagnostic
from synthspec.report.findings import Report, in_order, line_and_column
from synthspec.report.findings_text import plain

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The document."""
    suites = dict.fromkeys((*report.files, *(finding.file for finding in report.findings)))
    ordered = in_order(report.findings)
    blocks = [_suite(name, [finding for finding in ordered if finding.file == name]) for name in suites]
    errors = sum(finding.is_error for finding in ordered)
    tests = sum(max(1, sum(finding.file == name for finding in ordered)) for name in suites)
    head = f'<testsuites name="synthspec" tests="{tests}" failures="{errors}" errors="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *blocks, "</testsuites>"]) + "\n"


def _suite(name: str, findings: list[Diagnostic]) -> str:
    errors = sum(finding.is_error for finding in findings)
    shown = _attribute(name or "synthspec")
    cases = [_case(finding) for finding in findings] or [f'    <testcase name="validate" classname={shown} time="0"/>']
    counts = f'tests="{len(cases)}" failures="{errors}" errors="0" time="0"'
    return "\n".join([f"  <testsuite name={shown} {counts}>", *cases, "  </testsuite>"])


def _case(finding: Diagnostic) -> str:
    line, column = line_and_column(finding)
    name = _attribute(f"{finding.code} at {line}:{column}")
    parts = (f"{finding.file}:{line}:{column}: {finding.message}", f"help: {finding.help}")
    text = escape("\n".join(_clean(part) for part in parts))
    kind = "failure" if finding.is_error else "system-out"
    said = f" type={_attribute(finding.code)} message={_attribute(finding.message)}" if finding.is_error else ""
    head = f'    <testcase name={name} classname={_attribute(finding.file or "synthspec")} line="{line}" time="0">'
    return f"{head}\n      <{kind}{said}>{text}</{kind}>\n    </testcase>"


def _clean(text: str) -> str:
    """`text` on one line, with characters that no XML document may hold written out."""
    return _NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", plain(text))


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))
