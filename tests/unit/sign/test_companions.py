"""The companions say what the manifest says, in the forms of OpenSSF model signing and in-toto, and nothing else verifies."""

import base64
import hashlib
import importlib.util
import json
import subprocess
import sys

import pytest
import rfc8785

from synthspec.ir.manifest_public import PublicManifest
from synthspec.sign import verify_bundle
from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes
from synthspec.sign.companions import (
    OMS,
    OMS_TYPE,
    TEST_RESULT,
    TEST_RESULT_TYPE,
    companions,
    disagreements,
    verdicts_payload,
    weights_payload,
)
from synthspec.sign.pae import pae
from synthspec.sign.signing import sign
from synthspec.sign.statement import Subject
from synthspec.sign.trust import trust


def subject(name, data):
    return Subject(name, hashlib.sha256(data).hexdigest(), len(data))


FILES = {
    "weights/b.safetensors": b"two",
    "weights/a/z.safetensors": b"one",
    "weights/a.safetensors": b"three",
    "samples.csv": b"x\n1\n",
    "spec.resolved.yaml": b"a: 1\n",
    "sref.resolved.yaml": b"b: 1\n",
    "evidence.json": b"{}\n",
}
SUBJECTS = [subject(name, data) for name, data in FILES.items()]


def statement_in(data):
    return json.loads(base64.b64decode(json.loads(data)["dsseEnvelope"]["payload"]))


@pytest.fixture
def whole(manifest_of, keys):
    """A verified statement with its companions, by name: ``whole(FID=99.0)`` has other figures."""

    def make(**changed):
        manifest = manifest_of(**changed)
        made = companions(manifest, SUBJECTS, keys[0])
        listed = [*SUBJECTS, *(subject(name, data) for name, data in made.items())]
        return verify_bundle(sign(manifest, listed, keys[0]), trust((keys[0].public,))), made

    return make


def test_what_was_signed_with_the_manifest_agrees_with_it(whole):
    statement, made = whole()
    assert set(made) == {OMS, TEST_RESULT}
    assert disagreements(statement, made) == ()


def test_the_same_run_gives_the_same_bytes_in_any_order_of_files(manifest_of, keys):
    once = companions(manifest_of(), SUBJECTS, keys[0])
    assert once == companions(manifest_of(), SUBJECTS[::-1], keys[0])


def test_weights_are_named_from_their_folder_under_one_root_digest(whole):
    said = statement_in(whole()[1][OMS])
    ordered = ["a/z.safetensors", "a.safetensors", "b.safetensors"]
    resources = said["predicate"]["resources"]
    assert said["predicateType"] == OMS_TYPE
    assert [each["name"] for each in resources] == ordered
    digests = [hashlib.sha256(FILES[f"weights/{name}"]).digest() for name in ordered]
    assert [each["digest"] for each in resources] == [digest.hex() for digest in digests]
    assert said["subject"] == [{"name": "weights", "digest": {"sha256": hashlib.sha256(b"".join(digests)).hexdigest()}}]


@pytest.mark.parametrize(
    ("changed", "result", "failed", "warned"),
    [
        ({}, "PASSED", [], []),
        ({"FID": 99.0}, "FAILED", ["C40-511"], []),
        ({"FID": 99.0, "MI": 0.9}, "FAILED", ["C40-511", "C40-516"], []),
        ({"without": ("MI",)}, "FAILED", ["C40-516"], []),
    ],
)
def test_a_contract_that_is_not_held_has_failed(manifest_of, changed, result, failed, warned):
    said = json.loads(verdicts_payload(manifest_of(**changed), SUBJECTS))
    predicate = said["predicate"]
    assert said["predicateType"] == TEST_RESULT_TYPE
    assert (predicate["result"], predicate["failedTests"], predicate["warnedTests"]) == (result, failed, warned)
    tested = {*predicate["passedTests"], *failed, *warned}
    assert tested == {"C40-511", "C40-514", "C40-515", "C40-516", "C40-518", "C40-519"}
    assert [each["name"] for each in said["subject"]] == sorted(
        name for name in FILES if name.startswith(("weights/", "samples."))
    )
    assert [each["name"] for each in predicate["configuration"]] == ["spec.resolved.yaml", "sref.resolved.yaml"]


def test_a_contract_of_less_weight_is_a_warning(manifest_of):
    manifest = manifest_of(FID=99.0)
    lighter = [
        entry.model_copy(update={"severity": "warn"}) if entry.id == "C40-511" else entry
        for entry in manifest.contracts
    ]
    said = json.loads(verdicts_payload(manifest.model_copy(update={"contracts": tuple(lighter)}), SUBJECTS))
    assert said["predicate"]["result"] == "WARNED"
    assert said["predicate"]["warnedTests"] == ["C40-511"]


def test_under_a_mechanism_the_spec_is_not_named(manifest_of):
    manifest = manifest_of()
    private = PublicManifest.model_construct(
        contracts=manifest.contracts, privacy=manifest.privacy.model_construct(mechanism="dp-sgd")
    )
    said = json.loads(verdicts_payload(private, SUBJECTS))
    assert [each["name"] for each in said["predicate"]["configuration"]] == ["sref.resolved.yaml"]


def resigned(data, key, change, hint=None):
    """The companion after `change` of its statement, truly signed."""
    statement = statement_in(data)
    change(statement)
    payload = rfc8785.dumps(statement)
    held = json.loads(data)["verificationMaterial"]["publicKey"]["hint"]
    return bundle_bytes(payload, key.sign(pae(PAYLOAD_TYPE, payload)), hint or held)


LIES = {
    "other weights": (OMS, lambda s: s["predicate"]["resources"][0].update(digest="0" * 64)),
    "weights left out": (OMS, lambda s: s["predicate"]["resources"].pop()),
    "a path that nobody checks": (
        OMS,
        lambda s: s["predicate"]["serialization"].update(ignore_paths=["b.safetensors"]),
    ),
    "a pass": (TEST_RESULT, lambda s: s["predicate"].update(result="PASSED", failedTests=[])),
    "another file": (TEST_RESULT, lambda s: s["subject"].pop()),
    "another kind": (TEST_RESULT, lambda s: s.update(predicateType=OMS_TYPE)),
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_signed_companion_that_says_otherwise_is_refused(whole, keys, lie):
    statement, made = whole(FID=99.0)
    name, change = LIES[lie]
    found = disagreements(statement, made | {name: resigned(made[name], keys[0], change)})
    assert [(each.code, each.where) for each in found] == [("COMPANION_INCONSISTENT", name)]


@pytest.mark.parametrize("name", [OMS, TEST_RESULT])
def test_who_signed_it_is_who_signed_the_manifest(whole, keys, name):
    statement, made = whole()

    def codes(data):
        content = {key: value for key, value in (made | {name: data}).items() if value is not None}
        return [(each.code, each.where) for each in disagreements(statement, content)]

    assert codes(resigned(made[name], keys[1], lambda _: None)) == [("SIGNATURE", name)]
    assert codes(resigned(made[name], keys[0], lambda _: None, "elsewhere")) == [("KEY_HINT", name)]
    assert codes(b"{") == [("BAD_JSON", name)]
    assert codes(None) == [("TOO_LARGE", name)]


def test_a_run_without_companions_is_none_the_worse(manifest_of, keys):
    statement = verify_bundle(sign(manifest_of(), SUBJECTS, keys[0]), trust((keys[0].public,)))
    assert disagreements(statement, {}) == ()


def test_without_weights_or_with_an_edwards_key_there_is_no_model_signature(manifest_of, keys):
    assert weights_payload([each for each in SUBJECTS if not each.name.startswith("weights/")]) is None
    assert set(companions(manifest_of(), SUBJECTS, keys[2])) == {TEST_RESULT}


def test_the_published_form_of_a_test_result_reads_it(whole):
    pytest.importorskip("in_toto_attestation", reason="NOT READ WITH in-toto-attestation: it is not installed")
    from google.protobuf import json_format
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2

    predicate = statement_in(whole(FID=99.0)[1][TEST_RESULT])["predicate"]
    read = json_format.ParseDict(predicate, test_result_pb2.TestResult())
    assert (read.result, list(read.failed_tests)) == ("FAILED", ["C40-511"])
    assert len(read.configuration) == 2


@pytest.fixture(scope="module")
def oms():
    """The reference verifier in a process of its own; skipped, loudly, where it is not installed."""
    if importlib.util.find_spec("model_signing") is None or importlib.util.find_spec("OpenSSL") is None:
        pytest.skip("NOT TRIED WITH model_signing: it is not installed (pip install model-signing pyopenssl)")

    def verify(folder, signature, pem):
        words = ["verify", "key", folder, "--signature", signature, "--public_key", pem]
        command = [sys.executable, "-W", "ignore", "-m", "model_signing", *map(str, words)]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    return verify


def test_the_reference_verifier_takes_our_model_signature_and_sees_a_changed_file(oms, whole, keys, tmp_path):
    made = whole()[1]
    for name, data in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / OMS).write_bytes(made[OMS])
    (tmp_path / "key.pem").write_text(keys[0].public.pem)
    words = (tmp_path / "weights", tmp_path / OMS, tmp_path / "key.pem")
    done = oms(*words)
    assert "Verification succeeded" in done.stdout + done.stderr, done.stderr
    (tmp_path / "weights" / "b.safetensors").write_bytes(b"tow")
    assert oms(*words).returncode != 0
