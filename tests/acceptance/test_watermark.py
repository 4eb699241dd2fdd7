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


def test_who_has_no_key_is_told_to_ask_for_it(cli, desk, spec, project):
    """A key that is made now finds no mark that was made before."""
    answer = cli(
        "watermark", "detect", project / "marks.csv", "--sref", project / "marks.sref.yaml", "--key", "theirs", cwd=desk
    )
    assert (answer.code, answer.out) == (2, "")
    assert "--key" in answer.err
    assert "watermark new" not in answer.err


INSTANTS = """\
apiVersion: synthspec/v1
kind: SRef
metadata: {name: calls, version: 1.0.0, description: Calls by their instant and length.}
modality: tabular
fields:
  - {name: rid, role: key, dtype: int64}
  - {name: begun, role: content, dtype: timestamp}
  - {name: lasted, role: content, dtype: float64, unit: s, range: [0, 100], resolution: 0.001}
keys: {pk: [rid]}
"""


def test_a_mark_is_told_in_records_with_instants_too(cli, desk):
    """No metric reads an instant, and such tables are marked nevertheless."""
    import numpy as np

    from synthspec.backend.dataset import Dataset
    from synthspec.execute.core.export import to_csv
    from synthspec.pipeline.front import load_sref
    from synthspec.resolve import bind_schema
    from synthspec.watermark import key_path, read_key
    from synthspec.watermark.selection import canonical, scores, select

    sref = desk / "calls.sref.yaml"
    sref.write_text(INSTANTS)
    assert cli("watermark", "new", "default", cwd=desk).code == 0
    schema = load_sref(sref).then(bind_schema).value
    rng = np.random.default_rng(0)
    columns = {"begun": rng.integers(0, 10**18, 1000), "lasted": rng.integers(0, 10**5, 1000) / 1000}
    drawn = Dataset({"rid": np.arange(1000), **columns})
    key = read_key(key_path(desk / "config" / "watermark", "default"))
    kept = select(scores(key, canonical(schema, drawn)), np.zeros(1000, np.int64), 2)
    for name, rows, detected in (("marked", kept, True), ("unmarked", np.arange(500), False)):
        (desk / f"{name}.csv").write_text(to_csv(schema, drawn.take(rows)))
        found = detect(cli, desk, desk / f"{name}.csv", sref)
        assert (found["records"], found["detected"]) == (500, detected)
