"""The bundle in the hands of a verifier that is not ours: the npm package `@sigstore/verify`."""

import json
import shutil
import subprocess

import pytest

_SCRIPT = """
const fs = require('fs'), crypto = require('crypto');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity } = require('@sigstore/verify');
const [bundle, pem] = process.argv.slice(2).map((path) => fs.readFileSync(path, 'utf8'));
const key = crypto.createPublicKey(pem);
const trust = {
  certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [],
  publicKey: (hint) => ({ publicKey: key, hint, validFor: () => true }),
};
const verifier = new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 });
verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle))));
console.log('verified');
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """Runs the script; skipped, loudly, where node or the package is not installed (`npm install -g @sigstore/verify`)."""

    def missing(what):
        pytest.skip(f"NOT TRIED WITH @sigstore/verify: {what}")

    program, npm = shutil.which("node"), shutil.which("npm")
    if not (program and npm):
        missing("there is no node")
    root = subprocess.run([npm, "root", "-g"], check=True, capture_output=True, text=True).stdout.strip()
    folder = tmp_path_factory.mktemp("node")
    (folder / "verify.js").write_text(_SCRIPT)

    def run(bundle, pem):
        (folder / "bundle.json").write_bytes(bundle)
        (folder / "key.pem").write_text(pem)
        words = [program, "verify.js", "bundle.json", "key.pem"]
        return subprocess.run(
            words, check=False, cwd=folder, env={"NODE_PATH": root, "PATH": ""}, capture_output=True, text=True
        )

    done = run(b"{}", "")
    if "Cannot find module" in done.stderr:
        missing("the package is not installed globally")
    return run


def test_sigstore_js_verifies_what_we_sign(node, signed):
    done = node(signed.bundle, signed.key.public.pem)
    assert done.stdout == "verified\n", done.stderr


def test_and_refuses_what_we_refuse(node, signed, keys):
    assert "verified" not in node(signed.bundle, keys[1].public.pem).stdout
    changed = json.loads(signed.bundle)
    payload = changed["dsseEnvelope"]["payload"]
    changed["dsseEnvelope"]["payload"] = payload[:-8] + ("A" if payload[-8] != "A" else "B") + payload[-7:]
    assert "verified" not in node(json.dumps(changed).encode(), signed.key.public.pem).stdout
