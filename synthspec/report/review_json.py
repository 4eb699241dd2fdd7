"""A review for machines: the object of language.md section 8, with what a policy said and what follows."""

from __future__ import annotations

import json

from synthspec.ir.change import Change, Direction, Review, Reviewed
from synthspec.report.findings_json import finding_object, header, range_object

Object = dict[str, object]


def render_review(review: Review) -> str:
    """One object: `changes` with the most at stake first, `findings` as `validate` writes them, `documents`, `summary`."""
    allowed = dict(review.allowed)
    body: Object = {
        **header(),
        "changes": [_change(change, allowed.get(change.fingerprint)) for change in review.changes],
        "findings": [finding_object(finding) for finding in review.findings],
        "documents": [_document(document) for document in review.documents],
        "policies": list(review.policies),
        "summary": {
            **{direction.value: review.count(direction) for direction in Direction},
            "guards": review.guards,
            "documents": len(review.documents),
            "same": review.same,
            "errors": sum(finding.is_error for finding in review.findings),
            "warnings": sum(not finding.is_error for finding in review.findings),
            "passed": review.passed,
        },
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _change(change: Change, by: str | None) -> Object:
    before = change.old_span
    return {
        **change.as_json(),
        "range": None if change.span is None else range_object(change.span),
        "before": None if before is None else {"path": before.source.name, "range": range_object(before)},
        "allowed_by": by,
    }


def _document(document: Reviewed) -> Object:
    blast, bump = document.blast, document.bump
    return {
        "kind": document.kind,
        "old_path": document.old_file or None,
        "new_path": document.new_file or None,
        "changes": len(document.changes),
        "guards": document.guards,
        "effects": [
            {"name": effect.name, "old": effect.old, "new": effect.new, "direction": effect.direction.value}
            for effect in document.effects
        ],
        "blast": None
        if blast is None
        else {"rerun": list(blast.rerun), "kept": list(blast.kept), "unknown": blast.unknown or None},
        "version": None
        if bump is None
        else {"old": bump.old, "new": bump.new, "required": bump.required, "enough": bump.enough},
    }
