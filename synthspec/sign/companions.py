"""Two further statements about a run, in forms that other tools read: what its weights are, and how its contracts came out.

``weights.oms.sig`` is an OpenSSF model signature over ``weights/`` (predicate https://model_signing/signature/v1.0), which
``model_signing verify key`` reads; it asks for an ECDSA key. ``test-result.sigstore.json`` is an in-toto test result
(predicate https://in-toto.io/attestation/test-result/v0.1) for policy engines. Both say nothing that the manifest does not say,
are signed by its key, and are subjects of it: a verifier builds their content again and compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from synthspec.ir.canonical import Json, canonical_bytes
from synthspec.ir.manifest_evidence import ContractEntry
from synthspec.ir.manifest_public import PublicContract
from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes, read_bundle_bytes
from synthspec.sign.keys import SigningKey
from synthspec.sign.pae import pae
from synthspec.sign.public_key import PublicKey
from synthspec.sign.refusal import Refusal, Refusals, Refused, settled
from synthspec.sign.statement import STATEMENT_TYPE, AnyManifest, Subject
from synthspec.sign.verify import VerifiedStatement

OMS = "weights.oms.sig"
TEST_RESULT = "test-result.sigstore.json"
COMPANIONS = frozenset({OMS, TEST_RESULT})
OMS_TYPE = "https://model_signing/signature/v1.0"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
WEIGHTS = "weights/"
_MADE = (WEIGHTS, "samples.")
_CONFIGURATION = ("spec.resolved.yaml", "sref.resolved.yaml")


def companions(manifest: AnyManifest, subjects: Sequence[Subject], key: SigningKey) -> dict[str, bytes]:
    """The companions of a run by name of the file, signed with `key`; the same inputs give the same bytes.

    Without the model signature where there are no weights, or the key is none that its verifiers take.
    """
    made = {TEST_RESULT: bundle_bytes(*_signed(verdicts_payload(manifest, subjects), key), key.key_id)}
    if key.public.algorithm.startswith("ecdsa") and (payload := weights_payload(subjects)) is not None:
        made[OMS] = bundle_bytes(*_signed(payload, key), _oms_hint(key.public))
    return made


def disagreements(statement: VerifiedStatement, content: Mapping[str, bytes]) -> Refusals:
    """Everything that the companions among the files of `statement` say otherwise than it does.

    `content` is what was hashed, by name; a companion that is signed for and not in it is refused as well.
    """
    return settled(lambda: tuple(_disagreements(statement, content)))


def weights_payload(subjects: Sequence[Subject]) -> bytes | None:
    """The OMS payload over the files in ``weights/``, named as seen from there; None where there are none.

    The root digest is that of all digests in the order of the names, as model_signing 1.x takes it.
    """
    named = {PurePosixPath(each.name.removeprefix(WEIGHTS)): each.sha256 for each in subjects if _is_weights(each)}
    if not named:
        return None
    ordered = sorted(named)
    resources: list[Json] = [{"name": str(name), "algorithm": "sha256", "digest": named[name]} for name in ordered]
    root = hashlib.sha256(b"".join(bytes.fromhex(named[name]) for name in ordered)).hexdigest()
    return _statement(
        [{"name": WEIGHTS.rstrip("/"), "digest": {"sha256": root}}],
        OMS_TYPE,
        {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []},
            "resources": resources,
        },
    )


def verdicts_payload(manifest: AnyManifest, subjects: Sequence[Subject]) -> bytes:
    """The in-toto test result of `manifest`: a contract that is held has passed, one that closes the gate has failed.

    What is not held and closes nothing is a warning; what a family does not owe was not tested. It is about weights and
    samples. Under a mechanism the spec, which may pin private data, is not named.
    """
    private = manifest.privacy.mechanism != "none"
    configured = tuple(name for name in _CONFIGURATION if not (private and name == _CONFIGURATION[0]))
    passed, warned, failed = (_ids(manifest.contracts, kind) for kind in ("passed", "warned", "failed"))
    return _statement(
        [_described(each) for each in _sorted(subjects) if each.name.startswith(_MADE)],
        TEST_RESULT_TYPE,
        {
            "result": "FAILED" if failed else "WARNED" if warned else "PASSED",
            "configuration": [_described(each) for each in _sorted(subjects) if each.name in configured],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
        },
    )


def _ids(contracts: Sequence[ContractEntry | PublicContract], kind: str) -> list[Json]:
    return [entry.id for entry in contracts if _outcome(entry) == kind]


def _outcome(entry: ContractEntry | PublicContract) -> str:
    if entry.result == "held":
        return "passed"
    if entry.severity == "block":
        return "failed"
    return "warned" if entry.bounds else ""


def _disagreements(statement: VerifiedStatement, content: Mapping[str, bytes]) -> Iterator[Refusal]:
    named = {subject.name for subject in statement.subjects}
    wanted: tuple[tuple[str, bytes | None, str], ...] = (
        (OMS, weights_payload(statement.subjects), _oms_hint(statement.key)),
        (TEST_RESULT, verdicts_payload(statement.manifest, statement.subjects), statement.key.key_id),
    )
    for name, payload, hint in wanted:
        if name in named:
            yield from _wrong(name, content.get(name), payload, hint, statement.key)


def _wrong(name: str, data: bytes | None, payload: bytes | None, hint: str, key: PublicKey) -> Iterator[Refusal]:
    if data is None:
        yield Refusal("TOO_LARGE", "it is larger than any statement about this run could be", name)
        return
    try:
        bundle = read_bundle_bytes(data)
    except Refused as refused:
        yield from (Refusal(each.code, each.message, f"{name} {each.where}".rstrip()) for each in refused.refusals)
        return
    if not key.verifies(pae(PAYLOAD_TYPE, bundle.payload), bundle.signature):
        yield Refusal("SIGNATURE", "the key of the manifest did not sign it", name)
    elif any(found not in ("", hint) for found in bundle.hints):
        yield Refusal("KEY_HINT", "it points to another key than the one that signed it", name)
    elif bundle.payload != payload:
        yield Refusal("COMPANION_INCONSISTENT", "it says something else than the manifest", name)


def _signed(payload: bytes, key: SigningKey) -> tuple[bytes, bytes]:
    return payload, key.sign(pae(PAYLOAD_TYPE, payload))


def _oms_hint(key: PublicKey) -> str:
    """What model_signing compares with its key: the SHA-256 of the PEM text, in hex."""
    return hashlib.sha256(key.pem.encode()).hexdigest()


def _statement(subject: list[Json], kind: str, predicate: dict[str, Json]) -> bytes:
    return canonical_bytes({"_type": STATEMENT_TYPE, "subject": subject, "predicateType": kind, "predicate": predicate})


def _is_weights(subject: Subject) -> bool:
    return subject.name.startswith(WEIGHTS)


def _sorted(subjects: Sequence[Subject]) -> list[Subject]:
    return sorted(subjects, key=lambda subject: subject.name)


def _described(subject: Subject) -> Json:
    return {"name": subject.name, "digest": {"sha256": subject.sha256}}
