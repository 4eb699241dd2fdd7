"""Findings as SARIF 2.1.0 (OASIS Standard, 27 March 2020): what code scanning services and viewers read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from urllib.parse import quote

from synthspec import __version__
from synthspec.diag import Diagnostic, Severity
from synthspec.report.findings import Report, in_order, unique_fingerprints
from synthspec.report.findings_json import RULE_URL
from synthspec.report.references import followed
from synthspec.rules.codes import CODES
from synthspec.text import Span, pointer

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "synthspec/v1"

Object = dict[str, object]


def render(report: Report) -> str:
    """One log with one run; its rules are those that found something."""
    findings = in_order(report.findings)
    codes = sorted({finding.code for finding in findings})
    results = [
        _result(finding, codes, fingerprint)
        for finding, fingerprint in zip(findings, unique_fingerprints(findings), strict=True)
    ]
    driver = {
        "name": "synthspec",
        "version": __version__,
        "informationUri": "https://synthspec.dev",
        "rules": [_rule(code, _severity(code, findings)) for code in codes],
    }
    run: Object = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _severity(code: str, findings: Sequence[Diagnostic]) -> Severity:
    entry = CODES.get(code)
    if entry is not None:
        return entry.severity
    return next(finding.severity for finding in findings if finding.code == code)


def _rule(code: str, severity: Severity) -> Object:
    described: Object = {
        "id": code,
        "name": "".join(word.capitalize() for word in code.partition(".")[2].split("-")) or code,
        "helpUri": RULE_URL + code,
        "defaultConfiguration": {"level": severity.value},
        "properties": {"tags": [code.partition(".")[0]]},
    }
    entry = CODES.get(code)
    if entry is not None:
        page = entry.page
        described["shortDescription"] = {"text": page.title}
        described["fullDescription"] = {"text": page.why}
        described["help"] = {"text": f"{page.why}\n\nSee {followed('; '.join(page.refs))}."}
    return described


def _result(finding: Diagnostic, codes: Sequence[str], fingerprint: str) -> Object:
    result: Object = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": finding.severity.value,
        "message": {"text": f"{finding.message}\n{finding.help}" if finding.help else finding.message},
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }
    if finding.span is not None:
        location = _location(finding.span)
        if finding.path:
            location["logicalLocations"] = [{"fullyQualifiedName": pointer(finding.path), "kind": "property"}]
        result["locations"] = [location]
    if finding.related:
        result["relatedLocations"] = [
            {**_location(related.span), "id": number, "message": {"text": related.message}}
            for number, related in enumerate(finding.related, 1)
        ]
    return result


def _location(span: Span) -> Object:
    (line, column), (end_line, end_column) = span.begin, span.stop
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(span.source.name)}, "region": region}}


def _uri(name: str) -> str:
    """A file name as a URI reference: absolute with a scheme, else relative to where the user stands."""
    path = PurePath(name)
    if path.is_absolute():
        return path.as_uri()
    # A colon in the first part of a relative reference would be read as the end of a scheme.
    return quote(path.as_posix(), safe="/")
