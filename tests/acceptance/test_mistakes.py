"""`validate`: the shape of its answer, and one finding with line, column and help for each mistake of the acceptance."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FINDING = {"code", "severity", "message", "help", "path", "pointer", "range", "related", "fingerprint", "url"}
CLEAN = {"files": 1, "errors": 0, "warnings": 0}


def changed(spec: Path, old: str, new: str) -> Path:
    text = spec.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    spec.write_text(text.replace(old, new), encoding="utf-8")
    return spec


def only(answer):
    """The one finding of `answer`, and where it starts and ends."""
    assert answer.code == 1, answer.out
    assert answer.json["summary"] == {"files": 1, "errors": 1, "warnings": 0}
    (finding,) = answer.json["findings"]
    places = finding["range"]
    return finding, *((places[end]["line"], places[end]["column"]) for end in ("start", "end"))


MISTAKES = {
    "an age beyond the calendar": (
        "sampling: {n: 200",
        "release: {max_age_days: 1.0e9}\nsampling: {n: 200",
        ("schema.bad-value", (31, 25), (31, 30), "allowed: greater than 0 and at most 36525", "/release/max_age_days"),
    ),
    "a key written twice": (
        "  source: marks.csv\n",
        "  source: marks.csv\n  source: marks.csv\n",
        ("syntax.duplicate-key", (10, 3), (10, 9), "keep one of the two", "/data/source"),
    ),
    "an unknown key": (
        "batch_size",
        "batchsize",
        ("schema.unknown-key", (19, 23), (19, 32), "did you mean 'batch_size'?", "/training/batchsize"),
    ),
    "an unknown section": (
        "\nobjective:",
        "\nobjectiv:",
        ("schema.unknown-key", (17, 1), (17, 9), "did you mean 'objective'?", "/objectiv"),
    ),
    "a family that is none": (
        "family: gan",
        "family: gann",
        ("schema.bad-value", (13, 11), (13, 15), "did you mean 'gan'?", "/engine/family"),
    ),
    "a schema that is not there": (
        "sref: marks.sref.yaml",
        "sref: mark.sref.yaml",
        ("schema.not-found", (6, 7), (6, 21), "did you mean 'marks.sref.yaml'?", "/sref"),
    ),
    "data that are not there": (
        "source: marks.csv",
        "source: mark.csv",
        ("schema.not-found", (9, 11), (9, 19), "did you mean 'marks.csv'?", "/data/source"),
    ),
    "a number in quotes": (
        "mi_max: 0.5",
        'mi_max: "0.5"',
        ("schema.wrong-type", (41, 21), (41, 26), "remove the quotes: 0.5", "/contracts/C40-516/mi_max"),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_finding_at_its_place_with_help(cli, spec, mistake):
    old, new, wanted = MISTAKES[mistake]
    answer = cli("validate", changed(spec, old, new).name, "--format", "json", cwd=spec.parent)
    finding, start, end = only(answer)
    assert (finding["code"], start, end, finding["help"], finding["pointer"]) == wanted
    assert (finding["severity"], finding["path"]) == ("error", "marks.yaml")


def test_a_budget_in_quotes_is_one_finding_at_its_place(cli, examples, tmp_path):
    folder = tmp_path / "cancer"
    folder.mkdir()
    for name in ("spec.yaml", "cancer.sref.yaml"):
        (folder / name).write_bytes((examples / "cancer-dp-vae" / name).read_bytes())
    changed(folder / "spec.yaml", "  eps_budget: 4.0\n", '  eps_budget: "4"\n')
    finding, start, end = only(cli("validate", "spec.yaml", "--format", "json", cwd=folder))
    assert (finding["code"], start, end) == ("schema.wrong-type", (30, 15), (30, 18))
    assert finding["pointer"] == "/privacy/eps_budget"
    assert finding["help"] == "remove the quotes: 4"


def test_the_earlier_key_is_shown_beside_the_later_one(cli, spec):
    changed(spec, "  source: marks.csv\n", "  source: marks.csv\n  source: marks.csv\n")
    finding, *_ = only(cli("validate", spec.name, "--format", "json", cwd=spec.parent))
    (related,) = finding["related"]
    assert related["path"] == "marks.yaml"
    assert related["range"] == {"start": {"line": 9, "column": 3}, "end": {"line": 9, "column": 9}}


def test_the_answer_has_the_shape_of_the_language(cli, spec):
    changed(spec, "batch_size", "batchsize")
    told = cli("validate", spec.name, "--format", "json", cwd=spec.parent).json
    assert set(told) == {"format_version", "tool", "findings", "summary"}
    assert told["format_version"] == "1"
    assert set(told["tool"]) == {"name", "version"}
    assert told["tool"]["name"] == "synthspec"
    (finding,) = told["findings"]
    assert set(finding) == FINDING
    assert finding["url"].endswith("/schema.unknown-key")
    assert re.fullmatch(r"[0-9a-f]{16}", finding["fingerprint"])


def test_a_fingerprint_stays_when_lines_move(cli, spec):
    changed(spec, "batch_size", "batchsize")
    before = cli("validate", spec.name, "--format", "json", cwd=spec.parent).json["findings"][0]
    changed(spec, "\nengine:", "\n\n# moved\n\nengine:")
    after = cli("validate", spec.name, "--format", "json", cwd=spec.parent).json["findings"][0]
    assert before["fingerprint"] == after["fingerprint"]
    assert after["range"]["start"]["line"] == before["range"]["start"]["line"] + 3


def test_every_example_is_clean(cli, examples):
    answer = cli("validate", "examples/", "--format", "json", cwd=examples.parent)
    assert answer.code == 0
    assert answer.json["findings"] == []
    assert answer.json["summary"] == {"files": len(list(examples.rglob("*.yaml"))), "errors": 0, "warnings": 0}
    assert answer.err == ""


def test_files_are_counted_once_and_globs_are_expanded(cli, project):
    for words in (["."], ["*.yaml"], ["marks.yaml", "marks.sref.yaml", "marks.yaml"], [project, "./marks.yaml"]):
        told = cli("validate", *words, "--format", "json", cwd=project).json
        assert told["summary"] == {**CLEAN, "files": 2}, words


def test_findings_of_all_files_come_together_and_a_shared_schema_answers_once(cli, project):
    text = (project / "marks.yaml").read_text(encoding="utf-8")
    (project / "other.yaml").write_text(text, encoding="utf-8")
    changed(project / "marks.sref.yaml", "role: key", "role: kee")
    told = cli("validate", ".", "--format", "json", cwd=project).json
    assert told["summary"] == {"files": 3, "errors": 1, "warnings": 0}
    assert told["findings"][0]["path"] == "marks.sref.yaml"


def test_text_ends_with_a_count_and_shows_the_line_with_a_caret(cli, spec):
    changed(spec, "batch_size", "batchsize")
    answer = cli("validate", spec.name, cwd=spec.parent)
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert lines[-1] == "1 file checked: 1 error, 0 warnings"
    shown = lines.index("  19 | " + spec.read_text(encoding="utf-8").splitlines()[18])
    assert lines[shown + 1] == "     | " + " " * 22 + "^" * 9
    assert "    --> marks.yaml:19:23" in lines
    assert answer.err == ""


def test_a_spec_from_stdin_is_checked_under_the_name_it_is_given(cli, project):
    data = (project / "marks.yaml").read_bytes().replace(b"batch_size", b"batchsize")
    answer = cli("validate", "-", "--stdin-filename", "edited.yaml", "--format", "json", cwd=project, stdin=data)
    finding, start, _ = only(answer)
    assert (finding["path"], start) == ("edited.yaml", (19, 23))
    assert not (project / "edited.yaml").exists()


def test_what_is_selected_ignored_and_failed_on(cli, spec):
    changed(spec, "batch_size", "batchsize")

    def codes(*words):
        answer = cli("validate", spec.name, "--format", "json", *words, cwd=spec.parent)
        return answer.code, [finding["code"] for finding in answer.json["findings"]]

    assert codes("--select", "schema.") == (1, ["schema.unknown-key"])
    assert codes("--select", "P405-4") == (0, [])
    assert codes("--ignore", "schema.unknown-key") == (0, [])


def test_an_output_file_appears_whole_and_stdout_stays_empty(cli, spec):
    changed(spec, "batch_size", "batchsize")
    answer = cli("validate", spec.name, "--format", "json", "--output-file", "out/found.json", cwd=spec.parent)
    assert (answer.code, answer.out) == (1, "")
    assert '"schema.unknown-key"' in (spec.parent / "out" / "found.json").read_text(encoding="utf-8")


def test_quiet_says_nothing_of_what_is_clean(cli, spec):
    assert cli("validate", spec.name, "--quiet", cwd=spec.parent).out == ""


def test_validating_writes_nothing(cli, project, config):
    def state():
        return {path: path.stat().st_mtime_ns for folder in (project, config) for path in folder.rglob("*")}

    before = state()
    cli("validate", ".", cwd=project)
    assert state() == before


def test_a_change_on_the_command_line_is_checked_like_the_file(cli, spec):
    answer = cli("validate", spec.name, "--format", "json", "--set", "engine.family=gann", cwd=spec.parent)
    assert [finding["code"] for finding in answer.json["findings"]] == ["schema.bad-value"]
