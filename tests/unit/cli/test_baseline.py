"""A baseline holds back what was there, tells what is new, and says when it has outlived its entries."""

import json

import pytest


@pytest.fixture
def spec(folder):
    """A spec with two errors."""
    file = folder / "spec.yaml"
    text = file.read_bytes().replace(b", coverage_min: 1.0", b"").replace(b"NFE: 40}", b"NFE: 39}")
    file.write_bytes(text)
    return file


@pytest.fixture
def known(program, spec, folder):
    answer = program("validate", ".", "--baseline", "base.json", "--write-baseline")
    assert (answer.code, answer.out, answer.err) == (0, "", "wrote base.json (2 findings)\n")
    return folder / "base.json"


def test_it_is_written_one_finding_a_line(known):
    stored = json.loads(known.read_bytes())
    assert [entry["code"] for entry in stored["findings"]] == ["P405-2.coverage-missing", "P405-8.nfe-not-reachable"]
    assert {entry["path"] for entry in stored["findings"]} == {"spec.yaml"}
    assert len(known.read_text(encoding="utf-8").splitlines()) == 5 + len(stored["findings"])


def test_what_it_holds_is_not_told_but_counted(program, known, spec):
    spec.write_bytes(b"# lines\n# move\n" + spec.read_bytes())
    answer = program("validate", ".", "--baseline", "base.json")
    assert (answer.code, answer.out) == (0, "2 files checked: 0 errors, 0 warnings\n")
    assert answer.err == "note: 2 findings of the baseline not shown\n"
    assert program("validate", ".", "--baseline", "base.json", "--quiet").err == ""


def test_what_is_new_is_told(program, known, spec):
    spec.write_bytes(spec.read_bytes().replace(b"seed: 7, ", b""))
    answer = program("validate", ".", "--baseline", "base.json", "--format", "concise")
    assert answer.code == 1
    assert "P405-8.seed-missing" in answer.out
    assert "nfe-not-reachable" not in answer.out


def test_entries_that_fit_nothing_are_noted(program, known, spec):
    spec.write_bytes(spec.read_bytes().replace(b"NFE: 39}", b"NFE: 40}"))
    answer = program("validate", ".", "--baseline", "base.json", "--format", "json")
    assert json.loads(answer.out)["baseline"] == {"hidden": 1, "stale": 1}
    assert "1 of its entries fits nothing any more" in answer.err
    # A file that was not looked at may still have what the baseline says of it.
    assert "fit" not in program("validate", "digits.sref.yaml", "--baseline", "base.json").err
    spec.unlink()
    assert "2 of its entries fit nothing" in program("validate", ".", "--baseline", "base.json").err


def test_a_baseline_lets_nothing_run(program, known):
    assert program("compile", "spec.yaml").code == 1


def test_an_empty_one(program, folder):
    assert program("validate", ".", "--baseline", "base.json", "--write-baseline", "--quiet").err == ""
    assert json.loads((folder / "base.json").read_bytes())["findings"] == []
    assert program("validate", ".", "--baseline", "base.json").err == ""


@pytest.mark.parametrize(
    "stored", ["", "{}", "[]", '{"format_version": "2", "findings": []}', '{"format_version": "1", "findings": [1]}']
)
def test_what_is_no_baseline_is_refused(program, folder, stored):
    (folder / "base.json").write_text(stored, encoding="utf-8")
    answer = program("validate", ".", "--baseline", "base.json")
    assert answer.code == 2
    assert "base.json" in answer.err


def test_a_baseline_that_is_not_there_is_refused(program):
    assert program("validate", ".", "--baseline", "base.json").code == 2
