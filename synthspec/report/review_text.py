"""A review for people at a terminal: what has most at stake first, both places, what runs again, a count last."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import Diagnostic
from synthspec.ir.change import Bump, Change, Direction, Effect, Review, Reviewed
from synthspec.report.findings_text import plain
from synthspec.report.style import Style
from synthspec.report.verdict_table import number
from synthspec.text import Span, counted

_KIND = {Direction.LOOSENED: "bad", Direction.BOTH: "bad", Direction.UNKNOWN: "warn", Direction.TIGHTENED: "good"}


def render_review(review: Review, style: Style) -> str:
    """All documents, what stands against the change, and the count."""
    allowed = dict(review.allowed)
    lines = [line for document in review.documents for line in _document(document, review, allowed, style)]
    lines += [_finding(finding, style) for finding in review.findings if not finding.code.startswith("review.")]
    return "\n".join([*lines, style.paint(count(review), "good" if review.passed else "bad")]) + "\n"


def count(review: Review) -> str:
    """``1 of 31 guards loosened, 0 tightened, 0 both, 2 to be looked at (1 document)``."""
    same = f"; {review.same} more say what they said" if review.same else ""
    return (
        f"{review.count(Direction.LOOSENED)} of {review.guards} guards loosened, "
        f"{review.count(Direction.TIGHTENED)} tightened, {review.count(Direction.BOTH)} both, "
        f"{review.count(Direction.UNKNOWN)} to be looked at ({counted(len(review.documents), 'document')}{same})"
    )


def effect_text(effect: Effect) -> str:
    """``planned eps 2.9 -> 7.6``."""
    old, new = ("none" if value is None else number(value) for value in (effect.old, effect.new))
    return f"{effect.name} {old} -> {new}"


def bump_text(bump: Bump) -> str:
    """What is wrong with the version; empty when nothing is."""
    return "" if bump.enough else f"version {bump.old} -> {bump.new} needs a {bump.required} step"


def blast_text(document: Reviewed) -> str:
    """Which operations run again; empty where nothing is known or nothing does."""
    if document.blast is None or not document.changes:
        return ""
    if document.blast.unknown:
        return f"what runs again is not known: {document.blast.unknown}"
    total = len(document.blast.rerun) + len(document.blast.kept)
    if not document.blast.rerun:
        return f"runs again: none of {total} operations"
    return f"runs again: {len(document.blast.rerun)} of {total} operations ({', '.join(document.blast.rerun)})"


def place(span: Span | None) -> str:
    """``spec.yaml:31:15``."""
    return "" if span is None else f"{span.source.name}:{span.begin[0]}:{span.begin[1]}"


def _document(document: Reviewed, review: Review, allowed: dict[str, str], style: Style) -> Iterator[str]:
    moved = f" (was {document.old_file})" if document.old_file and _moved(document) else ""
    yield style.paint(plain(f"{document.file}{moved}"), "bold")
    told = sorted(document.changes, key=lambda change: (change.direction.rank, change.risk.rank, change.pointer))
    for change in told:
        by = allowed.get(change.fingerprint, "")
        yield from _change(change, by, style)
        if review.answers_for(change) and not by:
            yield f"            {style.paint(f'take it back, or have it approved: --approve {change.fingerprint}', 'dim')}"
    if not told:
        yield f"  nothing that it means has changed: 0 of {document.guards} guards loosened"
    notes = [effect_text(effect) for effect in document.effects]
    notes += [blast_text(document), bump_text(document.bump) if document.bump else ""]
    yield from (f"  {style.paint('note', 'dim')}: {plain(note)}" for note in notes if note)
    yield ""


def _moved(document: Reviewed) -> bool:
    return bool(document.new_file) and not document.old_file.endswith(document.new_file.rpartition("/")[2])


def _change(change: Change, by: str, style: Style) -> Iterator[str]:
    word = style.paint(f"{change.direction.value:<9}", _KIND.get(change.direction, "dim"))
    excuse = f" [{by}]" if by else ""
    yield f"  {word} {change.risk.value:<6} {plain(change.says)}{plain(excuse)}"
    now, before = place(change.span), place(change.old_span)
    if now or before:
        both = ", ".join(each for each in (now, f"before {before}" if before else "") if each)
        yield f"            {style.paint(plain(both), 'dim')}"


def _finding(finding: Diagnostic, style: Style) -> str:
    head = style.paint(f"{finding.severity.value}[{finding.code}]", "bad" if finding.is_error else "warn")
    where = place(finding.span)
    return f"{head}: {plain(finding.message)}\n  {plain(finding.help)}" + (f" ({plain(where)})" if where else "") + "\n"
