"""A review as one comment of a pull request: the marker in its first line lets a bot find it and write over it."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import Diagnostic
from synthspec.ir.change import Direction, Review, Reviewed
from synthspec.report.findings_markdown import cell
from synthspec.report.review_text import blast_text, bump_text, count, effect_text, place

MARKER = "<!-- synthspec review -->"
_HEAD = ("| | Risk | Change | Place | Before | Fingerprint |", "| --- | --- | --- | --- | --- | --- |")


def render_review(review: Review) -> str:
    """The comment: the answer in one line, what stands against the change, and a table a document."""
    word = "passes" if review.passed else "is not allowed"
    lines = [MARKER, f"### synthspec: this change {word}", "", count(review), ""]
    lines += [f"- **{cell(f.severity.value)}** {cell(f.message)}: {cell(f.help)}" for f in _said(review)]
    for document in review.documents:
        lines += ["", *_document(document, dict(review.allowed))]
    if review.policies:
        lines += ["", f"Judged by {', '.join(map(cell, review.policies))}."]
    return "\n".join(lines) + "\n"


def _said(review: Review) -> Iterator[Diagnostic]:
    yield from (finding for finding in review.findings if not finding.code.startswith("review."))


def _document(document: Reviewed, allowed: dict[str, str]) -> Iterator[str]:
    yield f"#### {cell(document.file)}"
    told = sorted(document.changes, key=lambda change: (change.direction.rank, change.risk.rank, change.pointer))
    if told:
        yield from ("", *_HEAD)
    for change in told:
        by = allowed.get(change.fingerprint)
        word = f"{change.direction.value} (allowed: {by})" if by else change.direction.value
        mark = f"**{cell(word)}**" if change.direction.loosens or change.direction is Direction.UNKNOWN else cell(word)
        cells = (mark, change.risk.value, cell(change.says), cell(place(change.span)), cell(place(change.old_span)))
        yield f"| {' | '.join(cells)} | `{change.fingerprint}` |"
    notes = [effect_text(effect) for effect in document.effects]
    notes += [blast_text(document), bump_text(document.bump) if document.bump else ""]
    if not told:
        notes.append(f"nothing that it means has changed: 0 of {document.guards} guards loosened")
    yield from (f"\n{cell(note)}" for note in notes if note)
