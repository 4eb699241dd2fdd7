"""`verify` against everything the acceptance names: each change is refused, and the refusal says what is wrong."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import rfc8785

BUNDLE = "manifest.sigstore.json"
APPROVALS = "manifest.approvals.jsonl"
OMS, RESULT = "weights.oms.sig", "test-result.sigstore.json"


def bundle_of(folder: Path) -> dict:
    return json.loads((folder / BUNDLE).read_bytes())


def put(folder: Path, bundle: dict) -> None:
    (folder / BUNDLE).write_bytes(rfc8785.dumps(bundle))


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def flip_file(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(flip(data, len(data) // 2))


def flip_base64(text: str, place: int) -> str:
    return base64.b64encode(flip(base64.b64decode(text), place)).decode()


def in_payload(change: Callable[[dict], object]) -> Callable[[Path], None]:
    """Change the statement and keep the old signature."""

    def attack(folder: Path) -> None:
        bundle = bundle_of(folder)
        statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        change(statement)
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(rfc8785.dumps(statement)).decode()
        put(folder, bundle)

    return attack


def in_envelope(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def attack(folder: Path) -> None:
        bundle = bundle_of(folder)
        change(bundle["dsseEnvelope"])
        put(folder, bundle)

    return attack


def deepened(bundle: dict, part: str, name: str, value: object) -> dict:
    """The bundle with one thing more in a part of it."""
    bundle[part][name] = value
    return bundle


def swap(folder: Path, one: str, other: str) -> None:
    (folder / one).rename(folder / "held")
    (folder / other).rename(folder / one)
    (folder / "held").rename(folder / other)


def edit(folder: Path, name: str, change: Callable[[dict], object]) -> None:
    value = json.loads((folder / name).read_bytes())
    change(value)
    (folder / name).write_bytes(json.dumps(value, indent=2).encode())


def contract(statement: dict, name: str) -> dict:
    return next(entry for entry in statement["predicate"]["contracts"] if entry["id"] == name)


def drop_contract(statement: dict) -> None:
    statement["predicate"]["contracts"].remove(contract(statement, "C40-515"))


SIGNATURE = {("SIGNATURE", "")}
UNSIGNED = {
    "a byte of a sample": (lambda run: flip_file(run, "samples.csv"), {("DIGEST", "samples.csv")}),
    "a byte of the weights": (
        lambda run: flip_file(run, "weights/engine.safetensors"),
        {("DIGEST", "weights/engine.safetensors")},
    ),
    "a byte of the evidence": (lambda run: flip_file(run, "evidence.json"), {("DIGEST", "evidence.json")}),
    "a byte more": (
        lambda run: (run / "samples.csv").write_bytes((run / "samples.csv").read_bytes() + b"\n"),
        {("SIZE", "samples.csv")},
    ),
    "a byte of the payload": (
        in_envelope(lambda envelope: envelope.update(payload=flip_base64(envelope["payload"], 2000))),
        SIGNATURE,
    ),
    "a byte of the signature": (
        in_envelope(lambda e: e["signatures"][0].update(sig=flip_base64(e["signatures"][0]["sig"], 40))),
        SIGNATURE,
    ),
    "two files swapped": (
        lambda run: swap(run, "spec.resolved.yaml", "sref.resolved.yaml"),
        {("SIZE", "spec.resolved.yaml"), ("SIZE", "sref.resolved.yaml")},
    ),
    "two names swapped in the payload": (
        in_payload(
            lambda s: (
                s["subject"][0].update(name=s["subject"][1]["name"]) or s["subject"][1].update(name="evidence.json")
            )
        ),
        SIGNATURE,
    ),
    "a verdict removed": (in_payload(drop_contract), SIGNATURE),
    "a verdict turned": (in_payload(lambda s: contract(s, "C40-515").update(result="unproven")), SIGNATURE),
    "no signature": (in_envelope(lambda e: e.update(signatures=[])), {("NO_SIGNATURE", "/dsseEnvelope/signatures")}),
    "a file deleted": (lambda run: (run / "plan.json").unlink(), {("MISSING_FILE", "plan.json")}),
    "a file added": (lambda run: (run / "extra.txt").write_text("x"), {("EXTRA_FILE", "extra.txt")}),
    "a folder added": (lambda run: (run / "more").mkdir(), {("EXTRA_FILE", "more")}),
    "a file behind a link": (
        lambda run: (
            (run / "samples.csv").rename(run.parent / "moved"),
            (run / "samples.csv").symlink_to(run.parent / "moved"),
        ),
        {("SYMLINK", "samples.csv")},
    ),
    "the readable copy": (
        lambda run: edit(run, "manifest.json", lambda manifest: manifest.update(version="9.9.9")),
        {("DIGEST", "manifest.json")},
    ),
    "the readable copy, not JSON": (
        lambda run: (run / "manifest.json").write_text("PASS"),
        {("DIGEST", "manifest.json")},
    ),
    "a byte of a companion": (lambda run: flip_file(run, OMS), {("DIGEST", OMS)}),
    "a companion left out": (lambda run: (run / RESULT).unlink(), {("MISSING_FILE", RESULT)}),
    "a companion as the bundle": (
        lambda run: shutil.copy(run / RESULT, run / BUNDLE),
        {("PREDICATE_TYPE", "/predicateType")},
    ),
    "a bundle for everybody added": (
        lambda run: shutil.copy(run / BUNDLE, run / "manifest.public.sigstore.json"),
        {("EXTRA_FILE", "manifest.public.sigstore.json")},
    ),
    "an approval of something else": (
        lambda run: (run / APPROVALS).write_bytes((run / RESULT).read_bytes() + b"\n"),
        {("SIGNATURE", "line 1 of the approvals")},
    ),
    "an approval that is none": (
        lambda run: (run / APPROVALS).write_text("yes\n"),
        {("BAD_JSON", "line 1 of the approvals")},
    ),
    "a link as the readable copy": (
        lambda run: (
            (run / "manifest.json").rename(run.parent / "moved"),
            (run / "manifest.json").symlink_to(run.parent / "moved"),
        ),
        {("SYMLINK", "manifest.json")},
    ),
    "a log entry put in": (
        lambda run: put(run, deepened(bundle_of(run), "verificationMaterial", "tlogEntries", [])),
        {("SCHEMA", "/verificationMaterial")},
    ),
    "a certificate put in": (
        lambda run: put(run, deepened(bundle_of(run), "verificationMaterial", "certificate", {"rawBytes": "AA=="})),
        {("SCHEMA", "/verificationMaterial")},
    ),
    "two bundles in one file": (
        lambda run: (run / BUNDLE).write_bytes((run / BUNDLE).read_bytes() * 2),
        {("BAD_JSON", "")},
    ),
    "no bundle at all, but something else": (
        lambda run: (run / BUNDLE).write_text("{}"),
        {("SCHEMA", "")},
    ),
}


@pytest.mark.parametrize("change", UNSIGNED)
def test_a_change_after_signing_is_refused_and_named(cli, run_copy, change):
    attack, wanted = UNSIGNED[change]
    attack(run_copy)
    answer = cli("verify", run_copy, "--format", "json", cwd=run_copy.parent)
    assert answer.code == 1
    assert answer.json["authentic"] is False
    assert {(each["code"], each["where"]) for each in answer.json["refusals"]} == wanted
    assert all(len(each["message"]) > 5 for each in answer.json["refusals"])
    text = cli("verify", run_copy, cwd=run_copy.parent)
    assert text.code == 1
    assert text.out.splitlines()[-1] == "verify: REFUSED"
    for code, where in wanted:
        assert f"refused[{code}]: {where}" in text.out


def test_the_bundle_of_another_run_does_not_speak_for_this_folder(cli, marks, pictures, run_copy):
    shutil.copy(pictures.folder / BUNDLE, run_copy / BUNDLE)
    codes = {each["code"] for each in cli("verify", run_copy, "--format", "json", cwd=run_copy).json["refusals"]}
    assert {"MISSING_FILE", "EXTRA_FILE", "DIGEST"} <= codes


def test_nothing_there_is_exit_2(cli, run_copy, tmp_path):
    assert cli("verify", tmp_path / "nothing", cwd=tmp_path).code == 2
    (run_copy / BUNDLE).unlink()
    for form in ("text", "json"):
        answer = cli("verify", run_copy, "--format", form, cwd=tmp_path)
        assert answer.code == 2
        assert BUNDLE in answer.out
    assert cli("verify", tmp_path / "nothing", "--key", "absent.pem", cwd=tmp_path).code == 2


def test_a_key_that_cannot_be_read_is_exit_2(cli, run_copy):
    assert cli("verify", run_copy, "--key", "absent.pem", cwd=run_copy.parent).code == 2


def test_a_stranger_does_not_trust_the_development_key(cli, run_copy, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "elsewhere"))
    answer = cli("verify", run_copy, "--format", "json", cwd=tmp_path)
    assert answer.code == 1
    assert [each["code"] for each in answer.json["refusals"]] == ["TRUST_POLICY"]
    assert not (tmp_path / "elsewhere").exists()


# From here on the attacker holds the development key and signs what they change: the evidence is judged again.


def codes(cli, folder: Path) -> set[str]:
    answer = cli("verify", folder, "--format", "json", cwd=folder.parent)
    assert answer.code == (1 if answer.json["refusals"] else 0)
    return {each["code"] for each in answer.json["refusals"]}


def test_signing_again_what_was_not_changed_verifies(cli, run_copy, resign):
    resign(run_copy)
    assert codes(cli, run_copy) == set()


def bound(statement: dict, name: str) -> dict:
    return contract(statement, name)["bounds"][0]


def loosen(statement: dict) -> None:
    bound(statement, "C40-511")["limit"] = 50.0


def better(statement: dict) -> None:
    """Another W1, consistently so in the metrics and in the verdict."""
    metric = next(entry for entry in statement["predicate"]["metrics"] if entry["name"] == "W1")
    for entry in (metric, bound(statement, "C40-511")):
        entry["value"] = entry["value"] / 2


def flatter(statement: dict) -> None:
    """Another null value beside a figure: no verdict hangs on it, but its reader does."""
    metric = next(entry for entry in statement["predicate"]["metrics"] if entry["name"] == "W1")
    metric["null"] = 100.0


def omit(statement: dict) -> None:
    drop_contract(statement)


def demote(statement: dict) -> None:
    contract(statement, "C40-515")["severity"] = "info"


def other_spec(statement: dict) -> None:
    statement["predicate"]["spec"]["canonicalDigest"] = "0" * 64


def other_plan(statement: dict) -> None:
    statement["predicate"]["ir"]["digest"]["sha256"] = "0" * 64


def hide_change(statement: dict) -> None:
    statement["predicate"]["overrides"] = [{"path": "sampling.n", "value": "100000"}]


def waive(statement: dict) -> None:
    statement["predicate"]["waivers"] = [{"id": "C40-515", "reason": "none", "approver": "me", "expires": "2999-01-01"}]


def other_seed(statement: dict) -> None:
    """The seed of another run, wherever the manifest has it."""
    statement["predicate"]["engine"]["seed"] = statement["predicate"]["randomness"]["seeds"]["training"] = "5"


def other_node(statement: dict) -> None:
    statement["predicate"]["dag"] = [each for each in statement["predicate"]["dag"] if each["node"] != "enforce"]


CLAIMS = {
    "a seed invented": (other_seed, {"VERDICT_INCONSISTENT"}),
    "a node left out": (other_node, {"VERDICT_INCONSISTENT"}),
    "a limit loosened": (loosen, {"LIMIT_NOT_FROM_SPEC", "VERDICT_INCONSISTENT"}),
    "a metric improved": (better, {"VERDICT_INCONSISTENT"}),
    "a null value raised": (flatter, {"VERDICT_INCONSISTENT"}),
    "a contract omitted": (omit, {"CONTRACT_MISSING"}),
    "a severity lowered": (demote, {"VERDICT_INCONSISTENT"}),
    "another spec named": (other_spec, {"VERDICT_INCONSISTENT"}),
    "another plan named": (other_plan, {"VERDICT_INCONSISTENT"}),
    "a change invented": (hide_change, {"VERDICT_INCONSISTENT"}),
    "a waiver invented": (waive, {"VERDICT_INCONSISTENT"}),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_signed_claim_that_the_evidence_does_not_bear_is_refused(cli, run_copy, resign, claim):
    change, wanted = CLAIMS[claim]
    resign(run_copy, change)
    assert codes(cli, run_copy) == wanted


def test_evidence_improved_without_the_verdict_is_refused(cli, run_copy, resign):
    def halve(evidence: dict) -> None:
        figure = next(entry for entry in evidence["figures"] if entry["name"] == "W1")
        figure["value"] = figure["value"] / 2

    edit(run_copy, "evidence.json", halve)
    resign(run_copy)
    assert codes(cli, run_copy) == {"VERDICT_INCONSISTENT"}


def test_a_plan_that_promises_less_than_its_spec_is_refused(cli, run_copy, resign):
    """The limit is loosened in the plan's judge and in the verdict, the spec in the same plan is left as it was."""
    from synthspec.ir.plan import read_plan

    def widen(plan: dict) -> None:
        judge = next(node for node in plan["nodes"] if node["id"] == "judge")
        promise = next(entry for entry in judge["op"]["promises"] if entry["id"] == "C40-511")
        promise["bounds"][0]["limit"] = 50.0

    edit(run_copy, "plan.json", widen)
    digest = read_plan((run_copy / "plan.json").read_bytes()).digest

    def follow(statement: dict) -> None:
        loosen(statement)
        statement["predicate"]["ir"]["digest"]["sha256"] = digest

    resign(run_copy, follow)
    assert "LIMIT_NOT_FROM_SPEC" in codes(cli, run_copy)


def test_a_plan_that_trains_otherwise_than_it_was_compiled_is_refused(cli, run_copy, resign):
    """A node's digest covers its op: a training that was cut short in the file shows, whoever signs it."""
    from synthspec.ir.plan import read_plan

    def shorten(plan: dict) -> None:
        fit = next(node for node in plan["nodes"] if node["id"] == "fit")
        fit["op"]["stability"]["convergence"]["max"] = 1.0

    edit(run_copy, "plan.json", shorten)
    digest = read_plan((run_copy / "plan.json").read_bytes()).digest
    resign(run_copy, lambda statement: statement["predicate"]["ir"]["digest"].update(sha256=digest))
    answer = cli("verify", run_copy, "--format", "json", cwd=run_copy.parent)
    found = {(each["code"], each["where"], each["message"]) for each in answer.json["refusals"]}
    assert ("VERDICT_INCONSISTENT", "plan.json", "it was changed after it was compiled: fit") in found


def test_a_readable_spec_that_is_not_the_plan_s_is_refused(cli, run_copy, resign):
    text = (run_copy / "spec.resolved.yaml").read_text(encoding="utf-8")
    assert "tol_W1: 0.5" in text
    (run_copy / "spec.resolved.yaml").write_text(text.replace("tol_W1: 0.5", "tol_W1: 0.4"), encoding="utf-8")
    resign(run_copy)
    answer = cli("verify", run_copy, "--format", "json", cwd=run_copy.parent)
    wanted = [("VERDICT_INCONSISTENT", "spec.resolved.yaml")]
    assert [(each["code"], each["where"]) for each in answer.json["refusals"]] == wanted


def test_a_readable_spec_in_another_layout_is_accepted(cli, run_copy, resign):
    text = (run_copy / "spec.resolved.yaml").read_text(encoding="utf-8")
    (run_copy / "spec.resolved.yaml").write_text("# for people\n" + text, encoding="utf-8")
    (run_copy / "test-result.sigstore.json").unlink()  # it names the digest of that file
    resign(run_copy)
    assert codes(cli, run_copy) == set()


def test_samples_that_no_node_of_the_run_made_are_refused(cli, run_copy, resign):
    rows = (run_copy / "samples.csv").read_text(encoding="utf-8").splitlines()
    (run_copy / "samples.csv").write_text("\n".join([*rows[:-1], ""]), encoding="utf-8")
    resign(run_copy)
    answer = cli("verify", run_copy, "--format", "json", cwd=run_copy.parent)
    assert [(each["code"], each["where"]) for each in answer.json["refusals"]] == [("VERDICT_INCONSISTENT", "/dag")]


@pytest.mark.parametrize("name", ["evidence.json", "plan.json", "spec.resolved.yaml", "sref.resolved.yaml"])
def test_a_run_signed_without_what_its_verdict_hangs_on_is_refused(cli, run_copy, resign, name):
    def forget(statement: dict) -> None:
        statement["subject"] = [subject for subject in statement["subject"] if subject["name"] != name]

    resign(run_copy, forget)
    (run_copy / name).unlink()
    assert codes(cli, run_copy) == {"EVIDENCE_MISSING"}
    assert name in cli("verify", run_copy, cwd=run_copy.parent).out


@pytest.mark.parametrize("name", ["evidence.json", "plan.json"])
def test_a_run_signed_with_what_cannot_be_read_is_refused(cli, run_copy, resign, name):
    (run_copy / name).write_text("[]", encoding="utf-8")
    resign(run_copy)
    assert codes(cli, run_copy) == {"SCHEMA"}


def test_a_companion_of_another_run_is_refused_however_it_was_signed_for(cli, run_copy, pictures, resign):
    shutil.copy(pictures.folder / "test-result.sigstore.json", run_copy)
    assert codes(cli, run_copy) == {"SIZE"}
    resign(run_copy)
    assert codes(cli, run_copy) == {"COMPANION_INCONSISTENT"}


def test_m99_a_file_that_can_be_run_is_told_of(cli, run_copy):
    (run_copy / "samples.csv").chmod(0o755)
    answer = cli("verify", run_copy, cwd=run_copy.parent)
    assert answer.code == 0
    assert "modes are not signed, and these files can be run: samples.csv" in answer.out


@pytest.mark.parametrize(
    "step",
    [
        "synthspec.sign.verify.read_bundle_bytes",
        "synthspec.sign.verify.read_statement",
        "synthspec.sign.verify.check_tree",
        "synthspec.sign.tree._content",
        "synthspec.sign.tree.stat.S_ISDIR",
        "synthspec.sign.claims.to_evidence",
        "synthspec.pipeline.rejudging.read_plan",
        "synthspec.pipeline.rejudging.judge",
        "synthspec.pipeline.rejudging._written",
    ],
)
def test_m90_whatever_fails_inside_is_a_refusal(cli, run_copy, monkeypatch, step):
    def fail(*_: object, **__: object) -> object:
        raise RuntimeError("injected")

    monkeypatch.setattr(step, fail)
    assert codes(cli, run_copy) & {"INTERNAL"}


def test_m84_what_is_judged_is_what_was_hashed(cli, run_copy, monkeypatch):
    """The evidence is exchanged after it was hashed: the verdict is still that of the signed bytes."""
    from synthspec.sign import tree

    content = tree._content

    def exchanging(file, before, subject, kept):
        yield from content(file, before, subject, kept)
        (run_copy / subject.name).unlink()
        (run_copy / subject.name).write_bytes(b"{}")

    monkeypatch.setattr(tree, "_content", exchanging)
    assert codes(cli, run_copy) == set()


def test_m97_a_plan_that_says_less_than_this_version_would_is_still_the_plan_that_was_signed(cli, run_copy, resign):
    """As an older version wrote it: a field of an op that came later is not there, and means its default."""
    from synthspec.ir.canonical import digest as digest_of
    from synthspec.ir.plan import stored_digest

    def older(plan: dict) -> None:
        measure = next(node for node in plan["nodes"] if node["op"]["op"] == "measure")
        del measure["op"]["target"]
        made: dict[str, str] = {}
        for node in plan["nodes"]:
            ports = [[edge["port"], made[edge["node"]]] for edge in node["inputs"]]
            node["digest"] = made[node["id"]] = digest_of(
                "synthspec.node.v1", [node["op"], ports, node["backend"], node["backend_version"]]
            )

    edit(run_copy, "plan.json", older)
    digest = stored_digest(json.loads((run_copy / "plan.json").read_bytes()))

    def follow(statement: dict) -> None:
        told = statement["predicate"]
        told["ir"]["digest"]["sha256"] = digest
        told["trace"]["TraceID"] = f"{digest[:16]}-{told['trace']['TraceID'].partition('-')[2]}"

    resign(run_copy, follow)
    assert codes(cli, run_copy) == set()
