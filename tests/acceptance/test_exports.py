"""A run in the words of other tools, each held against a reader that is not ours; and samples in every format."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
import sys

import pytest

EXPORTS = ("croissant.json", "model.cdx.json", "ro-crate-metadata.json")
ASKED = ("--set", "release={licence: CC-BY-4.0, exports: [croissant, ml_bom, ro_crate]}")
FORMATS = ("csv", "parquet", "jsonl", "npz")
_LOAD = """
import json, sys
import mlcroissant
found = []
for path in sys.argv[1:]:
    dataset = mlcroissant.Dataset(jsonld=path)
    issues = dataset.metadata.ctx.issues
    rows = [dict(row) for row in dataset.records("records")] if dataset.metadata.record_sets else []
    found.append([sorted(issues.errors), sorted(issues.warnings), len(rows), sorted(rows[0]) if rows else []])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def made(cli, marks, tmp_path_factory):
    """Runs of the small project with all exports: ``made("parquet")``."""
    folder = tmp_path_factory.mktemp("exports")
    for name in ("marks.yaml", "marks.sref.yaml", "marks.csv"):
        shutil.copy(marks.folder.parent / name, folder)
    done = {}

    def run(form="csv", name=None):
        name = name or form
        if name not in done:
            words = (*ASKED, "--set", f"release.format={form}", "--store", "store", "--out", name, "--quiet")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SOURCE_DATE_EPOCH", "1780000000")
                answer = cli("run", "marks.yaml", *words, cwd=folder)
            assert answer.code == 0, answer.out + answer.err
            done[name] = folder / name
        return done[name]

    return run


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made(), tmp_path / "run")


def codes(cli, folder):
    answer = cli("verify", folder, "--format", "json", cwd=folder.parent)
    return {each["code"] for each in answer.json["refusals"]}


def subjects(folder):
    envelope = json.loads((folder / "manifest.sigstore.json").read_bytes())["dsseEnvelope"]
    return {
        each["name"]: each["digest"]["sha256"] for each in json.loads(base64.b64decode(envelope["payload"]))["subject"]
    }


def test_croissant_is_read_by_the_loader_of_its_authors(made):
    if importlib.util.find_spec("mlcroissant") is None:
        pytest.skip("NOT READ WITH mlcroissant: it is not installed")
    words = [sys.executable, "-W", "ignore", "-c", _LOAD, *(str(made(form) / "croissant.json") for form in FORMATS)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = ["records/kind", "records/rid", "records/x", "records/y"]
    table = [[], [], 200, names]
    assert json.loads(done.stdout) == [table, table, table, [[], [], 0, []]]


def test_the_bill_of_materials_keeps_the_schema_of_cyclonedx(made):
    pytest.importorskip("cyclonedx", reason="NOT VALIDATED BY cyclonedx-python-lib: it is not installed")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = (made() / "model.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    card = json.loads(text)["metadata"]["component"]["modelCard"]
    manifest = json.loads((made() / "manifest.json").read_bytes())
    figures = card["quantitativeAnalysis"]["performanceMetrics"]
    told = {each["type"].partition(" [")[0]: each["value"] for each in figures}
    assert told == {each["label"]: str(float(each["value"])) for each in manifest["metrics"] if "value" in each}


def test_the_crate_is_read_by_the_library_of_ro_crate(made):
    pytest.importorskip("rocrate", reason="NOT READ WITH rocrate: it is not installed")
    from rocrate.rocrate import ROCrate

    crate = ROCrate(made())
    signed = subjects(made())
    files = {each.id: each["sha256"] for each in crate.data_entities if each.type == "File"}
    assert files == {name: sha for name, sha in signed.items() if name not in {"report.html", *EXPORTS}}
    assert crate.root_dataset["license"]["name"] == "CC-BY-4.0"
    run = crate.dereference("#run")
    assert {each.id for each in run["result"]} == {"samples.csv", "weights/engine.safetensors"}


def test_every_reference_in_the_crate_leads_somewhere(made):
    graph = json.loads((made() / "ro-crate-metadata.json").read_bytes())["@graph"]
    there = [each["@id"] for each in graph]
    assert len(set(there)) == len(there)

    def references(value):
        if isinstance(value, dict):
            return (
                [value["@id"]]
                if set(value) == {"@id"}
                else [ref for item in value.values() for ref in references(item)]
            )
        return [ref for item in value for ref in references(item)] if isinstance(value, list) else []

    assert set(references(graph)) - {"https://w3id.org/ro/crate/1.1"} <= set(there)


def test_exports_are_signed_for_and_have_the_same_bytes_each_time(made, cli):
    one, other = made(), made(name="again")
    for name in EXPORTS:
        assert name in subjects(one)
        assert (one / name).read_bytes() == (other / name).read_bytes()
        text = (one / name).read_text()
        assert subjects(one)["samples.csv"] in text
        assert json.loads((one / "manifest.json").read_bytes())["ir"]["digest"]["sha256"] in text
    assert codes(cli, one) == set()


@pytest.mark.parametrize("name", EXPORTS)
def test_a_changed_export_is_refused(cli, copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    assert codes(cli, copy) == {"DIGEST"}


def test_without_the_word_there_is_no_export(marks):
    assert not set(EXPORTS) & {path.name for path in marks.folder.iterdir()}


def test_a_form_that_nobody_knows_is_refused_with_those_there_are(cli, project, spec):
    answer = cli("validate", spec, "--set", "release={exports: [datacite]}", "--format", "json", cwd=project)
    (finding,) = answer.json["findings"]
    assert finding["code"] == "schema.bad-value"
    assert all(word in finding["message"] + finding["help"] for word in ("croissant", "ml_bom", "ro_crate"))


def test_measure_judges_samples_of_every_format_alike(made, cli):
    folder = made().parent
    found = []
    for form in FORMATS:
        words = ("--sref", "marks.sref.yaml", "--real", "marks.csv", "--syn", made(form) / f"samples.{form}")
        answer = cli("measure", *words, "--metrics", "W1", "--format", "json", cwd=folder)
        assert answer.code == 0, answer.err
        found.append(answer.json["metrics"][0]["value"])
    assert len(set(found)) == 1


def misquoted(cli, folder):
    answer = cli("verify", folder, "--exports", "--format", "json", cwd=folder.parent)
    return {(each["code"], each["where"]) for each in answer.json["refusals"]}, answer.json["exports"]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_that_says_otherwise_is_found_when_asked_for(cli, copy, resign, name):
    """Whoever signs can sign an export of his own: its digest holds, what it says does not follow."""
    assert misquoted(cli, copy) == (set(), 3)
    text = (copy / name).read_text()
    (copy / name).write_text(text.replace("synthetic records", "real records", 1))
    assert (copy / name).read_text() != text
    resign(copy)
    assert codes(cli, copy) == set()
    assert misquoted(cli, copy)[0] == {("COMPANION_INCONSISTENT", name)}
    (copy / name).unlink()
    resign(copy)
    assert misquoted(cli, copy)[0] == {("COMPANION_INCONSISTENT", name)}


def test_exports_of_a_private_run_follow_from_its_public_manifest(cli, private, tmp_path):
    run = shutil.copytree(private, tmp_path / "run")
    assert misquoted(cli, run) == (set(), 3)
    answer = cli("verify", run / "manifest.public.sigstore.json", "--exports", cwd=tmp_path)
    assert "exports follow from the plan, which is in the restricted release: they were not compared" in answer.out


def test_what_writes_exports_is_loaded_when_they_are_asked_for(made):
    script = "import sys\nfrom pathlib import Path\nfrom synthspec.pipeline.verifying import verify\n"
    script += "verify(Path(sys.argv[1]))\nassert 'synthspec.exports' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script, str(made())], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
