"""RFC 3161 stamps (M91, M92) from an authority that the test makes with OpenSSL, and what they prove about keys."""

import base64
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from synthspec.sign import VerifiedStatement, verify_bundle
from synthspec.sign.bundle import bundle_bytes, read_bundle_bytes, stamped
from synthspec.sign.refusal import Refused, settled
from synthspec.sign.signing import approval
from synthspec.sign.timestamps import read_roots, request, roots_pem, stamped_at
from synthspec.sign.trust import Trust, TrustedKey, trusted_keys
from synthspec.sign.trust_file import Timestamps, TrustEntry, TrustFile, read_trust_file, write_trust_file

CONFIG = """
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:true
[clock]
extendedKeyUsage = critical,timeStamping
[web]
extendedKeyUsage = critical,serverAuth
[tsa]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha1, sha256, sha512
accuracy = secs:2, millisecs:500
"""
DAY = timedelta(days=1)
MADE = datetime(2026, 1, 31, 12, tzinfo=UTC)
"""When the manifest of the fixture says that it was made."""


class Authority:
    """A root with a clock below it, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "c.cnf").write_text(CONFIG)
        (folder / "serial").write_text("01\n")
        for name in ("root", "clock"):
            self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        config = ("-config", "c.cnf")
        self.openssl(
            *("req", "-x509", "-new", "-key", "root.key", "-subj", "/CN=root", "-days", "9", "-out", "root.pem"),
            *(*config, "-extensions", "root"),
        )
        self.openssl("req", "-new", "-key", "clock.key", "-subj", "/CN=clock", "-out", "clock.csr", *config)
        self.openssl(
            *("x509", "-req", "-in", "clock.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial"),
            *("-days", "9", "-extfile", "c.cnf", "-extensions", "clock", "-out", "clock.pem"),
        )
        self.roots = read_roots((folder / "root.pem").read_text(), "root.pem")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=30)

    def answer(self, query):
        (self.folder / "q.tsq").write_bytes(query)
        config = ("-config", "c.cnf", "-section", "tsa")
        signer = ("-signer", "clock.pem", "-inkey", "clock.key")
        self.openssl("ts", "-reply", *config, "-queryfile", "q.tsq", *signer, "-out", "r.tsr")
        return (self.folder / "r.tsr").read_bytes()

    def stamp(self, signature):
        return self.answer(request(signature))


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """An authority that is trusted in the tests, and one that is not."""
    if shutil.which("openssl") is None:
        pytest.skip("TIME STAMPS NOT TRIED: there is no openssl to make them with")
    pytest.importorskip("rfc3161_client", reason="TIME STAMPS NOT TRIED: the extra `timestamps` is not installed")
    folder = tmp_path_factory.mktemp("authorities")
    return Authority(folder / "ours"), Authority(folder / "stranger")


@pytest.fixture(scope="module")
def ours(authorities):
    return authorities[0]


@pytest.fixture(scope="module")
def stamped_run(signed, ours):
    """(the bundle with a stamp, the stamp, its instant with the accuracy of the clock)."""
    signature = read_bundle_bytes(signed.bundle).signature
    token = ours.stamp(signature)
    return stamped(signed.bundle, token), token, stamped_at(token, signature, ours.roots)


def answer(bundle, *entries, roots=(), approvals=b""):
    found = verify_bundle(bundle, Trust(entries, roots=roots), approvals)
    return "OK" if isinstance(found, VerifiedStatement) else found[0].code


def code(step):
    with pytest.raises(Refused) as refused:
        step()
    return refused.value.refusals[0].code


def test_the_stamp_lies_where_other_tools_read_it(signed, stamped_run):
    bundle, token, _ = stamped_run
    plain, found = json.loads(signed.bundle), json.loads(bundle)
    held = found["verificationMaterial"].pop("timestampVerificationData")
    assert held == {"rfc3161Timestamps": [{"signedTimestamp": base64.b64encode(token).decode()}]}
    assert found == plain
    assert stamped(bundle, token) == bundle
    assert read_bundle_bytes(bundle).stamps == (token,)


def test_a_bundle_without_stamps_is_written_as_before(signed):
    held = read_bundle_bytes(signed.bundle)
    assert held.stamps == ()
    assert bundle_bytes(held.payload, held.signature, held.hints[0]) == signed.bundle
    assert b"timestamp" not in signed.bundle.split(base64.b64encode(signed.payload()))[1]


def test_openssl_verifies_the_stamp_that_the_bundle_holds(signed, ours, stamped_run):
    (ours.folder / "held.tsr").write_bytes(read_bundle_bytes(stamped_run[0]).stamps[0])
    (ours.folder / "signature").write_bytes(read_bundle_bytes(signed.bundle).signature)
    ours.openssl("ts", "-verify", "-in", "held.tsr", "-data", "signature", "-CAfile", "root.pem")


_SCRIPT = """
const fs = require('fs'), crypto = require('crypto'), path = require('path');
const paths = [path.dirname(require.resolve('@sigstore/verify/package.json'))];
const { X509Certificate } = require(require.resolve('@sigstore/core', { paths }));
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity } = require('@sigstore/verify');
const [bundle, pem, ...chain] = process.argv.slice(2).map((name) => fs.readFileSync(name));
const key = crypto.createPublicKey(pem), validFor = { start: new Date(0), end: new Date(4e12) };
const trust = {
  certificateAuthorities: [], tlogs: [], ctlogs: [],
  timestampAuthorities: [{ certChain: chain.map((each) => X509Certificate.parse(each)), validFor }],
  publicKey: (hint) => ({ publicKey: key, hint, validFor: () => true }),
};
const verifier = new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 1 });
verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle.toString()))));
console.log('verified');
"""


def test_sigstore_js_reads_the_stamp(signed, ours, stamped_run, tmp_path):
    program, npm = shutil.which("node"), shutil.which("npm")
    if not (program and npm):
        pytest.skip("STAMPS NOT TRIED WITH @sigstore/verify: there is no node")
    modules = subprocess.run([npm, "root", "-g"], check=True, capture_output=True, text=True).stdout.strip()
    if not (Path(modules) / "@sigstore" / "verify").exists():
        pytest.skip("STAMPS NOT TRIED WITH @sigstore/verify: the package is not installed globally")
    for name in ("clock", "root"):
        ours.openssl("x509", "-in", f"{name}.pem", "-outform", "DER", "-out", f"{name}.der")
    (tmp_path / "verify.js").write_text(_SCRIPT)
    (tmp_path / "key.pem").write_text(signed.key.public.pem)

    def verdict(bundle):
        (tmp_path / "bundle.json").write_bytes(bundle)
        words = [program, "verify.js", "bundle.json", "key.pem", ours.folder / "clock.der", ours.folder / "root.der"]
        done = subprocess.run(
            words, check=False, cwd=tmp_path, env={"NODE_PATH": modules, "PATH": ""}, capture_output=True, text=True
        )
        return done.stdout or done.stderr

    assert verdict(stamped_run[0]) == "verified\n"
    assert "expected 1 timestamps, got 0" in verdict(signed.bundle)
    assert "timestamp could not be verified" in verdict(stamped(signed.bundle, ours.stamp(b"another signature")))


def test_m90_a_fault_in_the_library_never_proves_a_time(signed, ours, stamped_run, monkeypatch):
    import rfc3161_client

    def breaks(*args, **kwargs):
        raise RuntimeError("injected")

    entry = TrustedKey(signed.key.public, revoked=stamped_run[2] + DAY)
    for name in ("VerifierBuilder", "decode_timestamp_response"):
        with monkeypatch.context() as patch:
            patch.setattr(rfc3161_client, name, breaks)
            assert answer(stamped_run[0], entry, roots=ours.roots) in ("TIMESTAMP_UNTRUSTED", "INTERNAL")


def test_the_instant_is_that_of_the_clock_and_its_accuracy(stamped_run):
    now = datetime.now(UTC)
    assert now - timedelta(minutes=5) < stamped_run[2] < now + timedelta(seconds=2.5)
    assert stamped_run[2].microsecond == 500_000


def test_a_stamp_is_told_with_the_statement(signed, ours, stamped_run):
    entry = TrustedKey(signed.key.public)
    found = verify_bundle(stamped_run[0], Trust((entry,), roots=ours.roots))
    assert (found.stamped, found.unread) == (stamped_run[2], 0)
    found = verify_bundle(stamped_run[0], Trust((entry,)))
    assert (found.stamped, found.unread) == (None, 1)
    found = verify_bundle(signed.bundle, Trust((entry,), roots=ours.roots))
    assert (found.stamped, found.unread) == (None, 0)


@pytest.mark.parametrize(
    ("window", "with_stamp", "without"),
    [
        ({"revoked": DAY}, "OK", "KEY_REVOKED"),
        ({"revoked": timedelta()}, "KEY_REVOKED", "KEY_REVOKED"),
        ({"revoked": -DAY}, "KEY_REVOKED", "KEY_REVOKED"),
        ({"not_after": DAY}, "OK", "OK"),
        ({"not_before": DAY, "revoked": DAY}, "KEY_NOT_VALID", "KEY_REVOKED"),
    ],
)
def test_a_key_revoked_after_the_stamp_is_believed(signed, ours, stamped_run, window, with_stamp, without):
    bundle, _, instant = stamped_run
    entry = TrustedKey(signed.key.public, **{name: instant + shift for name, shift in window.items()})
    assert answer(bundle, entry, roots=ours.roots) == with_stamp
    assert answer(signed.bundle, entry, roots=ours.roots) == without
    assert answer(bundle, entry) == without, "without a trusted clock a stamp proves nothing"


def test_validity_that_ended_after_the_stamp_is_enough(signed):
    entry = TrustedKey(signed.key.public, not_after=MADE)
    assert entry.faults(MADE + DAY) != ()
    assert entry.faults(MADE + DAY, MADE - DAY) == ()
    assert entry.faults(MADE + DAY, MADE + DAY) != ()
    assert entry.faults(MADE - DAY, MADE + DAY) == (), "a late stamp takes nothing away"


def test_m91_a_stamp_of_another_signature(signed, keys, ours):
    entry = TrustedKey(signed.key.public)
    other = stamped(signed.bundle, ours.stamp(b"another signature"))
    assert answer(other, entry, roots=ours.roots) == "TIMESTAMP_MISMATCH"
    good = ours.stamp(read_bundle_bytes(signed.bundle).signature)
    both = stamped(stamped(signed.bundle, good), ours.stamp(b"another signature"))
    assert answer(both, entry, roots=ours.roots) == "TIMESTAMP_MISMATCH", "every stamp must hold"


def test_m92_a_stamp_below_an_untrusted_root(signed, authorities, stamped_run):
    entry = TrustedKey(signed.key.public, revoked=stamped_run[2] + DAY)
    assert answer(stamped_run[0], entry, roots=authorities[1].roots) == "TIMESTAMP_UNTRUSTED"
    assert answer(stamped_run[0], entry, roots=authorities[1].roots + authorities[0].roots) == "OK"


def test_m92_an_answer_to_another_request(ours):
    mine, other = request(b"signature"), request(b"signature")
    token = ours.answer(mine)
    assert stamped_at(token, b"signature", ours.roots, mine) == stamped_at(token, b"signature", ours.roots)
    assert code(lambda: stamped_at(token, b"signature", ours.roots, other)) == "TIMESTAMP_UNTRUSTED"
    assert code(lambda: stamped_at(token, b"signature", (), other)) == "TIMESTAMP_UNTRUSTED"
    assert code(lambda: stamped_at(token, b"signature", (), b"no request")) == "TIMESTAMP_UNTRUSTED"


def test_a_certificate_for_something_else_is_no_clock(tmp_path, authorities):
    authority = Authority(tmp_path / "web")
    token = authority.stamp(b"signature")
    authority.openssl(
        *("x509", "-req", "-in", "clock.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial"),
        *("-days", "9", "-extfile", "c.cnf", "-extensions", "web", "-out", "web.pem"),
    )
    web = read_roots((authority.folder / "web.pem").read_text(), "web.pem")
    assert code(lambda: stamped_at(token, b"signature", web)) == "TIMESTAMP_UNTRUSTED"


def test_a_weak_hash_is_refused(ours):
    (ours.folder / "data").write_bytes(b"signature")
    ours.openssl("ts", "-query", "-data", "data", "-sha1", "-cert", "-out", "weak.tsq")
    token = ours.answer((ours.folder / "weak.tsq").read_bytes())
    assert code(lambda: stamped_at(token, b"signature", ours.roots)) == "TIMESTAMP_UNTRUSTED"


def test_no_turned_bit_of_a_stamp_changes_the_instant(signed, ours, stamped_run):
    _, token, instant = stamped_run
    signature = read_bundle_bytes(signed.bundle).signature
    for index in range(len(token)):
        other = bytearray(token)
        other[index] ^= 1 << index % 8
        found = settled(lambda other=bytes(other): stamped_at(other, signature, ours.roots))
        # Some fields are not signed: they may differ, what is proved may not.
        assert found == instant or found[0].code in ("TIMESTAMP_MISMATCH", "TIMESTAMP_UNTRUSTED")


@pytest.mark.parametrize(
    "token", [b"", b"no reply", b"\x30\x05\x30\x03\x02\x01\x02"], ids=["empty", "noise", "rejected"]
)
def test_what_is_no_granted_reply_is_refused(signed, ours, token):
    bundle = stamped(signed.bundle, token)
    assert answer(bundle, TrustedKey(signed.key.public), roots=ours.roots) == "TIMESTAMP_UNTRUSTED"


def test_an_approval_may_carry_the_stamp(signed, keys, ours):
    statement = verify_bundle(signed.bundle, signed.trusted)
    line = approval(statement, keys[2])
    held = read_bundle_bytes(line)
    token = ours.stamp(held.signature)
    later = stamped_at(token, held.signature, ours.roots) + DAY
    entries = (TrustedKey(signed.key.public), TrustedKey(keys[2].public, revoked=later))
    assert answer(signed.bundle, *entries, roots=ours.roots, approvals=line) == "KEY_REVOKED"
    assert answer(signed.bundle, *entries, roots=ours.roots, approvals=stamped(line, token)) == "OK"
    both = (TrustedKey(signed.key.public), TrustedKey(keys[2].public))
    assert verify_bundle(signed.bundle, Trust(both), stamped(line, token)).unread == 1


@pytest.mark.parametrize(
    "held",
    [
        None,
        {},
        {"rfc3161Timestamps": []},
        {"rfc3161Timestamps": [{}]},
        {"rfc3161Timestamps": {}},
        {"rfc3161Timestamps": [{"signedTimestamp": "AA==", "more": 1}]},
        {"rfc3161Timestamps": [{"signedTimestamp": "AA=="}] * 9},
        {"rfc3161Timestamps": [{"signedTimestamp": "AA=="}], "more": []},
    ],
)
def test_the_field_is_read_strictly(signed, held):
    bundle = signed.edited(lambda value: value["verificationMaterial"].update(timestampVerificationData=held))
    assert signed.codes(bundle) == ["SCHEMA"]


def test_base64_of_a_stamp_has_one_spelling(signed):
    held = {"rfc3161Timestamps": [{"signedTimestamp": "AB=="}]}
    bundle = signed.edited(lambda value: value["verificationMaterial"].update(timestampVerificationData=held))
    assert signed.codes(bundle) == ["BASE64"]


def test_no_more_stamps_than_are_read(signed):
    bundle = signed.bundle
    for number in range(8):
        bundle = stamped(bundle, bytes([number]))
    assert len(read_bundle_bytes(bundle).stamps) == 8
    assert code(lambda: stamped(bundle, b"ninth")) == "SCHEMA"


def test_without_the_extra_it_is_said_what_to_install(signed, ours, stamped_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    found = verify_bundle(stamped_run[0], Trust((TrustedKey(signed.key.public),), roots=ours.roots))
    assert "synthspec[timestamps]" in found[0].message
    assert answer(stamped_run[0], TrustedKey(signed.key.public)) == "OK"


def test_the_trust_file_names_the_roots(tmp_path, signed, authorities):
    roots = tuple(root for each in authorities for root in each.roots)
    held = TrustFile(keys={"a": TrustEntry(pem=signed.key.public.pem)}, timestamps=Timestamps(roots=roots_pem(roots)))
    write_trust_file(tmp_path, held)
    assert read_trust_file(tmp_path) == held
    assert trusted_keys(tmp_path).roots == roots
    write_trust_file(tmp_path, held.model_copy(update={"timestamps": Timestamps(roots="no certificate")}))
    assert [each.code for each in trusted_keys(tmp_path)] == ["TRUST_POLICY"]
