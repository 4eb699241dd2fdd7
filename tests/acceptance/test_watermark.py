"""A marked run, and who can tell (S413-3)."""

import json

import pytest


@pytest.fixture
def desk(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def mark(spec, body):
    text = spec.read_text()
    if "release:" in text:
        return text.replace("release:", f"release:\n  watermark: {body}", 1)
    return text.rstrip("\n") + f"\nrelease:\n  watermark: {body}\n"


def detect(cli, desk, file, sref, *words):
    answer = cli("watermark", "detect", file, "--sref", sref, "--format", "json", *words, cwd=desk)
    assert answer.code in (0, 1), answer.out + answer.err
    found = json.loads(answer.out)
    assert (answer.code == 0) == found["detected"]
    return found


def test_a_marked_table_is_told_by_its_key_and_by_no_other(cli, desk, spec, project):
    spec.write_text(mark(spec, "{method: selection, candidates: 2}"))
    out = desk / "run"
    words = ("--store", desk / "store", "--out", out, "--quiet", "--set", "sampling.n=500")
    answer = cli("run", spec, *words, cwd=project)
    assert answer.code in (0, 1), answer.out + answer.err
    assert cli("verify", out, cwd=desk).code == answer.code
    sref = project / "marks.sref.yaml"
    found = detect(cli, desk, out / "samples.csv", sref)
    assert (found["records"], found["detected"]) == (500, True)
    assert found["p"] < 1e-6
    cli("run", spec, *words, "--out", desk / "p", "--set", "release.format=parquet", cwd=project)
    assert detect(cli, desk, desk / "p" / "samples.parquet", sref)["p"] == found["p"]
    cli("watermark", "new", "other", cwd=desk)
    assert not detect(cli, desk, out / "samples.csv", sref, "--key", "other")["detected"]
    assert not detect(cli, desk, project / "marks.csv", sref)["detected"], "real data carry no mark"
    manifest = json.loads((out / "manifest.json").read_text())
    named = {each["name"]: each["digest"]["sha256"] for each in manifest["dependencies"]}
    listed = dict(line.split("\t") for line in cli("watermark", "list", cwd=desk).out.splitlines())
    assert named["watermark key default"] == listed["default"]
    assert manifest["dataset"]["n_syn"] == manifest["generation"]["controls"]["n"] == 500
    assert manifest["generation"]["controls"]["watermark.candidates"] == 2
    secret = (desk / "config" / "watermark" / "default.key").read_text().strip()
    assert all(secret not in path.read_text(errors="replace") for path in out.rglob("*") if path.is_file())


def test_a_key_that_is_not_there_stops_before_anything(cli, desk, spec, project):
    spec.write_text(mark(spec, "{method: selection, key: team}"))
    answer = cli("run", spec, "--store", desk / "store", "--out", desk / "run", cwd=project)
    assert answer.code == 1
    assert "schema.not-found" in answer.out
    assert "synthspec watermark new team" in answer.out
    assert not (desk / "run").exists()
