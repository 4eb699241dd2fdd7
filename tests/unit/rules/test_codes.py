"""Every code that can be printed has a page, and every page answers the four questions."""

import re
from pathlib import Path

import pytest

import synthspec
from synthspec.rules.codes import CODES, find, of_axiom

PACKAGE = Path(synthspec.__file__).parent
AREAS = "syntax|schema|unit|expr|sref|C40|waiver|engine|internal|data|P405-(?:[1-9]|10)"
LITERAL = re.compile(rf"[\"'](?P<code>(?:{AREAS})\.[a-z]+(?:-[a-z]+)*)[\"']")
NO_CODES = {
    "data.csv", "data.safetensors", "data.npz", "data.source", "data.split", "data.parquet", "schema.json",
}  # fmt: skip
"""Names of files and of keys that look like codes."""


def printed():
    for folder in (PACKAGE, PACKAGE.parent / "backends"):
        for file in folder.rglob("*.py"):
            if "documented" in file.parts:
                continue
            for match in LITERAL.finditer(file.read_text(encoding="utf-8")):
                if match["code"] not in NO_CODES:
                    yield match["code"], file.name


def test_every_code_in_the_source_is_documented():
    unknown = sorted({f"{code} ({file})" for code, file in printed() if code not in CODES})
    assert not unknown


def test_every_documented_code_occurs_in_the_source():
    assert sorted(set(CODES) - {code for code, _ in printed()}) == []


@pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: entry.code)
def test_a_page_is_complete(entry):
    page = entry.page
    assert page.title.endswith(".")
    assert len(page.title) < 90
    assert len(page.why) > 40
    assert page.why.endswith((".", "?"))
    assert all(page.refs)
    assert page.bad != page.good


def test_find_ignores_case_and_answers_none():
    assert find("p405-1.MEASURE-missing") is CODES["P405-1.measure-missing"]
    assert find("P405-1.nonsense") is None


def test_an_axiom_lists_its_codes():
    assert {entry.code.split(".")[0] for entry in of_axiom("p405-1")} == {"P405-1"}
    assert len(of_axiom("P405-1")) == 5
