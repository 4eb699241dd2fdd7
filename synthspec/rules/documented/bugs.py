"""Codes of our own bugs."""

from __future__ import annotations

from synthspec.rules.documented.form import Documented, documented

CODES: tuple[Documented, ...] = (
    documented(
        "internal.rule-crashed",
        "check, plan",
        "A rule failed on this spec.",
        why=(
            "That is a bug of synthspec, not of the spec. The other rules were asked, and the spec does"
            " not pass while one could not answer."
        ),
        bad="(any spec)",
        good="(report it)",
        refs="CONTRIBUTING",
    ),
    documented(
        "internal.fmt-unsafe",
        "fmt",
        "Formatting would have changed the meaning.",
        why=(
            "What fmt would write is read again and compared with what was there. That it differs is a bug of"
            " synthspec, not of the file, and nothing is written."
        ),
        bad="(any spec)",
        good="(report it)",
        refs="CONTRIBUTING",
    ),
    documented(
        "internal.graph",
        "check, plan",
        "The operations of a run form no order.",
        why="That is a bug of synthspec, not of the spec.",
        bad="(any spec)",
        good="(report it)",
        refs="CONTRIBUTING",
    ),
)
