"""The first minutes: `init`, `explain`, `schema`, `backends`, `doctor`, `keys`."""

from __future__ import annotations

import json
import stat

import pytest


def test_what_init_writes_validates_and_compiles(cli, tmp_path):
    made = cli("init", "mine", "--name", "first-try", cwd=tmp_path)
    assert made.code == 0
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"spec.yaml", "data.sref.yaml"}
    checked = cli("validate", "mine", "--format", "json", cwd=tmp_path)
    assert checked.code == 0
    assert checked.json["findings"] == []
    assert checked.json["summary"]["files"] == 2
    compiled = cli("compile", "mine/spec.yaml", "--format", "json", cwd=tmp_path)
    assert compiled.code == 0
    assert compiled.json["unsupported"] == {}
    assert (tmp_path / "first-try.plan.json").is_file()


def test_init_overwrites_nothing(cli, tmp_path):
    (tmp_path / "data.sref.yaml").write_text("mine", encoding="utf-8")
    again = cli("init", ".", cwd=tmp_path)
    assert again.code == 2
    assert "data.sref.yaml" in again.err
    assert [path.name for path in tmp_path.iterdir()] == ["data.sref.yaml"]
    assert (tmp_path / "data.sref.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["", "1st", "a b", "a/b", "x\n", "a: b", "ä"])
def test_init_takes_only_a_name(cli, tmp_path, name):
    assert cli("init", "mine", "--name", name, cwd=tmp_path).code == 2
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    "name", ["P405-4.budget-missing", "syntax.duplicate-key", "P405-4", "S405-6", "C40-511", "M40-5.3", "c40-519"]
)
def test_codes_axioms_equations_and_contracts_are_explained(cli, tmp_path, name):
    answer = cli("explain", name, cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert name.casefold() in answer.out.splitlines()[0].casefold()


def test_a_near_miss_is_answered_with_the_nearest(cli, tmp_path):
    answer = cli("explain", "P405-4.budget-mising", cwd=tmp_path)
    assert answer.code == 2
    assert "did you mean 'P405-4.budget-missing'?" in answer.err


def test_every_finding_can_be_explained(cli, project):
    text = (project / "marks.yaml").read_text(encoding="utf-8")
    (project / "marks.yaml").write_text(text.replace("seed: 7, ", ""), encoding="utf-8")
    findings = cli("validate", "marks.yaml", "--format", "json", cwd=project).json["findings"]
    assert [finding["code"] for finding in findings] == ["P405-8.seed-missing"]
    assert cli("explain", findings[0]["code"], cwd=project).code == 0


def test_a_schema_is_printed_for_every_kind(cli, tmp_path):
    for kind in ("EngineSpec", "SRef", "Manifest"):
        schema = cli("schema", kind, cwd=tmp_path).json
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    older = cli("schema", "EngineSpec", "--draft", "draft-07", cwd=tmp_path).json
    assert older["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_a_manifest_meets_its_published_schema(cli, marks, pictures):
    jsonschema = pytest.importorskip("jsonschema")
    schema = cli("schema", "Manifest", cwd=marks.folder).json
    for run in (marks, pictures):
        jsonschema.Draft202012Validator(schema).validate(run.manifest)


def test_what_is_installed_is_listed(cli, tmp_path):
    listed = {each["name"]: each for each in cli("backends", "--format", "json", cwd=tmp_path).json["backends"]}
    assert {"null", "reference", "torch", "diffusers"} <= set(listed)
    assert all(each["missing"] == "" for each in listed.values())
    doctor = cli("doctor", cwd=tmp_path)
    assert doctor.code == 0
    assert "backend diffusers" in doctor.out


def test_keys_are_made_once_for_their_owner_and_never_printed(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    assert cli("keys", "list", cwd=tmp_path).out.startswith("no keys yet")
    made = cli("keys", "new", "team", "--algorithm", "ed25519", cwd=tmp_path)
    assert made.code == 0
    path = tmp_path / "config" / "keys" / "team.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "PRIVATE" not in made.out + made.err
    assert cli("keys", "new", "team", cwd=tmp_path).code == 2
    listed = cli("keys", "list", cwd=tmp_path).out.split("\t")
    assert listed[:3] == ["team", "user", "ed25519"]
    assert cli("keys", "show", "nobody", cwd=tmp_path).code == 2


def test_one_object_is_printed_in_json_whatever_the_exit_code(cli, project, marks):
    (project / "marks.yaml").write_text("kind: [", encoding="utf-8")
    for words in (("validate", "marks.yaml"), ("compile", "marks.yaml"), ("run", "marks.yaml")):
        answer = cli(*words, "--format", "json", cwd=project)
        assert answer.code == 1
        assert [finding["code"] for finding in json.loads(answer.out)["findings"]] == ["syntax.yaml"]
