"""Codes of `verify` about the bundle, its signature and its files: what one means, and what to do about it.

They are printed without their area (``refused[DIGEST]``), and `explain DIGEST` finds them. Numbers such as M04 are rows of the
table of attacks that the tests of `synthspec.sign` go through.
"""

from __future__ import annotations

from synthspec.rules.documented.form import Documented, documented

AREA = "verify"
_ASK = "ask whoever sent it for the file as it was written"


def refusal(code: str, title: str, why: str, seen: str, do: str, rows: str = "") -> Documented:
    """One row: `seen` is how it comes about, `do` what to do then, `rows` the attacks that it answers."""
    refs = f"attacks {rows}; docs/trust.md" if rows else "docs/trust.md"
    return documented(f"{AREA}.{code}", "verify", title, why=why, bad=seen, good=do, refs=refs)


_FORM = "One file has one meaning: what two readers could take in two ways proves nothing, whoever signed it."

CODES: tuple[Documented, ...] = (
    refusal("TOO_LARGE", "The file is larger than a manifest is.",
            "No more than 8 MiB, and half a million items, are read, so that nobody can make a verifier work for hours.",
            "a bundle of 20 MB", f"{_ASK}; results belong beside a manifest, not into it", "M38"),
    refusal("NOT_UTF8", "The file is not UTF-8, or begins with a byte-order mark.", _FORM,
            "saved again by an editor, as UTF-16 or with a mark", _ASK, "M39, M40"),
    refusal("BAD_JSON", "The file is not JSON.",
            "A bundle is one JSON value. The file may be cut off, or be another one: samples, a report.",
            "synthspec verify run/samples.csv", "synthspec verify run", "M41, M42, M43"),
    refusal("TOO_DEEP", "The JSON is nested deeper than 64.", "Depth is bounded before anything is parsed.",
            "[[[[ ... ]]]]", _ASK, "M37"),
    refusal("DUPLICATE_KEY", "A key stands twice in one object.", _FORM,
            '{"verdict": "FAIL", "verdict": "PASS"}', _ASK, "M29, M30"),
    refusal("NON_FINITE", "A number is NaN, infinite, or beyond what a double holds.", _FORM,
            '{"value": 1e999}', _ASK, "M34, M35"),
    refusal("INT_RANGE", "An integer is beyond 2^53 - 1.",
            "A double cannot hold it, so readers differ about its value; such numbers travel as text.",
            '{"seed": 18446744073709551615}', '{"seed": "18446744073709551615"}', "M36"),
    refusal("BASE64", "A payload, signature or time stamp is not canonical base64.",
            "Several spellings of one content would be several files that look alike: only the standard, padded one is read.",
            "line breaks, the url-safe alphabet, or other bits behind the end", _ASK, "M32, M33"),
    refusal("NOT_CANONICAL", "What was signed is not spelled as RFC 8785 says.", _FORM,
            '{"b": 1.0, "a": 2}', '{"a":2,"b":1}', "M31"),
    refusal("SCHEMA", "Something has a field too many or too few, or a value of another kind.",
            "What is not understood in full is not believed. Often the file is not the bundle but its readable copy, which"
            " nobody signed.",
            "synthspec verify run/manifest.json", "synthspec verify run/manifest.sigstore.json", "M44, M77"),
    refusal("MEDIA_TYPE", "The file is no Sigstore bundle v0.3.", "Other versions have the signature elsewhere.",
            "mediaType: application/vnd.dev.sigstore.bundle.v0.2+json", _ASK, "M28"),
    refusal("PAYLOAD_TYPE", "The payload is not said to be an in-toto statement.",
            "A signature made for something else must not pass for one of a manifest.",
            "payloadType: application/json", _ASK, "M23, M24"),
    refusal("STATEMENT_TYPE", "What was signed is no in-toto statement v1.", "The form says how the rest is to be read.",
            "_type: https://in-toto.io/Statement/v0.1", _ASK, "M27"),
    refusal("PREDICATE_TYPE", "What was signed is no manifest of SynthSpec.",
            "The key may have signed other things, too: a test result, a file of weights. They are not the manifest.",
            "synthspec verify run/test-result.sigstore.json", "synthspec verify run", "M26"),
    refusal("UNSUPPORTED_VERSION", "The manifest is of a version that this program does not read.",
            "Reading a newer form as an older one would leave out what was added.",
            "schemaVersion: 2.0.0", "pip install --upgrade synthspec", "M96"),
    refusal("NO_SIGNATURE", "The envelope is not signed.", "Without a signature anybody may have written it.",
            "signatures: []", _ASK, "M13, M14"),
    refusal("SIGNATURE_COUNT", "The envelope carries more than one signature.",
            "Readers look at the first, the last or any of several; one bundle has one, and further ones are approvals.",
            "two entries in signatures", "synthspec keys approve RUN --key KEY", "M15, M16"),
    refusal("SIGNATURE", "No trusted key made this signature over this content.",
            "Either the content was changed after it was signed, or you do not trust the key that signed it. Get the public"
            " key from the signer by another way than with the files, and compare.",
            "a run of somebody else, whose key you never added", "synthspec verify run --key signer.pub",
            "M02, M03, M10, M11, M22, M25, M79, M83"),
    refusal("TRUST_POLICY", "What you trust does not allow this, or cannot be understood.",
            "No key is trusted; the key is not trusted about this stream; fewer distinct keys signed than you ask for; or"
            " trust.toml is not understood in full, and then nothing is believed.",
            "a stream that needs two signatures, with one", "synthspec trust list", "M17, M18, M19"),
    refusal("KEY_HINT", "The file names another key than the one that signed.",
            "A hint chooses nothing, but a wrong one says that the file was put together from parts.",
            "hint: the key of somebody else", _ASK, "M12"),
    refusal("KEY_TYPE", "A key of this type is not supported.",
            "ECDSA over P-256 and Ed25519 are, so that a bundle verifies with other tools, too.",
            "an RSA key", "synthspec keys new release", "M21"),
    refusal("WEAK_KEY", "The Ed25519 key accepts one signature for every message.",
            "A key of small order proves nothing: whoever sent it can sign, and so can everybody else.",
            "a key whose bytes are nearly all zero", "ask the signer for another key", "M20"),
    refusal("KEY_FORMAT", "The file is no key that can be read.",
            "A public key is PEM (SPKI) or one OpenSSH line, a private one PEM or OpenSSH, one key a file.",
            "synthspec verify run --key certificate.pem", "synthspec keys show release > release.pub"),
    refusal("KEY_PASSPHRASE", "The passphrase of the key is missing or wrong.",
            "It comes from a prompt, --passphrase-fd or SYNTHSPEC_KEY_PASSPHRASE, never from the command line.",
            "SYNTHSPEC_KEY_PASSPHRASE of another key", "synthspec run spec.yaml --key release.pem   # and be asked"),
    refusal("KEY_PERMISSIONS", "Others can read a private key, or change what you trust.",
            "Whoever can write the file decides what is believed; the message names the file and the command.",
            "-rw-rw-rw- trust.toml", "chmod go-w trust.toml"),
    refusal("KEY_EXISTS", "There is a key of that name.", "A key is never written over: what it signed would be lost.",
            "synthspec keys new release   # twice", "synthspec keys new release-2027"),
    refusal("KEY_DEVICE", "A device or key service gave no signature.",
            "The message has what it answered, and what to do; nothing was written.",
            "hsm:2?label=TOKEN without PYKCS11LIB", "PYKCS11LIB=/usr/lib/softhsm/libsofthsm2.so synthspec run ..."),
    refusal("KEY_REVOKED", "The key was revoked.",
            "Whoever stole it writes what instant he likes, so it is not believed at any time, unless a clock that you"
            " trust stamped the signature before.",
            "[keys.team] with revoked = ...", "ask the signer to sign again with another key", "M89"),
    refusal("KEY_NOT_VALID", "The key was not valid when the manifest says that it was made.",
            "You believe it from one instant to another, as trust.toml says.",
            "not_after = 2026-12-31, made in 2027", "synthspec trust list   # and ask the signer which key is in use", "M89"),
    refusal("BAD_NAME", "A signed file has a name that is not plain and relative.",
            "Such a name leads out of the folder, shows as another one, or is a device on some system.",
            "../../etc/passwd", "do not unpack it; ask whoever signed what it means", "M45 to M53"),
    refusal("DUPLICATE_SUBJECT", "A file is signed twice under one name.", _FORM,
            "samples.csv with two digests", _ASK, "M54"),
    refusal("COLLIDING_SUBJECT", "Two signed names are one place on some file systems.",
            "On one machine they are two files, on another the second one replaces the first.",
            "samples.csv and Samples.csv", _ASK, "M55, M56"),
    refusal("SUBJECT_COUNT", "No file is signed, or more than 1024 are.",
            "A manifest about nothing proves nothing, and one about too much hides something.",
            "subject: []", _ASK, "M60, M61"),
    refusal("DIGEST_ALG", "A digest is not SHA-256, or not SHA-256 alone.",
            "A weak digest beside a strong one invites readers to look at the weak one.",
            "digest: {md5: ...}", _ASK, "M57, M58"),
    refusal("DIGEST_FORM", "A SHA-256 is not 64 lower-case hex digits.", _FORM, "digest: {sha256: ABC}", _ASK, "M59"),
    refusal("SIZE", "A file has another size than was signed.", "It was cut off, grew, or is another file.",
            "samples.csv cut off in transfer", "transfer the run again", "M05, M06, M09, M66, M85"),
    refusal("DIGEST", "A file has other content than was signed.",
            "It was changed since, be it by a spreadsheet that saved it or a checkout that changed its line ends. Of"
            " manifest.json: it does not say what the signed bundle says.",
            "samples.csv opened and saved", "transfer the run again, and work on a copy", "M04, M09, M80, M94, M101"),
    refusal("MISSING_FILE", "A signed file is not there.", "All that was signed has to be beside the bundle.",
            "only the bundle was sent", "ask for the whole folder; of a private run, for its public manifest", "M07"),
    refusal("EXTRA_FILE", "There is a file or folder that nobody signed.",
            "Who takes the folder for verified takes this for verified, too.",
            "run/.DS_Store", "move it out of the folder, and verify again", "M08, M65, M68, M81, M82"),
    refusal("SYMLINK", "There is a symbolic link.", "What it leads to can change without the folder being touched.",
            "weights -> /mnt/models", "cp -rL run copy   # then verify the copy", "M62, M63"),
    refusal("SPECIAL_FILE", "There is a pipe, a socket or a device.", "It has no content that could be compared.",
            "a pipe called samples.csv", _ASK, "M64"),
    refusal("HARDLINK", "A file has a second name.", "Through the other name its content can be changed after it was verified.",
            "ln run/samples.csv elsewhere.csv", "cp -r run copy   # then verify the copy", "M67"),
    refusal("CHANGED_WHILE_READING", "A file changed while it was read.", "What was compared is not what lies there now.",
            "a sync client at work", "wait until nothing writes there, and verify again", "M84, M85"),
)  # fmt: skip
