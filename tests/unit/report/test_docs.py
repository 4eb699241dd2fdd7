"""The pages under docs/ are those that `explain` shows, and their links lead somewhere."""

import re
from pathlib import Path, PurePosixPath

import pytest
from typer.testing import CliRunner

from synthspec.cli.program import program
from synthspec.report.docs import AREAS, pages
from synthspec.report.standard import clauses
from synthspec.rules.codes import CODES

DOCS = Path(__file__).parents[3] / "docs"
PAGES = pages()
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
        assert target in PAGES, file
        assert not anchor or anchor in anchors(PAGES[target]), (file, anchor)


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
