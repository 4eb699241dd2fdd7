"""The attack table of the manifest verifier: every row gives its code, none crashes or hangs."""

import base64
import json
import os
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from synthspec.sign import verify_bundle
from synthspec.sign.strict_json import MAX_BYTES

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data):
    return base64.b64encode(data).decode()


def envelope(change):
    """An attack on the envelope of the bundle."""
    return lambda run: run.edited(lambda value: change(value["dsseEnvelope"]))


def bundle(change):
    return lambda run: run.edited(change)


def subject(**changed):
    return lambda run: run.restated(lambda statement: statement["subject"][0].update(changed))


def named(name):
    return subject(name=name)


def subjects(change):
    return lambda run: run.restated(lambda statement: change(statement["subject"]))


def statement(**changed):
    return lambda run: run.restated(lambda value: value.update(changed))


def replaced(old, new):
    """An attack on the text of the bundle."""
    return lambda run: run.bundle.replace(old, new, 1)


def payload(change):
    """A truly signed payload of other bytes."""
    return lambda run: run.signed(change(run.payload()))


def contract(index, **changed):
    return lambda run: run.reclaimed(lambda predicate: predicate["contracts"][index].update(changed))


def bound(index, **changed):
    return lambda run: run.reclaimed(lambda predicate: predicate["contracts"][index]["bounds"][0].update(changed))


def flip(text):
    """One bit of the first byte of some base64."""
    data = base64.b64decode(text)
    return b64(bytes([data[0] ^ 1]) + data[1:])


def edited_payload(old, new):
    """The payload edited under its old signature."""
    return envelope(lambda v: v.update(payload=b64(base64.b64decode(v["payload"]).replace(old, new, 1))))


def two_signatures(value):
    good = value["signatures"][0]
    value["signatures"] = [{"sig": b64(b"no"), "keyid": ""}, good]


def stolen_signature(run):
    """A valid payload under the signature of another valid bundle (M83)."""
    other = json.loads(run.restated(lambda value: value["predicate"].update(version="2.0.0")))
    return run.edited(lambda v: v["dsseEnvelope"].update(signatures=other["dsseEnvelope"]["signatures"]))


def wrong_key_right_hint(run):
    forged = json.loads(run.signed(run.payload(), key=run.other))
    forged["verificationMaterial"]["publicKey"]["hint"] = run.key.key_id
    forged["dsseEnvelope"]["signatures"][0]["keyid"] = run.key.key_id
    return json.dumps(forged).encode()


def omitted(predicate):
    del predicate["contracts"][0]


def twice(predicate):
    first = predicate["contracts"][0]
    predicate["contracts"].insert(0, {**first, "result": "broken"})


def passed_anyway(result):
    """A contract that is not held, all of it said truly but the verdict."""

    def change(predicate):
        contract = predicate["contracts"][0]
        contract["result"] = result
        contract["bounds"][0]["result"] = result
        if result == "broken":
            contract["bounds"][0]["limit"] = 1
        predicate["gate"]["fidelity_ok"] = False

    return lambda run: run.reclaimed(change)


def drop_owed(predicate):
    contract = predicate["contracts"][0]
    contract.update(severity="info", result="unproven", bounds=[])


def weaker_bound(predicate):
    """The same contract judged at its value where the standard says its upper bound."""
    predicate["contracts"][0]["bounds"][0]["at"] = "value"


def on_validation_data(predicate):
    """The figure was measured on a split that the contract does not take."""
    next(metric for metric in predicate["metrics"] if metric["name"] == "FID")["split"] = "val"


def forget_figure(predicate):
    predicate["metrics"] = [metric for metric in predicate["metrics"] if metric["name"] != "FID"]


ON_THE_BUNDLE = [
    ("M02", "SIGNATURE", envelope(lambda v: v.update(payload=flip(v["payload"])))),
    ("M03", "SIGNATURE", envelope(lambda v: v["signatures"][0].update(sig=b64(b"\x30" + b"\0" * 69)))),
    ("M10", "SIGNATURE", lambda run: run.signed(run.payload(), key=run.other)),
    ("M11", "SIGNATURE", wrong_key_right_hint),
    ("M12", "KEY_HINT", bundle(lambda v: v["verificationMaterial"]["publicKey"].update(hint="AAAA"))),
    ("M12-keyid", "KEY_HINT", envelope(lambda v: v["signatures"][0].update(keyid="AAAA"))),
    ("M12-signed", "KEY_HINT", lambda run: run.reclaimed(lambda p: p["key"].update(key_id=run.other.key_id))),
    ("M13", "NO_SIGNATURE", envelope(lambda v: v.update(signatures=[]))),
    ("M14", "NO_SIGNATURE", envelope(lambda v: v.update(signatures=None))),
    ("M15", "SIGNATURE_COUNT", envelope(two_signatures)),
    ("M16", "SIGNATURE_COUNT", envelope(lambda v: v.update(signatures=v["signatures"] * 2))),
    ("M23", "PAYLOAD_TYPE", envelope(lambda v: v.update(payloadType="text/plain"))),
    ("M24", "PAYLOAD_TYPE", lambda run: run.signed(run.payload(), payload_type="application/json")),
    ("M25", "SIGNATURE", lambda run: run.signed(run.payload(), encode=lambda _, body: body)),
    ("M26", "PREDICATE_TYPE", statement(predicateType="https://slsa.dev/provenance/v1")),
    ("M27", "STATEMENT_TYPE", statement(_type="https://in-toto.io/Statement/v0.1")),
    ("M28", "MEDIA_TYPE", bundle(lambda v: v.update(mediaType="application/vnd.dev.sigstore.bundle.v0.1+json"))),
    ("M29", "DUPLICATE_KEY", replaced(b'"dsseEnvelope":', b'"mediaType":"x","dsseEnvelope":')),
    ("M30", "DUPLICATE_KEY", payload(lambda p: p.replace(b'"_type":', b'"_type":"x","_type":', 1))),
    ("M31", "NOT_CANONICAL", payload(lambda p: p.replace(b'":', b'": ', 1))),
    ("M32", "BASE64", envelope(lambda v: v.update(payload=v["payload"][:8] + "\n" + v["payload"][8:]))),
    ("M33-tail", "BASE64", envelope(lambda v: v["signatures"][0].update(sig="QUJDRB=="))),
    ("M33-url", "BASE64", envelope(lambda v: v["signatures"][0].update(sig="_-_-"))),
    ("M33-unpadded", "BASE64", envelope(lambda v: v["signatures"][0].update(sig="QUI"))),
    ("M34", "NON_FINITE", payload(lambda p: p.replace(b'"fidelity_ok":true', b'"fidelity_ok":NaN', 1))),
    ("M34-bundle", "NON_FINITE", bundle(lambda v: v.update(extra=float("nan")))),
    ("M35", "NON_FINITE", payload(lambda p: p.replace(b'"sequence":7', b'"sequence":1e999', 1))),
    ("M36", "INT_RANGE", payload(lambda p: p.replace(b'"sequence":7', b'"sequence":9007199254740992', 1))),
    ("M36-long", "INT_RANGE", payload(lambda p: p.replace(b'"sequence":7', b'"sequence":' + b"9" * 5000, 1))),
    ("M37", "TOO_DEEP", lambda run: b"[" * 100_000),
    ("M37-closed", "TOO_DEEP", lambda run: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    ("M37-hidden", "BAD_JSON", lambda run: b'"' + b"[" * 100_000),
    ("M38", "TOO_LARGE", lambda run: run.bundle + b" " * (20 << 20)),
    ("M38-items", "TOO_LARGE", lambda run: b"[" + b"0," * (MAX_BYTES // 2 - 8) + b"0]"),
    ("M39", "NOT_UTF8", lambda run: run.bundle.decode().encode("utf-16")),
    ("M39-bare", "NOT_UTF8", lambda run: run.bundle.decode().encode("utf-16-le")),
    ("M40", "NOT_UTF8", lambda run: b"\xef\xbb\xbf" + run.bundle),
    ("M41", "BAD_JSON", lambda run: run.bundle[:-1]),
    ("M42", "BAD_JSON", lambda run: b" "),
    ("M43", "BAD_JSON", lambda run: run.bundle + b"{}"),
    ("M44-bundle", "SCHEMA", bundle(lambda v: v.update(extra=1))),
    ("M44-material", "SCHEMA", bundle(lambda v: v["verificationMaterial"].update(certificate={}))),
    ("M44-envelope", "SCHEMA", envelope(lambda v: v.update(extra=1))),
    ("M44-statement", "SCHEMA", statement(extra=1)),
    ("M44-predicate", "SCHEMA", lambda run: run.reclaimed(lambda p: p.update(extra=1))),
    ("M44-nested", "SCHEMA", lambda run: run.reclaimed(lambda p: p["deep"].update(extra=1))),
    ("M44-snake", "SCHEMA", lambda run: run.reclaimed(lambda p: p.update(schema_version=p.pop("schemaVersion")))),
    ("M44-null", "NOT_CANONICAL", lambda run: run.reclaimed(lambda p: p["trace"].update(commit=None))),
    ("M44-array", "SCHEMA", lambda run: b"[]"),
    ("M45", "BAD_NAME", named("../../etc/passwd")),
    ("M46", "BAD_NAME", named("/etc/passwd")),
    ("M47", "BAD_NAME", named("a\\b")),
    ("M48-drive", "BAD_NAME", named("C:/x")),
    ("M48-unc", "BAD_NAME", named("//host/share")),
    ("M49", "BAD_NAME", named("a\0b")),
    ("M50-bidi", "BAD_NAME", named("a\u202eb")),
    ("M50-zero-width", "BAD_NAME", named("a\u200bb")),
    ("M51-dot", "BAD_NAME", named("./x")),
    ("M51-double", "BAD_NAME", named("a//b")),
    ("M51-trailing", "BAD_NAME", named("a/")),
    ("M51-empty", "BAD_NAME", named("")),
    ("M52-device", "BAD_NAME", named("a/NUL.txt")),
    ("M52-dot", "BAD_NAME", named("a./b")),
    ("M53", "BAD_NAME", named("a\n")),
    ("M45-reserved", "BAD_NAME", named("manifest.sigstore.json")),
    ("M54", "DUPLICATE_SUBJECT", subjects(lambda s: s.append({**s[0], "digest": {"sha256": "0" * 64}}))),
    ("M55", "COLLIDING_SUBJECT", subjects(lambda s: s.append({**s[0], "name": s[0]["name"].upper()}))),
    ("M55-folder", "COLLIDING_SUBJECT", subjects(lambda s: s.append({**s[0], "name": "Samples/c"}))),
    ("M56", "COLLIDING_SUBJECT", subjects(lambda s: s.append({**s[0], "name": s[0]["name"] + "/x"}))),
    ("M56-below", "COLLIDING_SUBJECT", subjects(lambda s: s.append({**s[0], "name": "samples"}))),
    ("M57", "DIGEST_ALG", subject(digest={"md5": "0" * 32})),
    ("M58", "DIGEST_ALG", subject(digest={"sha256": "0" * 64, "sha1": "0" * 40})),
    ("M59-upper", "DIGEST_FORM", subject(digest={"sha256": "A" * 64})),
    ("M59-short", "DIGEST_FORM", subject(digest={"sha256": "a" * 63})),
    ("M60", "SUBJECT_COUNT", statement(subject=[])),
    ("M61", "SUBJECT_COUNT", subjects(lambda s: s.extend({**s[0], "name": f"f{i}"} for i in range(1020)))),
    ("M61-size", "SCHEMA", subject(annotations={"size": -1})),
    ("M61-bool-size", "SCHEMA", subject(annotations={"size": True})),
    ("M61-no-size", "SCHEMA", subject(annotations={})),
    ("M71", "EXPIRED", lambda run: run.reclaimed(lambda p: p["release"].update(expiresAt="2026-05-01T00:00:00Z"))),
    ("M72", "FROM_FUTURE", lambda run: run.reclaimed(lambda p: p["release"].update(createdAt="2026-07-01T00:00:00Z"))),
    ("M73", "CONTRACT_MISSING", lambda run: run.reclaimed(omitted)),
    ("M73-owed", "CONTRACT_MISSING", lambda run: run.reclaimed(drop_owed)),
    ("M74", "DUPLICATE_CONTRACT", lambda run: run.reclaimed(twice)),
    ("M75", "VERDICT_INCONSISTENT", passed_anyway("broken")),
    ("M75-gate", "VERDICT_INCONSISTENT", lambda run: run.reclaimed(lambda p: p["gate"].update(privacy_ok=False))),
    ("M75-fail", "VERDICT_INCONSISTENT", lambda run: run.reclaimed(lambda p: p.update(verdict="FAIL"))),
    ("M76", "CONTRACT_INCONSISTENT", bound(0, limit=1)),
    ("M76-judged", "CONTRACT_INCONSISTENT", bound(0, judged=1)),
    ("M76-unjudged", "CONTRACT_INCONSISTENT", lambda r: r.reclaimed(lambda p: p["contracts"][0]["bounds"][0].pop("judged"))),
    ("M76-value", "CONTRACT_INCONSISTENT", bound(0, value=9)),
    ("M76-record", "CONTRACT_INCONSISTENT", contract(1, result="held")),
    ("M76-bound", "CONTRACT_INCONSISTENT", bound(0, result="broken")),
    ("M77", "SCHEMA", contract(0, result="held ")),
    ("M77-word", "SCHEMA", contract(0, result="pass")),
    ("M78", "VERDICT_INCONSISTENT", passed_anyway("unproven")),
    ("M83", "SIGNATURE", stolen_signature),
    ("M96", "UNSUPPORTED_VERSION", lambda run: run.reclaimed(lambda p: p.update(schemaVersion="2.0.0"))),
    ("M100", "SIGNATURE", edited_payload(b'"ms"', b'"us"')),
    ("M100-unit", "CONTRACT_SCHEMA", bound(3, unit="s")),
    ("M100-metric", "CONTRACT_SCHEMA", bound(0, metric="FIDELITY")),
    ("M100-at", "CONTRACT_SCHEMA", lambda run: run.reclaimed(weaker_bound)),
    ("M100-constant", "CONTRACT_SCHEMA", bound(7, limit=5)),
    ("M76-split", "CONTRACT_INCONSISTENT", lambda run: run.reclaimed(on_validation_data)),
    ("M76-metrics", "SCHEMA", lambda run: run.reclaimed(lambda p: p["metrics"].append(p["metrics"][0]))),
    ("M101-file", "EVIDENCE_MISSING", contract(0, evidence_ref="report/fid.json")),
    ("M101", "EVIDENCE_MISSING", lambda run: run.reclaimed(forget_figure)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "attack"), [row[1:] for row in ON_THE_BUNDLE], ids=[row[0] for row in ON_THE_BUNDLE])
def test_an_attack_on_the_bundle_is_refused(run, code, attack):
    assert run.codes(attack(run))[:1] == [code]


def test_m01_untouched_is_accepted(run):
    assert run.codes() == []
    assert verify_bundle(run.bundle, run.trusted).manifest == run.manifest


def test_a_waived_contract_may_lack_what_is_owed(run):
    waiver = {"id": "C40-511", "reason": "no features", "approver": "owner", "expires": "2026-12-31"}
    assert run.codes(run.reclaimed(lambda p: (drop_owed(p), p["waivers"].append(waiver)))) == []


def test_m80_a_manifest_does_not_speak_for_another_folder(run):
    (run.folder / "weights/engine.safetensors").write_bytes(bytes(reversed(range(256))) * 3)
    assert run.codes() == ["DIGEST"]


def test_m95_the_other_form_of_a_signature_changes_no_identity(run):
    r, s = decode_dss_signature(base64.b64decode(json.loads(run.bundle)["dsseEnvelope"]["signatures"][0]["sig"]))
    other = run.edited(lambda v: v["dsseEnvelope"]["signatures"][0].update(sig=b64(encode_dss_signature(r, N - s))))
    assert other != run.bundle
    assert verify_bundle(other, run.trusted).digest == verify_bundle(run.bundle, run.trusted).digest


def test_a_missing_or_empty_hint_is_no_fault(run):
    def strip(value):
        value["verificationMaterial"]["publicKey"] = {}
        del value["dsseEnvelope"]["signatures"][0]["keyid"]

    assert run.codes(run.edited(strip)) == []
    assert run.codes(run.edited(lambda v: v["dsseEnvelope"]["signatures"][0].update(keyid=""))) == []


def test_times_are_judged_at_the_time_of_asking(run):
    assert run.codes(at=datetime(2026, 1, 31, 11, 58, tzinfo=UTC)) == []
    assert run.codes(at=datetime(2026, 1, 31, 11, 50, tzinfo=UTC)) == ["FROM_FUTURE"]
    assert run.codes(at=datetime(2036, 1, 31, 12, 0, tzinfo=UTC)) == ["EXPIRED"]


# Attacks on the files: what is done to the folder, and the exact refusals that follow.


def damage(path, change):
    def attack(folder):
        file = folder / path
        file.write_bytes(change(file.read_bytes()))

    return attack


def swap(folder):
    a, b = (folder / f"samples/{name}.npz" for name in "ab")
    a_data, b_data = a.read_bytes(), b.read_bytes()
    a.write_bytes(b_data)
    b.write_bytes(a_data)


def link_file(folder):
    file = folder / "samples/a.npz"
    file.rename(folder.parent / "elsewhere")
    file.symlink_to(folder.parent / "elsewhere")


def link_folder(folder):
    (folder / "samples").rename(folder.parent / "elsewhere")
    (folder / "samples").symlink_to(folder.parent / "elsewhere")


def fifo(folder):
    (folder / "samples/a.npz").unlink()
    os.mkfifo(folder / "samples/a.npz")


def directory(folder):
    (folder / "samples/a.npz").unlink()
    (folder / "samples/a.npz").mkdir()


def sparse(folder):
    os.truncate(folder / "samples/a.npz", 1 << 40)


def file_for_folder(folder):
    (folder / "weights").rename(folder.parent / "elsewhere")
    (folder / "weights").touch()


def bytes_name(folder):
    os.close(os.open(os.fsencode(folder) + b"/\xff\xfe", os.O_CREAT | os.O_WRONLY, 0o600))


A, B = "samples/a.npz", "samples/b.npz"
ON_THE_FILES = [
    ("M04", [("DIGEST", A)], damage(A, lambda data: bytes([data[0] ^ 1]) + data[1:])),
    ("M05", [("SIZE", A)], damage(A, lambda data: data[:-1])),
    ("M06", [("SIZE", A)], damage(A, lambda data: data + b"x")),
    ("M07", [("MISSING_FILE", A)], lambda folder: (folder / A).unlink()),
    ("M08", [("EXTRA_FILE", "samples/c.npz")], lambda folder: (folder / "samples/c.npz").write_bytes(b"C")),
    ("M09", [("DIGEST", A), ("DIGEST", B)], swap),
    ("M62", [("SYMLINK", A)], link_file),
    ("M63", [("SYMLINK", "samples")], link_folder),
    ("M64", [("SPECIAL_FILE", A)], fifo),
    ("M65", [("EXTRA_FILE", A)], directory),
    ("M66", [("SIZE", A)], sparse),
    ("M67", [("HARDLINK", A)], lambda folder: (folder.parent / "outside").hardlink_to(folder / A)),
    ("M68", [("EXTRA_FILE", "\\udcff\\udcfe")], bytes_name),
    ("M81", [("EXTRA_FILE", "samples/z.npz"), ("MISSING_FILE", A)], lambda f: (f / A).rename(f / "samples/z.npz")),
    ("M82", [("EXTRA_FILE", "samples/empty")], lambda folder: (folder / "samples/empty").mkdir()),
    ("M94", [("DIGEST", "spec.resolved.yaml")], damage("spec.resolved.yaml", bytes.upper)),
    ("readable", [("DIGEST", "manifest.json")], damage("manifest.json", lambda d: d.replace(b"PASS", b"FAIL", 1))),
    ("readable-no-json", [("DIGEST", "manifest.json")], damage("manifest.json", lambda d: b"{")),
    ("file-for-folder", [("EXTRA_FILE", "weights")], file_for_folder),
    ("device", [("SYMLINK", A)], lambda f: ((f / A).unlink(), (f / A).symlink_to("/dev/zero"))),
    ("several", [("DIGEST", A), ("MISSING_FILE", B)], lambda f: (damage(A, bytes.lower)(f), (f / B).unlink())),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "attack"), [row[1:] for row in ON_THE_FILES], ids=[row[0] for row in ON_THE_FILES])
def test_an_attack_on_the_files_is_refused_and_named(run, wanted, attack):
    attack(run.folder)
    assert [(refusal.code, refusal.where) for refusal in run.refusals()] == wanted


def test_the_copy_for_people_may_be_laid_out_otherwise_or_left_out(run):
    readable = run.folder / "manifest.json"
    readable.write_text(json.dumps(json.loads(readable.read_bytes())))
    assert run.codes() == []
    readable.unlink()
    (run.folder / "manifest.sigstore.json").unlink()
    assert run.codes() == []


def test_a_flood_of_extra_files_is_cut_short(run):
    for number in range(300):
        (run.folder / f"x{number}").touch()
    refusals = run.refusals()
    assert len(refusals) == 201
    assert {refusal.code for refusal in refusals} == {"EXTRA_FILE"}


@pytest.mark.parametrize("mode", ["ab", "r+b"], ids=["grows", "is-rewritten"])
def test_m85_a_file_that_changes_while_it_is_read_is_refused(run, monkeypatch, mode):
    path = run.folder / A
    read = os.read

    def changes(handle, size):
        data = read(handle, size)
        if data == b"A" * 40:
            with path.open(mode) as file:
                file.write(b"x")
        return data

    monkeypatch.setattr(os, "read", changes)
    assert [refusal.code for refusal in run.refusals()] == ["CHANGED_WHILE_READING"]


def test_no_folder_is_a_fault_of_the_world(run):
    run.folder = run.folder / "nothing"
    assert [refusal.code for refusal in run.refusals()] == ["IO"]
