"""Cases are compared both ways."""

from __future__ import annotations

import pytest

from synthspec.diag import Diagnostic
from synthspec.testing.rule_cases import Expected, assert_case, cases, expectations, run_case
from synthspec.text import Source

TEXT = """a: 1    # expect: X.first, X.second
# expect: Y.next
# expect: Y.too
b: 2    # a comment   # expect: Z.last
# expect-file: F.whole
c: "# expect: nothing, for it is text"
"""


def diagnostic(code, path, line=None):
    if line is None:
        return Diagnostic(code=code, message="m", help="h")
    text = path.read_text()
    start = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
    return Diagnostic(code=code, message="m", help="h", span=Source(str(path), text).span(start))


@pytest.fixture
def case(tmp_path):
    path = tmp_path / "case.yaml"
    path.write_text(TEXT)
    return path


ALL = [("X.first", 1), ("X.second", 1), ("Y.next", 4), ("Y.too", 4), ("Z.last", 4), ("F.whole", None)]


def test_comments_say_file_line_and_code():
    lines = {(each.line, each.code) for each in expectations(TEXT, "case.yaml")}
    assert lines == {(line or 0, code) for code, line in ALL}
    assert str(Expected("a.yaml", 3, "X.y")) == "a.yaml:3: X.y"
    assert str(Expected("a.yaml", 0, "X.y")) == "a.yaml: X.y"


def test_lines_are_counted_as_the_diagnostics_count_them():
    """A line separator of Unicode inside a text is no line break."""
    assert {each.line for each in expectations('a: "\u2028"\r\nb: 1 # expect: X.y\r\n', "f")} == {2}


def test_a_comment_that_speaks_of_nothing_is_an_error():
    with pytest.raises(ValueError, match=r"X\.y"):
        expectations("a: 1\n# expect: X.y", "f")


def test_the_same_findings_are_as_expected(case):
    found = [diagnostic(code, case, line) for code, line in ALL]
    assert run_case(case, lambda path: found).ok
    assert_case(case, lambda path: [*found, found[0]])


@pytest.mark.parametrize("left_out", range(len(ALL)))
def test_each_missing_finding_is_told(case, left_out):
    found = [diagnostic(code, case, line) for index, (code, line) in enumerate(ALL) if index != left_out]
    result = run_case(case, lambda path: found)
    assert [each.code for each in result.missing] == [ALL[left_out][0]]
    assert not result.surprising


@pytest.mark.parametrize(("code", "line"), [("X.first", 2), ("X.new", 1), ("X.new", None)])
def test_each_surprising_finding_is_told(case, code, line):
    found = [diagnostic(each, case, at) for each, at in ALL] + [diagnostic(code, case, line)]
    with pytest.raises(AssertionError, match=rf"not expected: .*{code}"):
        assert_case(case, lambda path: found)


def test_an_sref_beside_the_case_expects_too_when_it_is_named(tmp_path):
    spec, sref = tmp_path / "spec.yaml", tmp_path / "my.sref.yaml"
    spec.write_text("sref: my.sref.yaml\n")
    sref.write_text("fields: []  # expect: sref.pk-missing\n")
    assert cases(tmp_path) == (spec,)
    assert run_case(spec, lambda path: [diagnostic("sref.pk-missing", sref, 1)]).ok
    assert run_case(spec, lambda path: []).missing == (Expected("my.sref.yaml", 1, "sref.pk-missing"),)
    spec.write_text("sref: other\n")
    assert run_case(spec, lambda path: []).ok
