"""What `validate` answers, and the table of the forms it can be written in: one renderer a file, loaded when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from synthspec.diag import Diagnostic


@dataclass(frozen=True, slots=True)
class Report:
    """The findings about `files`; `more` are keys of its own that a verb adds to the JSON object."""

    findings: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    more: Mapping[str, object] = field(default_factory=dict)


Renderer = Callable[[Report], str]
"""From a report to everything that is printed, line break included."""

RENDERERS: Mapping[str, str] = {
    "text": "synthspec.report.findings_text",
    "concise": "synthspec.report.findings_concise",
    "json": "synthspec.report.findings_json",
    "jsonl": "synthspec.report.findings_jsonl",
    "sarif": "synthspec.report.findings_sarif",
    "github": "synthspec.report.findings_github",
    "gitlab": "synthspec.report.findings_gitlab",
    "junit": "synthspec.report.findings_junit",
    "markdown": "synthspec.report.findings_markdown",
}
"""By name: the module whose `render` writes that form."""


def renderer(name: str) -> Renderer:
    """The renderer called `name`. Raises KeyError."""
    return cast("Renderer", import_module(RENDERERS[name]).render)


def worst_first(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Errors before warnings, and each as the files are read."""
    return sorted(findings, key=lambda finding: (finding.severity.rank, finding.file, _start(finding)))


def in_order(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """As the files are read."""
    return sorted(findings, key=lambda finding: (finding.file, _start(finding), finding.code))


def line_and_column(finding: Diagnostic) -> tuple[int, int]:
    """Where the finding begins; the beginning of the file for one that has no place."""
    return (1, 1) if finding.span is None else finding.span.begin


def unique_fingerprints(findings: Sequence[Diagnostic]) -> list[str]:
    """A fingerprint for each finding; the second of two that say the same gets one of its own."""
    seen: dict[str, int] = {}
    told = []
    for finding in findings:
        count = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
        told.append(finding.fingerprint if count == 1 else f"{finding.fingerprint}-{count}")
    return told


def _start(finding: Diagnostic) -> int:
    return -1 if finding.span is None else finding.span.start
