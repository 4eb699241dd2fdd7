"""Under a mechanism a run writes two manifests: one for the house, one for everybody (P405-4)."""

import base64
import hashlib
import hmac
import json
import re
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "cancer-dp-vae"
PUBLIC = "manifest.public.sigstore.json"
EXPORTS = ("croissant.json", "model.cdx.json", "ro-crate-metadata.json")
pytest.importorskip("torch")


@pytest.fixture
def run(private, tmp_path):
    shutil.copytree(private, tmp_path / "run")
    return tmp_path / "run"


def predicate(bundle):
    envelope = json.loads(bundle.read_bytes())["dsseEnvelope"]
    return json.loads(base64.b64decode(envelope["payload"]))


def codes(cli, path):
    answer = cli("verify", path, "--format", "json", cwd=path.parent)
    return [each["code"] for each in answer.json["refusals"]]


def published(run, folder):
    """What goes out: the public bundle with the files that it names."""
    folder.mkdir()
    for name in [each["name"] for each in predicate(run / PUBLIC)["subject"]] + [PUBLIC, "manifest.public.json"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(run / name, folder / name)
    return folder


def test_both_verify_in_the_house_and_the_public_one_outside(cli, run, tmp_path):
    assert codes(cli, run) == []
    assert codes(cli, run / PUBLIC) == []
    outside = published(run, tmp_path / "out")
    assert codes(cli, outside) == []
    (outside / "extra").write_text("x")
    assert codes(cli, outside) == ["EXTRA_FILE"]


def test_the_full_one_says_that_it_is_restricted(run):
    full, public = predicate(run / "manifest.sigstore.json"), predicate(run / PUBLIC)
    assert full["predicate"]["disclosure"] == "restricted"
    assert public["predicate"]["disclosure"] == "public"
    assert full["predicate"]["verdict"] == public["predicate"]["verdict"]


def test_the_audit_of_the_mechanism_is_evidence_in_both_and_in_the_page(run):
    """Canaries alone were looked at, so what they showed may go out."""
    full, public = predicate(run / "manifest.sigstore.json"), predicate(run / PUBLIC)
    found = full["predicate"]["privacy"]["dp"]["audit"]
    assert public["predicate"]["privacy"]["dp"]["audit"] == found
    assert (found["canaries"], found["guesses"], found["confidence"]) == (2000, 200, 0.95)
    assert 0 <= found["eps_lower_bound"] <= found["eps_claimed"]
    assert found["replay_ratio"] == pytest.approx(1, abs=1e-4)
    assert set(found["standard_errors"]) >= {"noise", "batch_size", "participation"}
    page = (run / "report.html").read_text()
    assert "2000 canaries" in page
    assert "no part of the guarantee" in page


def test_a_defect_stops_the_run_before_it_meets_a_record(cli, tmp_path, monkeypatch):
    from synthspec.accounting.one_run import lower_bound
    from synthspec.backend.auditing import CanaryRun
    from synthspec.diag import Outcome
    from synthspec.pipeline.auditing import Audit

    broken = CanaryRun(scores=(), present=(), replay_ratio=2.0, replay_same=True, z=())
    caught = Audit(claimed=4.0, delta=1e-5, lower=lower_bound(200, 200, 2000, 1e-5), canaries=2000, guesses=200,
                   correct=200, run=broken)  # fmt: skip
    monkeypatch.setattr("synthspec.pipeline.auditing.audit_plan", lambda *_: Outcome(caught))
    words = ("--audit", "--quiet", "--store", tmp_path / "store", "--out", tmp_path / "run")
    answer = cli("run", EXAMPLE / "spec.yaml", *words, cwd=tmp_path)
    assert answer.code == 1
    assert "replay: one record moves what is released by 2 clip norms" in answer.out
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "store").exists()
    with pytest.raises(ValueError, match="refutes the claim"):
        caught.evidence()


@pytest.mark.parametrize("quiet", [False, True])
def test_a_run_tells_what_its_audit_found(capsys, monkeypatch, quiet):
    from synthspec.backend.auditing import CanaryRun
    from synthspec.cli.answer import Format
    from synthspec.cli.auditing import evidence
    from synthspec.diag import Outcome
    from synthspec.pipeline.auditing import Audit

    clean = CanaryRun(scores=(), present=(), replay_ratio=1.0, replay_same=True, z=())
    found = Audit(claimed=3.9998, delta=1e-5, lower=0.515, canaries=2000, guesses=200, correct=137, run=clean)
    monkeypatch.setattr("synthspec.pipeline.auditing.audit_plan", lambda *_: Outcome(found))
    assert evidence(None, Format.text, quiet=quiet) == found.evidence()
    out, err = capsys.readouterr()
    assert out == ""
    assert all((part in err) != quiet for part in ("137 of 200", "2000", "0.515", "3.9998"))


def test_nothing_measured_on_private_records_goes_out(run):
    """Every figure, digest and count of the restricted half is looked for in the public one, as a value and as text."""
    full, public = predicate(run / "manifest.sigstore.json"), predicate(run / PUBLIC)
    text = json.dumps(public)
    for metric in full["predicate"]["metrics"]:
        for key in ("value", "u", "lower", "upper", "null"):
            spelled = json.dumps(metric.get(key))
            # A figure of a few digits may well be some limit too; those of many are nobody's but its own. Rejection by
            # public rules is post-processing of DP outputs.
            if len(spelled) >= 10 and metric["name"] not in {"eps_total", "acc_rate"}:
                assert spelled not in text, (metric["name"], key)
    for contract in public["predicate"]["contracts"]:
        assert set(contract) == {"id", "name", "expr", "severity", "result", "bounds", "tol_source"}
        for bound in contract["bounds"]:
            assert set(bound) == {"metric", "relation", "limit", "unit", "at", "symbol", "result"}
    names = {each["name"] for each in public["subject"]}
    companions = {"weights.oms.sig", "test-result.sigstore.json", *EXPORTS}
    assert companions < names
    assert all(name.startswith(("weights/", "samples.", "spec.", "sref.")) for name in names - companions)
    shown = {each["digest"]["sha256"] for each in public["subject"]}
    for node in full["predicate"]["dag"]:
        assert node["key"] not in text
        for each in (*node["inputs"], *node["outputs"]):
            if each["digest"]["sha256"] not in shown:
                assert each["digest"]["sha256"] not in text, (node["node"], each["name"])
    for word in ("metrics", 'n_real": 5', "trace", "dependencies", "evidence", "MI_risk", "training"):
        assert word not in text or word == "training", word
    assert public["predicate"]["dataset"]["n_real"] == 398, "the spec says that this number is public"


def test_what_the_engine_says_of_single_private_records_stays_in_the_store(run):
    """The attack needs it; the folder of the run, which may be handed on, does not."""
    full, public = predicate(run / "manifest.sigstore.json"), predicate(run / PUBLIC)
    (node,) = (each for each in full["predicate"]["dag"] if each["node"] == "assess")
    assert any(each["name"].endswith("scores.safetensors") for each in node["outputs"])
    assert not [path for path in run.rglob("*") if "scores" in path.name]
    assert "scores" not in json.dumps(public)


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_tells_no_more_than_the_public_manifest(run, name):
    full, public = predicate(run / "manifest.sigstore.json"), predicate(run / PUBLIC)
    text, known = (run / name).read_text(), json.dumps(public)
    assert public["predicate"]["release"]["stream"] in text
    assert public["predicate"]["dataset"]["commitment"] in text or name == "croissant.json"
    assert "pkg:pypi" not in text, "what is installed in the house is not told"
    for metric in full["predicate"]["metrics"]:
        for key in ("value", "u", "lower", "upper", "null"):
            spelled = json.dumps(metric.get(key))
            if len(spelled) >= 10 and metric["name"] not in {"eps_total", "acc_rate"}:
                assert spelled not in text, (metric["name"], key)
    private = {each["digest"]["sha256"] for each in full["subject"]} | {full["predicate"]["ir"]["digest"]["sha256"]}
    private |= {each["digest"]["sha256"] for each in full["predicate"]["dependencies"]}
    private |= {full["predicate"]["spec"]["canonicalDigest"], full["predicate"]["dataset"]["private"]["salt"]}
    for digest in private - {each["digest"]["sha256"] for each in public["subject"]}:
        assert digest not in text
    digests = set(re.findall(r"[0-9a-f]{64}", text))
    assert digests <= set(re.findall(r"[0-9a-f]{64}", known)), "every digest in it is public"


def test_the_commitment_opens_with_the_salt_of_the_house(run):
    full, public = predicate(run / "manifest.sigstore.json")["predicate"], predicate(run / PUBLIC)["predicate"]
    data = next(node for node in full["dag"] if node["node"] == "split")["inputs"][0]["digest"]["sha256"]
    salt = bytes.fromhex(full["dataset"]["private"]["salt"])
    assert hmac.new(salt, data.encode(), hashlib.sha256).hexdigest() == public["dataset"]["commitment"]
    assert full["dataset"]["private"]["salt"] not in json.dumps(public)


def test_a_public_file_that_was_changed_is_refused_by_both(cli, run, tmp_path):
    outside = published(run, tmp_path / "out")
    for folder in (run, outside):
        (folder / "samples.csv").write_text("1,2\n")
    assert "SIZE" in codes(cli, run)
    assert "SIZE" in codes(cli, run / PUBLIC)
    assert "SIZE" in codes(cli, outside)


def test_a_public_folder_that_became_a_link_is_refused_in_the_house(cli, run, tmp_path):
    shutil.move(run / "weights", tmp_path / "weights")
    (run / "weights").symlink_to(tmp_path / "weights")
    assert codes(cli, run / PUBLIC) == ["SYMLINK"]


def test_a_public_verdict_that_does_not_follow_is_refused(cli, run, config):
    from synthspec.sign import development_key
    from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes
    from synthspec.sign.pae import pae

    rfc8785 = pytest.importorskip("rfc8785")
    key = development_key(config)
    statement = predicate(run / PUBLIC)
    first = statement["predicate"]["contracts"][0]
    first["result"] = "held" if first["result"] != "held" else "broken"
    payload = rfc8785.dumps(statement)
    (run / PUBLIC).write_bytes(bundle_bytes(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.key_id))
    (run / "manifest.public.json").write_bytes(rfc8785.dumps(statement["predicate"]))
    assert "CONTRACT_INCONSISTENT" in codes(cli, run / PUBLIC)
    assert set(codes(cli, run)) & {"DIGEST", "SIZE"}


def limit(predicate):
    bound = next(each for each in predicate["contracts"] if each["id"] == "C40-511")["bounds"][0]
    bound["limit"] *= 10


def eps(predicate):
    predicate["privacy"]["dp"]["eps_total"] = 400.0


LIES = {
    "a limit loosened": (limit, "LIMIT_NOT_FROM_SPEC"),
    "an eps beyond the held bound": (eps, "CONTRACT_INCONSISTENT"),
    "another unit": (lambda told: told["privacy"]["dp"].update(unit="patient"), "VERDICT_INCONSISTENT"),
    "another neighbour": (lambda told: told["privacy"]["dp"].update(adjacency="add_remove"), "VERDICT_INCONSISTENT"),
    "other data": (lambda told: told["engine"].update(train_data_ref="sklearn://wine"), "VERDICT_INCONSISTENT"),
    "more records": (lambda told: told["generation"]["controls"].update(n=10**6), "VERDICT_INCONSISTENT"),
    "another schema": (lambda told: told["dataset"].update(SRef="breast-cancer 2.0.0"), "VERDICT_INCONSISTENT"),
    "other weights": (lambda told: told["deep"]["weights"].pop(), "VERDICT_INCONSISTENT"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_public_claim_that_the_public_files_do_not_bear_is_refused(cli, run, config, tmp_path, lie):
    from synthspec.sign import development_key
    from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes
    from synthspec.sign.pae import pae

    rfc8785 = pytest.importorskip("rfc8785")
    key = development_key(config)
    outside = published(run, tmp_path / "out")
    statement = predicate(outside / PUBLIC)
    change, code = LIES[lie]
    change(statement["predicate"])
    payload = rfc8785.dumps(statement)
    (outside / PUBLIC).write_bytes(bundle_bytes(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.key_id))
    (outside / "manifest.public.json").write_bytes(rfc8785.dumps(statement["predicate"]))
    assert code in codes(cli, outside)


def test_no_file_hides_behind_what_looks_like_a_restricted_manifest(cli, run, tmp_path):
    """Beside the public files lies only what a restricted manifest that verifies signs for."""
    assert codes(cli, run / PUBLIC) == []
    (run / "more.csv").write_text("x")
    assert codes(cli, run / PUBLIC) == ["EXTRA_FILE"]
    outside = published(run, tmp_path / "out")
    (outside / "manifest.sigstore.json").write_text("{}")
    (outside / "more.csv").write_text("x")
    assert set(codes(cli, outside / PUBLIC)) == {"EXTRA_FILE"}


def test_what_the_public_one_lacks_is_told(cli, run, tmp_path):
    outside = published(run, tmp_path / "out")
    told = cli("verify", outside, cwd=tmp_path)
    assert "the figures behind the verdicts: they are private" in told.out
    assert cli("replay", outside, cwd=tmp_path).code == 2


def test_the_next_release_of_both_streams_follows_this_one(cli, private, tmp_path, monkeypatch):
    house = shutil.copytree(private.parent, tmp_path / "house")
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(house / "state"))
    words = ("--set", "privacy.steps=40", "--set", "sampling.n=16", "--set", "sampling.seed=8", "--quiet")
    answer = cli(
        "run", EXAMPLE / "spec.yaml", *words, "--store", house / "store", "--out", house / "next", cwd=tmp_path
    )
    assert (house / "next" / PUBLIC).exists(), answer.out + answer.err
    for bundle in (PUBLIC, "manifest.sigstore.json"):
        payload = base64.b64decode(json.loads((private / bundle).read_bytes())["dsseEnvelope"]["payload"])
        release = predicate(house / "next" / bundle)["predicate"]["release"]
        assert release["sequence"] == 2
        assert release["previous"] == {"sha256": hashlib.sha256(payload).hexdigest()}
        assert codes(cli, house / "next" / bundle) == []


def test_a_release_is_the_public_half_alone(cli, run, tmp_path, monkeypatch):
    from synthspec.pipeline import releasing

    # Forty steps hold no contract: what goes out is looked at here, the gate elsewhere.
    monkeypatch.setattr(releasing, "_open", lambda *_: None)
    answer = cli("release", run, "--to", tmp_path / "out", cwd=tmp_path)
    assert answer.code == 0, answer.err
    folder = Path(answer.out.strip())
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    named = {each["name"] for each in predicate(run / PUBLIC)["subject"]}
    assert there == named | {PUBLIC, "manifest.public.json"}
    assert folder.parent.name == predicate(run / PUBLIC)["predicate"]["release"]["stream"]
    assert codes(cli, folder) == []
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
