"""Findings for machines: the object of language.md section 8, one on stdout whatever the exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence

from synthspec import __version__
from synthspec.diag import Diagnostic, Related
from synthspec.report.findings import Report
from synthspec.text import Span, pointer

FORMAT_VERSION = "1"
RULE_URL = "https://synthspec.dev/rules/"

Object = dict[str, object]


def render(report: Report) -> str:
    """The object of `findings_json`."""
    return findings_json(report.findings, len(report.files), **report.more)


def findings_json(findings: Sequence[Diagnostic], files: int, **more: object) -> str:
    """The findings, the summary, and what the verb adds under keys of its own."""
    errors = sum(finding.is_error for finding in findings)
    return (
        json.dumps(
            {
                **header(),
                "findings": [finding_object(finding) for finding in findings],
                "summary": {"files": files, "errors": errors, "warnings": len(findings) - errors},
                **more,
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )


def header() -> Object:
    """What every machine-readable answer starts with."""
    return {"format_version": FORMAT_VERSION, "tool": {"name": "synthspec", "version": __version__}}


def finding_object(finding: Diagnostic) -> Object:
    """One finding as section 8 writes it."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "help": finding.help,
        "path": finding.file,
        "pointer": pointer(finding.path),
        "range": None if finding.span is None else range_object(finding.span),
        "related": [_related(related) for related in finding.related],
        "fingerprint": finding.fingerprint,
        "url": RULE_URL + finding.code,
    }


def _related(related: Related) -> Object:
    return {"message": related.message, "path": related.span.source.name, "range": range_object(related.span)}


def range_object(span: Span) -> Object:
    """Where a span begins and ends, as section 8 writes it."""
    (line, column), (end_line, end_column) = span.begin, span.stop
    return {"start": {"line": line, "column": column}, "end": {"line": end_line, "column": end_column}}
