"""The object of section 8: places count from 1 and in letters, pointers are RFC 6901, and a finding may have no place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec import __version__
from synthspec.diag import Diagnostic, Related, Severity
from synthspec.report.findings_json import findings_json
from synthspec.text import Source

SOURCE = Source("specs/s.yaml", "a: 1\nnamé: [x,\n  'y']\n")


def told(*findings: Diagnostic, files: int = 1, **more: object):
    text = findings_json(findings, files, **more)
    assert text.endswith("}\n")
    return json.loads(text)


def finding(**changes):
    values = {"code": "a.b", "message": "m", "help": "h", "span": SOURCE.span(5, 9), "path": ("namé", 1)}
    return Diagnostic(**(values | changes))


def test_the_whole_object():
    related = (Related("there", SOURCE.span(0, 1)),)
    assert told(finding(related=related), files=3, gate="pass") == {
        "format_version": "1",
        "tool": {"name": "synthspec", "version": __version__},
        "findings": [
            {
                "code": "a.b",
                "severity": "error",
                "message": "m",
                "help": "h",
                "path": "specs/s.yaml",
                "pointer": "/namé/1",
                "range": {"start": {"line": 2, "column": 1}, "end": {"line": 2, "column": 5}},
                "related": [
                    {
                        "message": "there",
                        "path": "specs/s.yaml",
                        "range": {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 2}},
                    }
                ],
                "fingerprint": finding().fingerprint,
                "url": told(finding())["findings"][0]["url"],
            }
        ],
        "summary": {"files": 3, "errors": 1, "warnings": 0},
        "gate": "pass",
    }


def test_nothing_found_is_an_empty_list():
    assert told(files=2)["findings"] == []
    assert told(files=2)["summary"] == {"files": 2, "errors": 0, "warnings": 0}


def test_errors_and_warnings_are_counted_apart():
    found = [finding(), finding(severity=Severity.WARNING), finding(severity=Severity.WARNING)]
    assert told(*found)["summary"] == {"files": 1, "errors": 1, "warnings": 2}


def test_a_place_over_several_lines_ends_after_its_last_letter():
    span = SOURCE.span(SOURCE.text.index("["), SOURCE.text.index("]") + 1)
    assert told(finding(span=span))["findings"][0]["range"] == {
        "start": {"line": 2, "column": 7},
        "end": {"line": 3, "column": 7},
    }


def test_a_finding_without_a_place_says_so():
    (found,) = told(finding(span=None))["findings"]
    assert found["range"] is None
    assert found["path"] == ""


@pytest.mark.parametrize(
    ("path", "pointer"), [((), ""), (("a/b", "c~d"), "/a~1b/c~0d"), (("list", 0), "/list/0"), (("",), "/")]
)
def test_pointers_are_escaped(path, pointer):
    assert told(finding(path=path))["findings"][0]["pointer"] == pointer


def test_letters_are_written_as_they_are():
    assert '"/namé/1"' in findings_json([finding()], 1)


@given(st.text(), st.text(), st.lists(st.text() | st.integers(0, 9), max_size=3).map(tuple))
def test_any_finding_is_read_back(message, help_text, path):
    (found,) = told(finding(message=message, help=help_text, path=path))["findings"]
    assert (found["message"], found["help"]) == (message, help_text)
    assert found["fingerprint"] == finding(message=message, help=help_text, path=path).fingerprint


def test_a_fingerprint_is_about_what_and_not_about_which_line():
    moved = Source("specs/s.yaml", "\n\n\n" + SOURCE.text)
    assert finding().fingerprint == finding(span=moved.span(8, 12)).fingerprint
    others = [
        finding(code="a.c"),
        finding(message="n"),
        finding(path=("namé", 2)),
        finding(span=Source("other.yaml", SOURCE.text).span(5, 9)),
    ]
    assert finding().fingerprint not in {other.fingerprint for other in others}
