"""A code that is no rule: a stage other than `check` raises it. It has a page all the same."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.diag import Severity
from synthspec.rules.page import Example, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A code that can be printed, with its page and the stage that raises it."""

    code: str
    raised_by: str
    page: Page
    severity: Severity = Severity.ERROR


def documented(  # noqa: PLR0913 - one line of a table
    code: str,
    raised_by: str,
    title: str,
    *,
    why: str,
    bad: str,
    good: str,
    refs: str,
    severity: Severity = Severity.ERROR,
) -> Documented:
    """One row of a table of codes. `bad` and `good` are snippets, not whole specs."""
    page = Page(
        title=title,
        why=why,
        refs=tuple(ref.strip() for ref in refs.split(";")),
        bad=Example(base="", without=(), text=bad),
        good=Example(base="", without=(), text=good),
    )
    return Documented(code=code, raised_by=raised_by, page=page, severity=severity)
