"""`synthspec review`: what a change to specs loosens, and whether the policies of the base let it."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synthspec.ir.change import Review
    from synthspec.review.sides import Asked

DRIVER = 7
"""What git hands to an external diff: path, old file, its object and mode, new file, its object and mode."""


class ReviewFormat(str, Enum):
    """The forms of a review: those of findings, and a table of changes where that is what is wanted."""

    text = "text"
    json = "json"
    markdown = "markdown"
    github = "github"
    sarif = "sarif"
    gitlab = "gitlab"
    junit = "junit"


def review(
    paths: list[str] | None = typer.Argument(None, help="OLD NEW; or with --against, files and folders to look at."),
    against: str | None = typer.Option(
        None, help="The base, such as origin/main: what this branch changes is reviewed."
    ),
    head: str | None = typer.Option(None, help="With --against: a revision instead of the working tree."),
    policy: list[str] | None = typer.Option(
        None,
        help="Policy files to ask; with --against as the base has them, instead of those that it holds for the specs.",
    ),
    approve: list[str] | None = typer.Option(None, help="The fingerprint of a change that somebody answers for."),
    fail_on: str = typer.Option(
        "loosened", help="'loosened', or 'unknown': what has to be judged fails, too, until approved."
    ),
    git_diff: bool = typer.Option(False, "--git-diff", help="Be an external diff of git: see docs/review.md."),
    form: ReviewFormat = typer.Option(ReviewFormat.text, "--format", help="How to print the answer."),
    output_file: Path | None = typer.Option(None, help="Write the answer here instead of stdout."),
) -> None:
    """Say what a change of specs loosens, tightens, or leaves to be judged; exit 1 when something is loosened unallowed.

    Resolved specs are compared: layout, comments, the order of keys, defaults and units make no difference. A change is
    judged by the policies of its base, never by those that it brings.
    """
    from datetime import UTC, datetime

    from synthspec.review.cel import CelMissingError
    from synthspec.review.sides import Asked
    from synthspec.review.trees import GitError

    if fail_on not in ("loosened", "unknown"):
        raise usage(f"--fail-on takes 'loosened' or 'unknown', not {fail_on!r}")
    asked = Asked(
        today=datetime.now(UTC).date(),
        approved=frozenset(approve or ()),
        policies=tuple(policy or ()),
        strict=fail_on == "unknown",
    )
    try:
        answer = _driven(paths or [], asked) if git_diff else _reviewed(paths or [], against, head, asked)
        if git_diff and not answer.documents:
            _lines(paths or [])
            return
    except (GitError, CelMissingError) as error:
        raise usage(str(error)) from error
    _show(answer, form, output_file)
    _unneeded(approve or (), answer)
    if not git_diff and not answer.passed:
        raise typer.Exit(1)


def _reviewed(paths: list[str], against: str | None, head: str | None, asked: Asked) -> Review:
    from synthspec.review.sides import review_against, review_files

    if against is not None:
        return review_against(against, head, paths, Path.cwd(), asked)
    if head is not None:
        raise usage("--head says what to compare with --against; write both")
    if len(paths) != 2:
        raise usage("write OLD and NEW, or --against a revision")
    return review_files(Path(paths[0]), Path(paths[1]), asked)


def _unneeded(approved: Sequence[str], answer: Review) -> None:
    """Say which approvals are of nothing here: mistyped, or of a value that is no longer proposed."""
    known = {change.fingerprint for change in answer.changes}
    for fingerprint in approved:
        if fingerprint not in known:
            typer.echo(f"note: --approve {fingerprint} is the fingerprint of no change here", err=True)


def _driven(words: list[str], asked: Asked) -> Review:
    """What git calls for each file that differs; a rename brings two words more."""
    from synthspec.review.sides import review_texts

    if len(words) < DRIVER:
        raise usage("--git-diff takes the seven words that git hands to an external diff")
    path, old, new = words[0], Path(words[1]), Path(words[4])
    return review_texts(Path(path), _bytes(old), _bytes(new), asked)


def _lines(words: Sequence[str]) -> None:
    """A file that is no document of ours, as git would have shown it: who reads a diff misses nothing for the driver."""
    from difflib import unified_diff

    old, new = (
        (_bytes(Path(word)) or b"").decode("utf-8", "replace").splitlines(keepends=True)
        for word in (words[1], words[4])
    )
    for line in unified_diff(old, new, f"a/{words[0]}", f"b/{words[0]}"):
        typer.echo(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n", nl=False)


def _bytes(path: Path) -> bytes | None:
    """A side that does not exist is /dev/null to git."""
    return path.read_bytes() if path.is_file() else None


def _show(answer: Review, form: ReviewFormat, output: Path | None) -> None:
    import contextlib

    into: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if output is not None:
        from synthspec.cli.output import captured

        into = captured(output)
    with into:
        typer.echo(_text(answer, form), nl=False, color=True)


def _text(answer: Review, form: ReviewFormat) -> str:
    match form:
        case ReviewFormat.text:
            from synthspec.report.review_text import render_review
            from synthspec.report.style import style_for

            return render_review(answer, style_for(sys.stdout))
        case ReviewFormat.json:
            from synthspec.report import review_json

            return review_json.render_review(answer)
        case ReviewFormat.markdown:
            from synthspec.report import review_markdown

            return review_markdown.render_review(answer)
        case _:
            from synthspec.report.findings import Report, renderer

            files = tuple(document.file for document in answer.documents)
            return renderer(form.value)(Report(answer.findings, files))
