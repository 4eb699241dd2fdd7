"""Findings for people: the caret stands under the place whatever the line holds, and nothing moves the cursor."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.diag import Diagnostic, Related, Severity
from synthspec.report.findings_text import MAX_LINE, plain, render_finding, render_findings, snippet, summary
from synthspec.report.style import PLAIN, Style
from synthspec.text import Source

COLOUR = Style(colour=True)


def finding(text="a: 1\nb: {c: 2}\n", start=9, end=10, **changes):
    values = {"code": "schema.bad-value", "message": "wrong", "help": "write it right", "path": ("b", "c")}
    return Diagnostic(span=Source("spec.yaml", text).span(start, end), **(values | changes))


def shown(text: str, start: int, end: int) -> tuple[str, str]:
    """The line of the place and the line of the carets, without the gutter."""
    lines = snippet(Source("s", text).span(start, end), PLAIN, "bad")
    gutter = len(lines[2]) - len(lines[2].lstrip())
    cut = lines[2].index("|") + 2
    assert gutter == 2
    return lines[2][cut:], lines[3][cut:]


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    width = 0
    for char in text:
        if unicodedata.category(char) in ("Mn", "Me"):
            continue
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return width


def test_a_finding_reads_from_what_to_where_to_what_to_do():
    assert render_finding(finding(), PLAIN) == (
        "error[schema.bad-value]: wrong\n"
        "   --> spec.yaml:2:5\n"
        "    |\n"
        "  2 | b: {c: 2}\n"
        "    |     ^\n"
        "  help: write it right\n"
    )


def test_what_stands_elsewhere_comes_as_a_note():
    related = (Related("first written here", Source("other.yaml", "x: 1\n").span(0, 1)),)
    lines = render_finding(finding(related=related), PLAIN).splitlines()
    assert lines[5:10] == ["  note: first written here", "   --> other.yaml:1:1", "    |", "  1 | x: 1", "    | ^"]


def test_a_finding_without_a_place_has_no_snippet():
    bare = Diagnostic(code="engine.backend-unsupported", message="nobody can", help="install one")
    assert render_finding(bare, PLAIN) == "error[engine.backend-unsupported]: nobody can\n  help: install one\n"


def test_a_warning_says_that_it_is_one():
    assert render_finding(finding(severity=Severity.WARNING), PLAIN).startswith("warning[schema.bad-value]: ")


def test_errors_come_first_each_as_the_files_are_read_and_a_count_last():
    warning = finding(severity=Severity.WARNING, message="third")
    later, earlier = finding(start=8, end=9, message="second"), finding(start=0, end=1, message="first")
    text = render_findings([warning, later, earlier], 2, PLAIN)
    assert re.findall(r"first|second|third", text) == ["first", "second", "third"]
    assert text.endswith("\n2 files checked: 2 errors, 1 warning\n")


@pytest.mark.parametrize(
    ("errors", "warnings", "files", "wanted"),
    [
        (0, 0, 1, "1 file checked: 0 errors, 0 warnings"),
        (1, 0, 1, "1 file checked: 1 error, 0 warnings"),
        (2, 1, 3, "3 files checked: 2 errors, 1 warning"),
    ],
)
def test_the_count_is_in_english(errors, warnings, files, wanted):
    found = [finding()] * errors + [finding(severity=Severity.WARNING)] * warnings
    assert summary(found, files) == wanted


CARETS = {
    "plain": ("key: value", 5, 10, "     ^^^^^"),
    "after tabs, each one column": ("\tx:\ty", 4, 5, "    ^"),
    "after wide letters": ("名前: x", 4, 5, "      ^"),
    "under wide letters": ("a: 名前", 3, 5, "   ^^^^"),
    "after an accent of its own": ("e\u0301a: x", 5, 6, "    ^"),
    "under a letter with an accent of its own": ("a: e\u0301", 3, 5, "   ^"),
    "after what would be obeyed": ("a\x1bb: x", 5, 6, " " * 10 + "^"),
    "under what would be obeyed": ("a: \u202e", 3, 4, "   ^^^^^^"),
    "at the end of the line": ("key:", 4, 4, "    ^"),
    "of nothing": ("", 0, 0, "^"),
    "over several lines": ("a: [1,\n  2]\n", 3, 10, "   ^^^"),
}


@pytest.mark.parametrize("case", CARETS)
def test_the_caret_stands_under_its_place(case):
    text, start, end, wanted = CARETS[case]
    assert shown(text, start, end)[1] == wanted


@pytest.mark.parametrize("column", [1, 50, 80, 81, 500, 920, 999, 1000])
def test_of_a_long_line_the_part_around_the_place_is_shown(column):
    text = "".join(f"{number:>5}" for number in range(200))
    line, carets = shown(text, column - 1, min(column + 3, len(text)))
    assert len(line) <= MAX_LINE
    assert line in text
    marked = line[carets.index("^") : carets.index("^") + carets.count("^")]
    assert marked == text[column - 1 : min(column + 3, len(text))]


def test_a_place_longer_than_the_line_is_marked_as_far_as_it_is_shown():
    line, carets = shown("x" * 1000, 0, 1000)
    assert len(line) == len(carets) == MAX_LINE


letters = st.text(st.characters(exclude_characters="\r\n"), max_size=300)


@given(letters, st.integers(0, 300), st.integers(0, 300))
def test_the_carets_are_as_wide_as_what_they_mark(text, start, length):
    start = min(start, len(text))
    line, carets = shown(text, start, min(start + length, len(text)))
    assert set(carets) <= {" ", "^"}
    before, marked = carets.count(" "), carets.count("^")
    assert marked >= 1
    assert carets == " " * before + "^" * marked
    assert before <= columns(line)
    assert columns(line) + 1 >= before + marked or marked == 1


def obeyed(text: str) -> list[str]:
    return [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@given(st.text(max_size=20))
def test_nothing_that_a_terminal_obeys_gets_through(text):
    assert obeyed(plain(text)) == []


hostile = st.text(st.characters(codec=None) | st.sampled_from("\x1b\x07\r\n\t\u202e\u2028\u0085"), max_size=30)


@given(hostile, hostile, hostile, hostile)
def test_whatever_a_spec_or_a_file_name_holds_the_lines_are_ours(text, message, help_text, name):
    span = Source(name, text).span(0, 1)
    written = render_finding(
        Diagnostic(code="x.y", message=message, help=help_text, span=span, related=(Related(message, span),)), PLAIN
    )
    assert obeyed(written.replace("\n", "")) == []
    assert written.count("\n") == 11


def test_colour_paints_and_changes_no_letter():
    painted = render_findings([finding(), finding(severity=Severity.WARNING)], 1, COLOUR)
    assert "\x1b[31;1m" in painted
    assert "\x1b[33;1m" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == render_findings(
        [finding(), finding(severity=Severity.WARNING)], 1, PLAIN
    )
    assert "\x1b" not in render_findings([finding()], 1, PLAIN)
