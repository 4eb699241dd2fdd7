"""`init --from` at the command line: two files or none; `validate` asks for units and thresholds; then it compiles."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ROWS = [
    "id,age,load [kW],kind,when",
    *(f"p{k},{20 + k % 50},{0.25 * k},{'ab'[k % 2]},2026-01-01T00:00:{k % 60:02}Z" for k in range(600)),
]


@pytest.fixture
def table(folder):
    for file in folder.glob("*.yaml"):
        file.unlink()
    (folder / "people.csv").write_text("\n".join(ROWS), encoding="utf-8")
    return folder


def findings(program):
    return json.loads(program("validate", ".", "--format", "json").out)["findings"]


def fill(folder):
    """State what validate asks for."""
    limits = {
        "C40-511: {}": "C40-511: {tol_W1: 5.0}",
        "C40-512: {}": "C40-512: {tol_bpd: 40.0, tol_inv: 1.0e-2}",
        "C40-513: {}": "C40-513: {tol_collapse: 1.0}",
        "C40-514: {}": "C40-514: {NFE_max: 8, SLO_latency: 2000 ms, cfg_max: 0.0}",
        "C40-515: {}": "C40-515: {covg_min: 0.01, tol_mode_drop: 1.0}",
        "C40-516: {}": "C40-516: {mi_max: 0.95}",
    }
    spec, sref = folder / "spec.yaml", folder / "data.sref.yaml"
    text = spec.read_text(encoding="utf-8")
    for empty, stated in limits.items():
        text = text.replace(empty, stated)
    spec.write_text(text, encoding="utf-8")
    sref.write_text(
        sref.read_text(encoding="utf-8").replace(", range:", ", unit: dimensionless, range:"), encoding="utf-8"
    )


@pytest.mark.parametrize("family", ["flow", "vae", "gan", "diffusion"])
def test_a_draft_lacks_units_and_thresholds_and_compiles_when_they_are_stated(program, table, family):
    made = program("init", ".", "--from", "people.csv", "--family", family, "--target", "kind")
    assert made.code == 0, made.err
    asked = findings(program)
    assert {each["code"] for each in asked} == {"sref.unit-missing", "C40.threshold-missing"}
    lines = (table / "data.sref.yaml").read_text(encoding="utf-8").splitlines()
    named = [lines[each["range"]["start"]["line"] - 1] for each in asked if each["code"] == "sref.unit-missing"]
    assert [line.split(",")[0] for line in named] == ["  - {name: age", "  - {name: load"]
    fill(table)
    assert findings(program) == []
    compiled = program("compile", "spec.yaml", "--format", "json")
    assert compiled.code == 0, compiled.out
    assert json.loads(compiled.out)["unsupported"] == {}


def test_calibrate_takes_a_draft_whose_units_are_stated(program, table):
    assert program("init", ".", "--from", "people.csv").code == 0
    sref = table / "data.sref.yaml"
    sref.write_text(
        sref.read_text(encoding="utf-8").replace(", range:", ", unit: dimensionless, range:"), encoding="utf-8"
    )
    words = ("--cuts", "19", "--set", "evaluation.metrics=[W1]", "--quiet")
    found = program("calibrate", "spec.yaml", *words)
    assert found.code == 0, found.out + found.err
    assert "C40-511: {tol_W1:" in found.out


def test_privacy_is_a_stated_choice_that_is_explained_in_both_files(program, table):
    assert program("init", ".", "--from", "people.csv").code == 0
    spec = (table / "spec.yaml").read_text(encoding="utf-8")
    assert "\nprivacy: {mechanism: none}\n" in spec
    assert "must then come from elsewhere" in spec
    assert "PRIVACY" in (table / "data.sref.yaml").read_text(encoding="utf-8")


def test_nothing_is_written_over(program, table):
    (table / "data.sref.yaml").write_text("mine", encoding="utf-8")
    again = program("init", ".", "--from", "people.csv")
    assert again.code == 2
    assert "there already" in again.err
    assert not (table / "spec.yaml").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "nobody.csv"), "no such file"),
        (("--from", "."), "not a file"),
        (("--from", "ragged.csv"), "line 3"),
        (("--from", "twice.csv"), "two columns are called 'a'"),
        (("--from", "empty.csv"), "is empty"),
        (("--from", "one.csv"), "one record"),
        (("--from", "notes.txt"), "is not read"),
        (("--from", "sklearn://nobody"), "carries no data set"),
        (("--from", "people.csv", "--key", "kind"), "cannot be the key"),
        (("--from", "people.csv", "--target", "kinds"), "did you mean 'kind'"),
        (("--from", "people.csv", "--name", "no name"), "is not a name"),
        (("--target", "kind"), "--from"),
    ],
)
def test_what_cannot_be_drafted_is_said_and_writes_nothing(program, table, words, says):
    for name, text in {"ragged": "a,b\n1,2\n3\n", "twice": "a,a\n1,2\n", "empty": "", "one": "a,b\n1,2\n"}.items():
        (table / f"{name}.csv").write_text(text, encoding="utf-8")
    (table / "notes.txt").write_text("a", encoding="utf-8")
    (table / "synthspec.toml").write_text("", encoding="utf-8")
    answer = program("init", "new", *words)
    assert answer.code == 2
    assert says in answer.err, answer.err
    assert not (table / "new").exists()


def test_a_table_out_of_reach_is_refused_with_the_ways_to_reach_it(program, table):
    refused = program("init", "new", "--from", "people.csv")
    assert refused.code == 2
    assert "synthspec init . --from people.csv" in refused.err
    assert not (table / "new").exists()
    (table / "synthspec.toml").write_text("", encoding="utf-8")
    assert program("init", "new", "--from", "people.csv").code == 0
    assert 'source: "../people.csv"' in (table / "new" / "spec.yaml").read_text(encoding="utf-8")
    assert {each["code"] for each in json.loads(program("validate", "new", "--format", "json").out)["findings"]} == {
        "sref.unit-missing",
        "C40.threshold-missing",
    }


def test_a_carried_set_is_a_source_like_any(program, table):
    assert program("init", ".", "--from", "sklearn://iris", "--target", "target").code == 0
    assert {each["code"] for each in findings(program)} == {"sref.unit-missing", "C40.threshold-missing"}


def test_the_verb_is_there_before_numpy(tmp_path):
    code = (
        "import sys\nfrom synthspec.cli.main import run\nsys.argv[1:] = ['init', *sys.argv[1:]]\n"
        "try:\n    run()\nfinally:\n    print(*sorted({'numpy', 'scipy', 'torch'} & set(sys.modules)), file=sys.stderr)\n"
    )
    for words in (["--help"], ["mine"]):
        answer = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
        assert answer.stderr.strip() == ""


def test_a_root_is_marked_only_when_asked_and_the_draft_below_it_validates(program, table):
    refused = program("init", "new", "--from", "people.csv")
    assert "--root . to this command" in refused.err
    made = program("init", "new", "--from", "people.csv", "--root", ".")
    assert made.code == 0, made.err
    assert (table / "synthspec.toml").is_file()
    assert {each["code"] for each in json.loads(program("validate", "new", "--format", "json").out)["findings"]} == {
        "sref.unit-missing",
        "C40.threshold-missing",
    }
    (table / "synthspec.toml").write_text("# mine\n", encoding="utf-8")
    assert program("init", "newer", "--from", "people.csv", "--root", ".").code == 0
    assert (table / "synthspec.toml").read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize(
    ("folder_of_spec", "root", "says"),
    [
        ("new", "nobody", "no such folder"),
        ("new", "beside", "does not lie in it"),
        ("new", "/", "holds all that is yours"),
        ("marked/new", ".", "is nearer to marked/new"),
        ("beside/new", "beside", "--root . to this command"),
    ],
)
def test_a_root_that_cannot_be_is_refused_and_writes_nothing(program, table, folder_of_spec, root, says):
    for name in ("beside", "marked"):
        (table / name).mkdir()
    (table / "marked" / "synthspec.toml").touch()
    answer = program("init", folder_of_spec, "--from", "people.csv", "--root", root)
    assert answer.code == 2
    assert says in answer.err, answer.err
    assert not (table / folder_of_spec).exists()
    assert not (table / "synthspec.toml").exists()
    assert not (table / "beside" / "synthspec.toml").exists()


@pytest.mark.parametrize("words", [(), ("--from", "sklearn://iris")])
def test_the_next_command_can_be_pasted(program, table, words):
    made = program("init", "my study", *words)
    assert made.code == 0, made.err
    assert "next: synthspec validate 'my study/spec.yaml'" in made.out


def test_a_home_is_never_offered_as_a_root(program, table, monkeypatch):
    monkeypatch.setenv("HOME", str(table))
    refused = program("init", "new", "--from", "people.csv")
    assert refused.code == 2
    assert "--root" not in refused.err
    assert "holds all that is yours" in program("init", "new", "--from", "people.csv", "--root", ".").err
