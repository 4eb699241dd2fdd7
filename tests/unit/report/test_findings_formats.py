"""Every format of findings, against its own standard or the rules of the service that reads it."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.diag import Diagnostic, Related, Severity
from synthspec.report.findings import RENDERERS, Report, renderer, unique_fingerprints, worst_first
from synthspec.rules.codes import CODES
from synthspec.text import Source

# The OASIS schema of SARIF 2.1.0 as Microsoft's SARIF SDK (MIT licence) carries it.
SARIF = json.loads((Path(__file__).parent / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
TEXT = "apiVersion: synthspec/v1\nprivacy: {mechanism: dp-sgd}\nnamé: [a,\n  b]\n"
SOURCE = Source("specs/a spec.yaml", TEXT)


def finding(code="P405-4.budget-missing", at=(25, 32), severity=Severity.ERROR, source=SOURCE, **changes):
    values = {"message": "eps_budget is missing", "help": "add it", "path": ("privacy",), **changes}
    return Diagnostic(code=code, span=source.span(*at) if at else None, severity=severity, **values)


WARNING = finding("sref.range-missing", (54, 58), Severity.WARNING, message="namé has no range", path=("namé",))
NOWHERE = finding("engine.backend-unsupported", None, message="nobody can", help="", path=())
TWO_LINES = finding("schema.wrong-type", (54, 67), related=(Related("the mechanism", SOURCE.span(25, 32)),))
ALL = (WARNING, NOWHERE, TWO_LINES, finding())
REPORT = Report(ALL, ("specs/a spec.yaml", "clean.yaml"))
CLEAN = Report((), ("clean.yaml",))

few = settings(max_examples=30)
texts = st.text(max_size=8)
any_finding = st.builds(
    finding,
    code=st.sampled_from([*sorted(CODES), "someone.else"]),
    at=st.none() | st.tuples(st.integers(0, 40), st.integers(41, 70)),
    severity=st.sampled_from(Severity),
    source=st.builds(Source, st.text(min_size=1, max_size=20), st.just(TEXT)),
    message=texts,
    help=texts,
    path=st.lists(texts | st.integers(0, 9), max_size=3).map(tuple),
)
reports = st.builds(
    Report,
    st.tuples(st.lists(any_finding, max_size=4), st.integers(1, 8)).map(lambda each: tuple(each[0] * each[1])),
    st.lists(st.text(min_size=1), max_size=3).map(tuple),
)


def written(name, report=REPORT):
    return renderer(name)(report)


@pytest.mark.parametrize("name", RENDERERS)
@few
@given(report=reports)
def test_whatever_the_findings_say_a_form_holds_them_all(name, report):
    text = renderer(name)(report)
    assert not text or text.endswith("\n")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text)


@pytest.mark.parametrize("name", ["text", "concise", "github", "markdown"])
def test_forms_for_people_end_with_a_count(name):
    assert written(name).splitlines()[-1] == "2 files checked: 3 errors, 1 warning"
    assert written(name, CLEAN) == "1 file checked: 0 errors, 0 warnings\n"


def test_the_choices_of_the_command_line_are_the_table():
    from synthspec.cli.answer import FindingsFormat

    assert [form.value for form in FindingsFormat] == list(RENDERERS)


def test_validate_loads_no_renderer_that_is_not_asked_for():
    program = (
        "import sys, synthspec.cli.main, synthspec.report.findings as f; f.renderer('text');"
        "print([n for n in f.RENDERERS if f.RENDERERS[n] in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "['text']"


def test_worst_first_is_errors_by_place_then_warnings():
    assert worst_first(ALL) == [NOWHERE, finding(), TWO_LINES, WARNING]


def test_two_findings_that_say_the_same_have_fingerprints_of_their_own():
    told = unique_fingerprints([finding(), finding(at=(0, 4)), WARNING])
    assert len(set(told)) == 3
    assert told[0] == finding().fingerprint


def test_concise_is_a_line_each():
    assert written("concise").splitlines()[1:3] == [
        "specs/a spec.yaml:2:1: error[P405-4.budget-missing]: eps_budget is missing",
        "specs/a spec.yaml:3:1: error[schema.wrong-type]: eps_budget is missing",
    ]


def test_concise_stays_on_its_line():
    report = Report((finding(message="one\ntwo\x1b[31m"),), ("x",))
    assert written("concise", report).splitlines()[0].endswith(r": one two\u001b[31m")


def test_jsonl_lines_are_the_findings_of_json():
    lines = [json.loads(line) for line in written("jsonl").splitlines()]
    assert lines == json.loads(written("json"))["findings"]
    assert written("jsonl", CLEAN) == ""


def test_json_carries_what_the_verb_adds():
    assert json.loads(renderer("json")(Report((), (), {"baseline": {"hidden": 2}})))["baseline"] == {"hidden": 2}


# -- SARIF -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sarif_validator():
    kind = jsonschema.validators.validator_for(SARIF)
    kind.check_schema(SARIF)
    return kind(SARIF, format_checker=kind.FORMAT_CHECKER)


def test_sarif_meets_its_schema(sarif_validator):
    sarif_validator.validate(json.loads(written("sarif")))
    sarif_validator.validate(json.loads(written("sarif", CLEAN)))
    with pytest.raises(jsonschema.ValidationError):
        sarif_validator.validate({"version": "2.1.0", "runs": [{"tool": {}}]})


@few
@given(report=reports)
def test_sarif_meets_its_schema_whatever_is_found(sarif_validator, report):
    sarif_validator.validate(json.loads(renderer("sarif")(report)))


def test_sarif_says_where_and_by_which_rule():
    (run,) = json.loads(written("sarif"))["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    by_rule = {result["ruleId"]: result for result in run["results"]}
    result = by_rule["schema.wrong-type"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "specs/a%20spec.yaml"},
        "region": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 4},
    }
    assert result["relatedLocations"][0]["message"] == {"text": "the mechanism"}
    assert result["partialFingerprints"] == {"synthspec/v1": TWO_LINES.fingerprint}
    assert "locations" not in by_rule["engine.backend-unsupported"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    budget = next(rule for rule in rules if rule["id"] == "P405-4.budget-missing")
    assert budget["name"] == "BudgetMissing"
    assert budget["shortDescription"]["text"] == CODES["P405-4.budget-missing"].page.title
    assert budget["helpUri"].endswith("/P405-4.budget-missing")
    warned = next(rule for rule in rules if rule["id"] == "sref.range-missing")
    assert warned["defaultConfiguration"] == {"level": "warning"}


def test_a_colon_in_a_file_name_does_not_make_a_scheme_of_a_uri():
    (run,) = json.loads(renderer("sarif")(Report((finding(source=Source("a:b/ü.yaml", TEXT)),), ())))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%3Ab/%C3%BC.yaml"


def test_an_absolute_file_is_a_file_uri():
    (run,) = json.loads(renderer("sarif")(Report((finding(source=Source("/a/b.yaml", TEXT)),), ())))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "file:///a/b.yaml"


# -- GitHub ----------------------------------------------------------------------------------------------------------


def test_github_annotations():
    lines = written("github").splitlines()
    assert lines[1] == (
        "::error file=specs/a spec.yaml,line=2,endLine=2,col=1,endColumn=8,title=P405-4.budget-missing"
        "::eps_budget is missing%0Aadd it"
    )
    assert lines[0] == "::error title=engine.backend-unsupported::nobody can"
    assert lines[2].startswith("::error file=specs/a spec.yaml,line=3,endLine=4,title=")
    assert lines[3].startswith("::warning ")


def test_github_escapes_what_would_end_a_property_or_a_command():
    odd = finding(source=Source("a,b:c%.yaml", TEXT), message="50%\r\n::error::x, y: z", help="")
    line = renderer("github")(Report((odd,), ("x",))).splitlines()[0]
    assert line.startswith("::error file=a%2Cb%3Ac%25.yaml,line=")
    assert line.endswith("::50%25%0D%0A::error::x, y: z")


@few
@given(report=reports)
def test_github_shows_ten_a_level_and_counts_the_rest(report):
    lines = renderer("github")(report).splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    warnings = [line for line in lines if line.startswith("::warning ")]
    found = sum(each.is_error for each in report.findings)
    assert len(errors) == min(10, found)
    assert len(warnings) == min(10, len(report.findings) - found)
    assert lines[: len(errors)] == errors
    notices = [line for line in lines if line.startswith("::notice ")]
    assert len(lines) == len(errors) + len(warnings) + len(notices) + 1
    assert len(notices) == (found > 10 or len(report.findings) - found > 10)


def test_github_names_both_rests():
    many = tuple(finding(message=str(n)) for n in range(13)) + tuple([WARNING] * 11)
    notice = renderer("github")(Report(many, ("x",))).splitlines()[-2]
    assert "3 more errors and 1 more warning not shown" in notice


# -- GitLab, JUnit, Markdown -----------------------------------------------------------------------------------------


def test_gitlab_issues():
    issues = json.loads(written("gitlab"))
    assert [issue["severity"] for issue in issues] == ["major", "major", "major", "minor"]
    assert issues[0]["location"] == {"path": ".", "lines": {"begin": 1, "end": 1}}
    assert issues[1] == {
        "description": "eps_budget is missing (add it)",
        "check_name": "P405-4.budget-missing",
        "fingerprint": finding().fingerprint,
        "severity": "major",
        "location": {"path": "specs/a spec.yaml", "lines": {"begin": 2, "end": 2}},
    }
    assert json.loads(written("gitlab", CLEAN)) == []


@few
@given(report=reports)
def test_gitlab_fingerprints_are_unique(report):
    issues = json.loads(renderer("gitlab")(report))
    assert len({issue["fingerprint"] for issue in issues}) == len(report.findings)


@few
@given(report=reports)
def test_junit_counts_what_it_holds(report):
    root = ET.fromstring(renderer("junit")(report))
    suites = root.findall("testsuite")
    for suite in suites:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
    errors = sum(each.is_error for each in report.findings)
    assert int(root.get("failures")) == len(root.findall(".//failure")) == errors
    assert int(root.get("tests")) == len(root.findall(".//testcase"))
    assert len(root.findall(".//system-out")) == len(report.findings) - errors


def test_junit_has_a_suite_for_each_file():
    root = ET.fromstring(written("junit"))
    assert [suite.get("name") for suite in root] == ["specs/a spec.yaml", "clean.yaml", "synthspec"]
    clean = root[1].find("testcase")
    assert clean.get("classname") == "clean.yaml"
    assert list(clean) == []
    failure = root[0].find("testcase[@name='P405-4.budget-missing at 2:1']/failure")
    assert failure.get("message") == "eps_budget is missing"
    assert failure.text == "specs/a spec.yaml:2:1: eps_budget is missing\nhelp: add it"


def test_junit_is_xml_whatever_a_message_holds():
    odd = finding(message='a\ufffe\ud800\x00<&"]]>', help="\uffff")
    failure = ET.fromstring(renderer("junit")(Report((odd,), ("x",)))).find(".//failure")
    assert failure.get("message") == r"a\ufffe\ud800\u0000" + '<&"]]>'
    assert failure.text.endswith(r"help: \uffff")


def test_markdown_is_a_table_nobody_can_break():
    odd = finding(message="a | b\n@all <img src=x>", help="`x`")
    lines = renderer("markdown")(Report((odd,), ("x",))).splitlines()
    assert lines[2] == (
        "| error | [P405-4.budget-missing](https://synthspec.dev/rules/P405-4.budget-missing) "
        r"| specs/a spec.yaml:2:1 | a \| b \@all \<img src=x\> | \`x\` |"
    )
    assert lines[3] == ""
