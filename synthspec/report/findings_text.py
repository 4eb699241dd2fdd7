"""Findings for people: what is wrong, the line with a caret, what to do; worst first, a count last."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence

from synthspec.diag import Diagnostic, Severity
from synthspec.report.findings import Report, worst_first
from synthspec.report.style import PLAIN, Style, style_for
from synthspec.text import Span, counted

MAX_LINE = 160


def render(report: Report) -> str:
    """All findings of `report`, in colour where stdout takes it."""
    return render_findings(report.findings, len(report.files), style_for(sys.stdout))


def render_findings(findings: Sequence[Diagnostic], files: int, style: Style) -> str:
    """All `findings`, then the summary line of `files` files."""
    blocks = [render_finding(finding, style) for finding in worst_first(findings)]
    return "\n".join([*blocks, summary(findings, files, style)]) + "\n"


def summary(findings: Sequence[Diagnostic], files: int, style: Style = PLAIN) -> str:
    """``2 files checked: 1 error, 0 warnings``."""
    errors = sum(finding.is_error for finding in findings)
    warnings = len(findings) - errors
    text = f"{counted(files, 'file')} checked: {counted(errors, 'error')}, {counted(warnings, 'warning')}"
    return style.paint(text, "bad" if errors else "warn" if warnings else "good")


def render_finding(finding: Diagnostic, style: Style) -> str:
    """One finding with its snippet."""
    kind = "bad" if finding.severity is Severity.ERROR else "warn"
    head = f"{style.paint(f'{finding.severity.value}[{finding.code}]', kind)}: {style.paint(plain(finding.message), 'bold')}"
    lines = [head]
    if finding.span is not None:
        lines += snippet(finding.span, style, kind)
    for related in finding.related:
        lines += [f"  {style.paint('note', 'dim')}: {plain(related.message)}", *snippet(related.span, style, "dim")]
    lines.append(f"  {style.paint('help', 'good')}: {plain(finding.help)}")
    return "\n".join(lines) + "\n"


def snippet(span: Span, style: Style, kind: str) -> list[str]:
    """The place, its line, and a caret under it."""
    line, column = span.begin
    end_line, end_column = span.stop
    text = span.source.line(line)
    stop = end_column if end_line == line else len(text) + 1
    shown, shift = _window(text, column)
    before = plain(shown[: column - 1 - shift])
    marked = plain(shown[column - 1 - shift : max(stop - 1 - shift, column - shift)])
    after = plain(shown[max(stop - 1 - shift, column - shift) :])
    gutter = " " * len(str(line))
    carets = " " * _width(before) + "^" * max(1, _width(marked))
    return [
        f"  {gutter}--> {plain(span.source.name)}:{line}:{column}",
        f"  {gutter} |",
        f"  {line} | {before}{marked}{after}",
        f"  {gutter} | {style.paint(carets, kind)}",
    ]


def _window(text: str, column: int) -> tuple[str, int]:
    """At most `MAX_LINE` characters of `text` around `column`, and how many were cut off at the front."""
    if len(text) <= MAX_LINE:
        return text, 0
    start = max(0, min(column - 1 - MAX_LINE // 2, len(text) - MAX_LINE))
    return text[start : start + MAX_LINE], start


def _width(text: str) -> int:
    """Columns of a terminal: two for a wide letter, none for an accent that sits on the letter before it."""
    return sum(
        0 if unicodedata.category(char) in _ON_ANOTHER else 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
        for char in text
    )


def plain(text: str) -> str:
    """`text` on one line with nothing in it that a terminal would obey: control and format characters are written out.

    Tabs and line breaks become spaces: names and messages quote what others wrote, and must not start a line of their own.
    """
    return "".join(
        " " if char in "\t\n" else char if unicodedata.category(char) not in _OBEYED else f"\\u{ord(char):04x}"
        for char in text
    )


_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_ON_ANOTHER = frozenset({"Mn", "Me"})
