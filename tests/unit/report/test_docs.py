"""The pages under docs/ are those that `explain` shows, and their links lead somewhere."""

import re
from pathlib import Path, PurePosixPath

import pytest
from typer.testing import CliRunner

from synthspec.cli.program import program
from synthspec.report.docs import AREAS, pages
from synthspec.report.explanation import explain_name
from synthspec.report.references import SECTIONS
from synthspec.report.standard import clauses
from synthspec.report.style import PLAIN
from synthspec.rules.codes import CODES

DOCS = Path(__file__).parents[3] / "docs"
PAGES = pages()
BY_HAND = ("language.md",)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_the_repository_is_up_to_date(name):
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name], "run: make pages"


def test_no_page_is_left_over():
    assert {f"rules/{path.name}" for path in (DOCS / "rules").iterdir()} == {name for name in PAGES if "/" in name}


def test_every_code_and_every_id_has_one_heading():
    headings = [heading for text in PAGES.values() for heading in HEADING.findall(text)]
    for name in (*CODES, *clauses()):
        assert headings.count(name) == 1, name


def anchors(text):
    return {re.sub(r"[^a-z0-9_-]", "", heading.lower().replace(" ", "-")) for heading in HEADING.findall(text)}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_headings(name):
    for file, anchor in LINK.findall(PAGES[name]):
        parts = (*PurePosixPath(name).parts[:-1], *PurePosixPath(file).parts) if file else PurePosixPath(name).parts
        target = "/".join(parts).replace("rules/../", "")
        assert target in PAGES or target in BY_HAND, file
        text = PAGES[target] if target in PAGES else (DOCS / target).read_text(encoding="utf-8")
        assert not anchor or anchor in anchors(text), (file, anchor)


def test_the_language_has_the_sections_that_references_lead_to():
    found = re.findall(r"^## (\d+)\. (.*)$", (DOCS / "language.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(number): title for number, title in found} == SECTIONS
    assert all(int(number) in SECTIONS for text in PAGES.values() for number in re.findall(r"language (\d+)", text))


def test_references_say_where_the_language_is_to_be_found():
    text = explain_name("schema.unknown-key", PLAIN)
    assert "Refs  docs/language.md 1; docs/language.md 4" in text


def test_every_area_has_codes():
    assert {code.partition(".")[0] for code in CODES} == set(AREAS)


def test_explain_writes_what_differs_and_checks_without_writing(tmp_path):
    words = ["explain", "--write", str(tmp_path)]

    def run(*more):
        return CliRunner().invoke(program(words), [*words, *more])

    stale = run("--check")
    assert stale.exit_code == 1
    assert "standard.md" in stale.output
    assert not list(tmp_path.iterdir())
    assert run().exit_code == 0
    assert run("--check").exit_code == 0
    assert (tmp_path / "rules" / "P405-4.md").read_text(encoding="utf-8") == PAGES["rules/P405-4.md"]
