"""`compile` and `run`: what is written, what is reused, what is recorded, and that nothing else decides the bytes."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import os
import re
import shutil
import stat
from pathlib import Path

import pytest

ALWAYS = {
    "evidence.json",
    "manifest.json",
    "manifest.sigstore.json",
    "overview.json",
    "plan.json",
    "report.html",
    "spec.resolved.yaml",
    "sref.resolved.yaml",
    "test-result.sigstore.json",
    "training.jsonl",
    "weights.oms.sig",
    "weights/engine.safetensors",
}
NODES = ["bind", "split", "fit", "sample", "enforce", "export", "replay", "measure"]
OTHERS = ("cancer-dp-vae", "digits-gan", "fiber-link-flow")


def digests(folder: Path, pattern: str = "*") -> dict[str, str]:
    files = sorted(path for path in folder.rglob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def results(folder: Path) -> dict[str, str]:
    """What a repetition must give again; the rest holds times."""
    return {name: sha for name, sha in digests(folder).items() if name.startswith(("weights/", "samples."))}


def told(answer) -> dict[str, bool]:
    """Which nodes were reused, by the lines on stderr."""
    lines = re.findall(r"^(\w+): (reused|[\d.]+ s)$", answer.err, re.MULTILINE)
    return {node: what == "reused" for node, what in lines}


def test_a_run_writes_what_is_promised_and_nothing_else(marks, pictures):
    assert set(digests(marks.folder)) == ALWAYS | {"samples.csv"}
    assert set(digests(pictures.folder)) == ALWAYS | {"samples.npz", "samples.png"}
    assert sorted(path.name for path in marks.folder.parent.iterdir()) == sorted(
        ["marks.csv", "marks.sref.yaml", "marks.yaml", "run", "store"]
    )


def test_a_run_ends_with_the_table_and_the_gate(marks):
    lines = marks.answer.out.splitlines()
    assert lines[0].startswith("wrote run: evidence.json, ")
    assert [line.split()[0] for line in lines if line.startswith("C40-")] == [f"C40-{n}" for n in range(511, 520)]
    assert lines[-1] == "gate: PASS  (fidelity_ok=true  privacy_ok=true  contract_ok=true)"
    assert list(told(marks.answer)) == NODES
    assert not any(told(marks.answer).values())


def test_a_broken_block_contract_is_exit_1_with_a_folder_that_verifies(cli, pictures):
    assert pictures.answer.code == 1
    assert "gate: FAIL" in pictures.answer.out
    assert pictures.manifest["verdict"] == "FAIL"
    answer = cli("verify", pictures.folder, "--format", "json", cwd=pictures.folder)
    assert answer.code == 1
    assert (answer.json["authentic"], answer.json["gate"], answer.json["refusals"]) == (True, "fail", [])
    broken = {entry["id"] for entry in answer.json["contracts"] if entry["result"] == "broken"}
    assert broken == {"C40-511", "C40-515"}
    text = cli("verify", pictures.folder, cwd=pictures.folder)
    assert text.code == 1
    assert text.out.splitlines()[-1] == "verify: authentic, but a contract is not held"


def test_a_good_run_verifies(cli, marks):
    for words in ([marks.folder], [marks.folder / "manifest.sigstore.json"]):
        answer = cli("verify", *words, cwd=marks.folder)
        assert answer.code == 0
        assert answer.out.splitlines()[-1] == "verify: OK"
        assert "a development key" in answer.out
    said = cli("verify", marks.folder, "--format", "json", cwd=marks.folder).json
    assert (said["authentic"], said["gate"], said["refusals"]) == (True, "pass", [])
    assert [entry["id"] for entry in said["contracts"]] == [f"C40-{n}" for n in range(511, 520)]
    assert set(said["paths"]) == set(digests(marks.folder)) - {"manifest.json", "manifest.sigstore.json"}


def test_the_manifest_names_every_file_with_its_digest_and_the_readable_copy_says_the_same(marks):
    envelope = json.loads((marks.folder / "manifest.sigstore.json").read_bytes())["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    named = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    found = digests(marks.folder)
    del found["manifest.json"], found["manifest.sigstore.json"]
    assert named == found
    assert statement["predicate"] == marks.manifest
    assert next(iter(marks.manifest)) == "verdict"


def test_a_second_run_reuses_every_node_and_says_so(cli, marks, store_copy, tmp_path):
    folder = marks.folder.parent
    words = ("run", "marks.yaml", "--store", store_copy)
    answer = cli(*words, "--out", tmp_path / "again", cwd=folder)
    assert answer.code == 0
    assert told(answer) == dict.fromkeys(NODES, True)
    assert results(tmp_path / "again") == results(marks.folder)
    nodes = cli(*words, "--out", tmp_path / "again", "--format", "json", cwd=folder).json["nodes"]
    assert [(node["node"], node["reused"]) for node in nodes] == [(node, True) for node in NODES]


def test_another_number_of_samples_trains_nothing(cli, marks, store_copy, tmp_path):
    answer = cli(
        "run", "marks.yaml", "--set", "sampling.n=64", "--store", store_copy, "--out", tmp_path / "more",
        cwd=marks.folder.parent,
    )  # fmt: skip
    seen = told(answer)
    assert (seen["bind"], seen["split"], seen["fit"]) == (True, True, True)
    assert not seen["sample"]
    assert (
        results(tmp_path / "more")["weights/engine.safetensors"] == results(marks.folder)["weights/engine.safetensors"]
    )
    rows = (tmp_path / "more" / "samples.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 65


def test_a_threshold_or_a_name_recomputes_nothing(cli, marks, store_copy, tmp_path):
    answer = cli(
        "run", "marks.yaml", "--set", "contracts.C40-511.tol_W1=0.0001", "--set", "metadata.name=renamed",
        "--store", store_copy, "--out", tmp_path / "strict", cwd=marks.folder.parent,
    )  # fmt: skip
    assert answer.code == 1
    assert told(answer) == dict.fromkeys(NODES, True)


def test_changes_are_recorded_and_signed_in_their_order(cli, marks, store_copy, tmp_path):
    changes = ["sampling.n=64", "sampling.n=48", "metadata.description=a, b"]
    words = [word for change in changes for word in ("--set", change)]
    cli("run", "marks.yaml", *words, "--store", store_copy, "--out", tmp_path / "x", cwd=marks.folder.parent)
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_bytes())
    assert manifest["overrides"] == [
        {"path": path, "value": value} for path, _, value in (change.partition("=") for change in changes)
    ]
    assert manifest["generation"]["controls"]["n"] == 48
    resolved = (tmp_path / "x" / "spec.resolved.yaml").read_text(encoding="utf-8")
    assert '"n": 48' in resolved
    assert cli("verify", tmp_path / "x", "--format", "json", cwd=tmp_path).json["authentic"]
    assert marks.manifest["overrides"] == []


def test_run_in_json_names_gate_contracts_and_files(cli, marks, store_copy, tmp_path):
    out = tmp_path / "run"
    answer = cli("run", "marks.yaml", "--format", "json", "--store", store_copy, "--out", out, cwd=marks.folder.parent)
    assert answer.code == 0
    said = answer.json
    assert said["findings"] == []
    assert said["summary"] == {"files": 1, "errors": 0, "warnings": 0}
    assert said["gate"] == "pass"
    assert [entry["id"] for entry in said["contracts"]] == [f"C40-{n}" for n in range(511, 520)]
    assert {Path(path) for path in said["paths"]} == {out / name for name in digests(out)}


def refuses(cli, source: Path, reasons: set[str], work: Path, *words: str) -> None:
    """Running `source` lists every one of `reasons`, and writes nothing."""
    work.mkdir(exist_ok=True)
    answer = cli("run", source, *words, "--format", "json", cwd=work)
    assert answer.code == 1
    messages = [finding["message"] for finding in answer.json["findings"]]
    start, end = "not supported by any installed backend: ", " (needed for "
    assert all(message.startswith(start) for message in messages)
    assert {message.removeprefix(start).rpartition(end)[0] for message in messages} == reasons
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_examples_compile_and_what_no_backend_does_is_listed(cli, examples, tmp_path, name):
    spec, plan = examples / name / "spec.yaml", tmp_path / "plans" / "x.plan.json"
    compiled = cli("compile", spec, "--out", plan, "--format", "json", cwd=tmp_path)
    assert compiled.code == 0
    assert {path.name for path in plan.parent.iterdir()} == {"x.plan.json", "x.resolved.yaml"}
    refused = {reason for reasons in compiled.json["unsupported"].values() for reason in reasons}
    if refused:  # a family that some backend trains is run by tests of its own
        for source in (spec, plan):
            refuses(cli, source, refused, tmp_path / "work")


def test_every_reason_of_every_node_is_listed_and_nothing_written(cli, examples, tmp_path):
    """The null backend trains nothing, so it never takes a mechanism: it has nothing to protect."""
    spec = examples / "cancer-dp-vae" / "spec.yaml"
    words = ["--set", 'engine.backend="null"']
    compiled = cli("compile", spec, *words, "--out", "x.plan.json", "--format", "json", cwd=tmp_path)
    assert compiled.code == 0
    refused = compiled.json["unsupported"]
    assert {"fit", "sample", "replay"} <= set(refused)
    reasons = {reason for each in refused.values() for reason in each}
    refuses(cli, spec, reasons, tmp_path / "work", *words)
    refuses(cli, tmp_path / "x.plan.json", reasons, tmp_path / "work")


def test_the_graph_is_printed_instead_of_written(cli, project):
    for kind, first in (("mermaid", "flowchart"), ("dot", "digraph")):
        answer = cli("compile", "marks.yaml", "--graph", kind, cwd=project)
        assert answer.code == 0
        assert answer.out.startswith(first)
    assert not list(project.glob("*.plan.json"))


def plan_digest(cli, spec: Path) -> str:
    return cli("compile", spec, "--format", "json", "--out", spec.parent / "p.plan.json", cwd=spec.parent).json[
        "digest"
    ]


LATENCY = "  C40-514: {SLO_latency: 2000 ms}\n"


def test_another_layout_is_the_same_plan(cli, examples, tmp_path):
    """Other order of sections and keys, other quoting, block for flow, comments, another unit: the same meaning."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        shutil.copy(examples / "digits-diffusion" / "digits.sref.yaml", tmp_path / name)
    text = (examples / "digits-diffusion" / "spec.yaml").read_text(encoding="utf-8")
    (tmp_path / "one" / "spec.yaml").write_text(text, encoding="utf-8")
    sections = [part for part in re.split(r"(?m)^(?=\w)", text) if part.strip()]
    other = "".join(reversed(sections))
    for old, new in (
        ("SLO_latency: 2000 ms", 'SLO_latency: "2 s"'),
        ("seed: 7, rng: philox", "rng: 'philox', seed: 7"),
        ("lr: 1.0e-3", "lr: 0.001"),
        (
            "objective: {measure: l_simple, head: v}",
            "objective:\n      head: v   # the velocity\n      measure: l_simple\n",
        ),
    ):
        assert old in other
        other = other.replace(old, new)
    (tmp_path / "two" / "spec.yaml").write_text(other, encoding="utf-8")
    first = plan_digest(cli, tmp_path / "one" / "spec.yaml")
    assert plan_digest(cli, tmp_path / "two" / "spec.yaml") == first
    assert (tmp_path / "one" / "p.plan.json").read_bytes() == (tmp_path / "two" / "p.plan.json").read_bytes()
    (tmp_path / "three" / "spec.yaml").write_text(text.replace("seed: 7, rng", "seed: 8, rng"), encoding="utf-8")
    assert plan_digest(cli, tmp_path / "three" / "spec.yaml") != first


def test_the_resolved_spec_is_a_spec_of_the_same_plan(cli, project):
    first = plan_digest(cli, project / "marks.yaml")
    (project / "p.resolved.yaml").rename(project / "spelled-out.yaml")
    assert cli("validate", "spelled-out.yaml", cwd=project).code == 0
    assert plan_digest(cli, project / "spelled-out.yaml") == first


def test_a_resolved_spec_elsewhere_says_where_its_paths_begin(cli, project, tmp_path):
    away = tmp_path / "away" / "p.plan.json"
    written = cli("compile", "marks.yaml", "--out", away, cwd=project)
    assert written.code == 0
    first = (away.parent / "p.resolved.yaml").read_text(encoding="utf-8").splitlines()[0]
    begin = os.path.relpath(project, away.parent)
    assert first.startswith(f"# Its paths begin in {begin!r}: put it there")
    assert begin in written.err
    shutil.copy(away.parent / "p.resolved.yaml", project / "back.yaml")
    assert cli("validate", "back.yaml", cwd=project).code == 0
    beside = cli("compile", "marks.yaml", "--out", project / "q.plan.json", cwd=project)
    assert "begin" not in beside.err
    assert not (project / "q.resolved.yaml").read_text(encoding="utf-8").startswith("#")


def test_fresh_stores_and_any_number_of_workers_give_the_same_bytes(cli, marks, project, tmp_path):
    for workers in (1, 4):
        out = tmp_path / f"with-{workers}"
        words = ("--store", tmp_path / f"store-{workers}", "--out", out, "--workers", workers)
        answer = cli("run", "marks.yaml", *words, cwd=project)
        assert answer.code == 0
        assert not any(told(answer).values())
        assert results(out) == results(marks.folder)
        assert digests(out)["plan.json"] == digests(marks.folder)["plan.json"]


def test_the_size_of_batches_changes_no_byte_and_no_key(cli, marks, project, tmp_path):
    for batch, workers in ((32, 2), (96, 1), (4096, 2)):
        out = tmp_path / f"by-{batch}"
        words = ("--store", tmp_path / f"store-{batch}", "--out", out, "--batch", batch, "--workers", workers)
        answer = cli("run", "marks.yaml", *words, cwd=project)
        assert answer.code == 0
        assert not any(told(answer).values())
        assert results(out) == results(marks.folder)
        assert digests(out)["plan.json"] == digests(marks.folder)["plan.json"]
    again = cli(
        "run", "marks.yaml", "--store", tmp_path / "store-96", "--out", tmp_path / "again", "--batch", 64, cwd=project
    )
    assert all(told(again).values()), "what one batch made is found with another"


@pytest.mark.parametrize(("batch", "nearest"), [(100, "96 or 128"), (8, "32")])
def test_a_batch_that_would_cut_a_block_is_refused_before_anything_is_written(cli, marks, project, batch, nearest):
    before = sorted(project.rglob("*"))
    answer = cli("run", "marks.yaml", "--store", "new", "--out", "out", "--batch", batch, cwd=project)
    said = f"--batch: a worker takes whole blocks, and sampling.block is 32: say {nearest}, not {batch}"
    assert answer.code == 2
    assert said in answer.err
    assert sorted(project.rglob("*")) == before
    replayed = cli("replay", marks.folder, "--base", marks.folder.parent, "--batch", batch, cwd=project)
    assert (replayed.code, said in replayed.err) == (2, True)


def test_the_kernels_hear_of_the_workers(cli, project, monkeypatch):
    from synthspec.backend import null_kernels

    fit, heard = null_kernels.KERNELS["fit"], []

    def listening(op, inputs, context):
        heard.append((context.workers, context.batch))
        fit(op, inputs, context)

    monkeypatch.setitem(null_kernels.KERNELS, "fit", listening)
    cli("run", "marks.yaml", "--store", "store", "--out", "run", "--workers", "3", "--batch", "64", cwd=project)
    assert heard == [(3, 64)]


def test_a_plan_runs_from_another_folder(cli, marks, project, tmp_path):
    elsewhere = tmp_path / "else" / "where"
    elsewhere.mkdir(parents=True)
    assert cli("compile", project / "marks.yaml", "--out", "kept/m.plan.json", cwd=elsewhere).code == 0
    answer = cli("run", elsewhere / "kept" / "m.plan.json", "--out", "run", cwd=tmp_path)
    assert answer.code == 0, answer.err + answer.out
    assert results(tmp_path / "run") == results(marks.folder)
    assert digests(tmp_path / "run")["plan.json"] == digests(marks.folder)["plan.json"]
    shutil.move(tmp_path / "else", tmp_path / "moved")
    lost = cli("run", tmp_path / "moved" / "where" / "kept" / "m.plan.json", "--out", "lost", cwd=tmp_path)
    assert lost.code == 0, "a relative base moves along as long as both folders keep their distance"


def test_replay_runs_again_and_says_bitwise(cli, marks, tmp_path):
    base = marks.folder.parent
    answer = cli("replay", marks.folder, "--base", base, cwd=tmp_path)
    assert answer.code == 0, answer.out + answer.err
    assert answer.out.splitlines()[-1] == "replay: bitwise"
    assert list(tmp_path.iterdir()) == []
    said = cli("replay", marks.folder / "manifest.sigstore.json", "--base", base, "--format", "json", cwd=tmp_path).json
    assert said["grade"] == "bitwise"
    assert {result["name"] for result in said["results"]} == {"samples.csv", "weights/engine.safetensors"}
    assert all(result["same"] for result in said["results"])
    assert said["environment"] == []


def test_replay_refuses_what_does_not_verify(cli, run_copy, marks):
    (run_copy / "samples.csv").write_bytes(b"x")
    answer = cli("replay", run_copy, "--base", marks.folder.parent, cwd=run_copy.parent)
    assert answer.code == 1
    assert "samples.csv" in answer.err
    assert answer.err.splitlines()[-1].startswith("replay: REFUSED")


def test_replay_tells_when_the_data_are_others(cli, marks, project, run_copy):
    text = (project / "marks.csv").read_text(encoding="utf-8")
    (project / "marks.csv").write_text(text.replace(",a\n", ",b\n", 1), encoding="utf-8")
    answer = cli("replay", run_copy, "--base", project, cwd=run_copy.parent)
    assert answer.code == 1
    assert answer.out.splitlines()[-1] == "replay: differs"
    assert re.search(r"DIFFERS  marks\.csv  [0-9a-f]{16}  \(read\)", answer.out)


def test_the_development_key_stays_with_its_owner(config, marks, pictures):
    key = config / "keys" / "development.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    body = "".join(key.read_text(encoding="ascii").splitlines()[1:-1])
    secrets = {body.encode(), body[:64].encode(), base64.b64decode(body), base64.b64decode(body)[36:68]}
    for run in (marks, pictures):
        for path in (path for top in (run.folder, run.store) for path in top.rglob("*") if path.is_file()):
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path
        assert body[:64] not in run.answer.out + run.answer.err
    assert marks.manifest["key"]["kind"] == "development"


def test_nothing_signed_tells_where_or_by_whom(marks, pictures):
    """Neither the plan nor the manifest holds a path of this machine, the user's name, or that of the host."""
    import socket

    ids = set(marks.manifest["key"].values())
    for run in (marks, pictures):
        for name in ("plan.json", "manifest.json", "evidence.json", "training.jsonl"):
            text = (run.folder / name).read_text(encoding="utf-8")
            # The key's id is base64: one in 64 begins with a slash.
            strings = [value for value in strings_of(json.loads(text or "null")) if value not in ids]
            assert not [value for value in strings if value.startswith(("/", "~", "file:")) or "../" in value], name
            for private in (str(Path.home()), str(Path.cwd()), str(run.folder.parent), socket.gethostname()):
                assert private not in strings, (name, private)
                assert len(private) < 4 or private not in text, (name, private)
            assert getpass.getuser() not in strings, name


def strings_of(value):
    match value:
        case dict():
            return [text for key, item in value.items() for text in (key, *strings_of(item))]
        case list():
            return [text for item in value for text in strings_of(item)]
        case str():
            return [value]
        case _:
            return []


def test_out_is_never_a_folder_of_somebody_else(cli, marks, store_copy, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("x", encoding="utf-8")
    answer = cli("run", "marks.yaml", "--store", tmp_path / "new", "--out", theirs, cwd=marks.folder.parent)
    assert answer.code == 2
    assert "theirs" in answer.err
    assert [path.name for path in theirs.iterdir()] == ["thesis.tex"]
    assert not (tmp_path / "new").exists(), "it is asked before anything runs"


def test_a_run_takes_the_place_of_the_one_before(cli, marks, store_copy, tmp_path):
    out = tmp_path / "run"
    words = ("run", "marks.yaml", "--store", store_copy, "--out", out)
    cli(*words, "--set", "sampling.n=64", cwd=marks.folder.parent)
    cli(*words, cwd=marks.folder.parent)
    assert results(out) == results(marks.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "store"]


def test_a_key_of_the_user_signs_and_is_trusted_by_its_public_half(cli, marks, store_copy, tmp_path, config):
    assert cli("keys", "new", "release", cwd=tmp_path).code == 0
    private = config / "keys" / "release.pem"
    try:
        words = ("--store", store_copy, "--out", tmp_path / "run", "--key", private)
        assert cli("run", "marks.yaml", *words, cwd=marks.folder.parent).code == 0
        shown = cli("keys", "show", "release", cwd=tmp_path)
        assert "PRIVATE" not in shown.out
        (tmp_path / "release.pub").write_text(shown.out, encoding="ascii")
        assert cli("verify", tmp_path / "run", cwd=tmp_path).code == 1
        answer = cli("verify", tmp_path / "run", "--key", "release.pub", cwd=tmp_path)
        assert answer.code == 0
        assert "development" not in answer.out
    finally:
        private.unlink()


def test_c40_519_a_replay_is_done_by_a_process_that_remembers_nothing(cli, project, tmp_path, monkeypatch):
    """What went wrong in this process, here a comparison that sees nothing but differences, is not believed."""
    monkeypatch.setattr("synthspec.backend.blocks.unequal_records", lambda one, other: len(one))
    words = ("--store", tmp_path / "store", "--out", tmp_path / "run", "--set", "evaluation.replay_share=1.0")
    assert cli("run", project / "marks.yaml", *words, cwd=project).code == 0
    figures = json.loads((tmp_path / "run" / "evidence.json").read_text())["figures"]
    replayed = next(figure for figure in figures if figure["name"] == "replay_mismatches")
    assert replayed["value"] == 0
    assert ["process", "fresh"] in replayed["details"]
