"""The in-toto Statement v1 around a manifest: its subjects are every file of the run, with digest and size."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pydantic import ValidationError

from synthspec.ir.canonical import Json, canonical_bytes
from synthspec.ir.far import read_with_far
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_public import PublicManifest
from synthspec.sign import names
from synthspec.sign.refusal import Refusal, Refused, refuse
from synthspec.sign.strict_json import load_canonical
from synthspec.text import pointer

T = TypeVar("T")

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://synthspec.dev/manifest.synth.deep/v1"
PUBLIC_TYPE = "https://synthspec.dev/manifest.synth.deep.public/v1"
AnyManifest = Manifest | PublicManifest
MAX_SUBJECTS = 1024
_MAX_SHOWN = 20
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Subject:
    """One file that the signature covers: a name below the run's folder, lower-case hex SHA-256, size in bytes."""

    name: str
    sha256: str
    size: int


def statement_bytes(manifest: AnyManifest, subjects: Sequence[Subject]) -> bytes:
    """The payload that is signed: RFC 8785, subjects sorted by name."""
    listed: list[Json] = [
        {"name": subject.name, "digest": {"sha256": subject.sha256}, "annotations": {"size": subject.size}}
        for subject in sorted(subjects, key=lambda subject: subject.name)
    ]
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": listed,
            "predicateType": PUBLIC_TYPE if isinstance(manifest, PublicManifest) else PREDICATE_TYPE,
            "predicate": manifest.canonical(),
        }
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """What a payload says: the files, the manifest, and the canonical bytes of the manifest."""

    subjects: tuple[Subject, ...]
    manifest: AnyManifest
    predicate: bytes


def read_statement(payload: bytes) -> Statement:
    """Read what `statement_bytes` writes, and nothing else.

    Raises:
        Refused: with everything that is wrong with the subjects and the predicate.

    """
    statement = load_canonical(payload, "the signed statement")
    if not isinstance(statement, dict):
        raise refuse("SCHEMA", "the signed statement is not an object")
    if statement.get("_type") != STATEMENT_TYPE:
        raise refuse("STATEMENT_TYPE", f"the signed content is not an {STATEMENT_TYPE}", "/_type")
    kinds: dict[str, type[AnyManifest]] = {PREDICATE_TYPE: Manifest, PUBLIC_TYPE: PublicManifest}
    kind = kinds.get(str(statement.get("predicateType")))
    if kind is None:
        raise refuse("PREDICATE_TYPE", f"the signed statement is not about a {PREDICATE_TYPE}", "/predicateType")
    if set(statement) != {"_type", "subject", "predicateType", "predicate"}:
        raise refuse("SCHEMA", "the signed statement must have exactly _type, subject, predicateType, predicate")
    refusals: list[Refusal] = []
    subjects = _attempt(lambda: _subjects(statement["subject"]), refusals)
    data = _predicate(payload, statement)
    manifest = _attempt(lambda: _manifest(statement["predicate"], data, kind), refusals)
    if subjects is None or manifest is None:
        raise Refused(refusals)
    covered = {subject.name for subject in subjects}
    stated = manifest.contracts if isinstance(manifest, Manifest) else ()
    if lost := [entry for entry in stated if entry.evidence_ref not in covered | {None}]:
        message = "its figures are said to be in a file that is not signed"
        raise Refused(Refusal("EVIDENCE_MISSING", f"{message}: {entry.evidence_ref}", entry.id) for entry in lost)
    return Statement(subjects, manifest, data)


def _predicate(payload: bytes, statement: dict[str, Json]) -> bytes:
    """The bytes of the predicate in `payload`, which is canonical: what stands before and behind it is known."""
    before = len(canonical_bytes({"_type": STATEMENT_TYPE, "predicate": {}})) - len("{}}")
    behind = len(canonical_bytes({name: statement[name] for name in ("predicateType", "subject")}))
    return payload[before : len(payload) - behind]


def _attempt(step: Callable[[], T], refusals: list[Refusal]) -> T | None:
    """What `step` gives, or None with its refusals gathered, so that the next part is looked at too."""
    try:
        return step()
    except Refused as refused:
        refusals.extend(refused.refusals)
        return None


def _subjects(value: Json) -> tuple[Subject, ...]:
    if not isinstance(value, list):
        raise refuse("SCHEMA", "subject is not a list", "/subject")
    if not 1 <= len(value) <= MAX_SUBJECTS:
        raise refuse("SUBJECT_COUNT", f"{len(value)} subjects; there must be 1 to {MAX_SUBJECTS}", "/subject")
    refusals: list[Refusal] = []
    tried = [_attempt(partial(_subject, item, f"/subject/{index}"), refusals) for index, item in enumerate(value)]
    subjects = tuple(subject for subject in tried if subject is not None)
    refusals.extend(names.faults(subject.name for subject in subjects))
    if refusals:
        raise Refused(refusals)
    return subjects


def _subject(item: Json, where: str) -> Subject:
    if not isinstance(item, dict) or set(item) != {"name", "digest", "annotations"}:
        raise refuse("SCHEMA", "a subject has exactly name, digest and annotations", where)
    name, digest, annotations = item["name"], item["digest"], item["annotations"]
    if not isinstance(name, str):
        raise refuse("SCHEMA", "the name of a subject is a string", f"{where}/name")
    if not isinstance(digest, dict) or set(digest) != {"sha256"}:
        raise refuse("DIGEST_ALG", "a digest is SHA-256 and nothing else", f"{where}/digest")
    sha256 = digest["sha256"]
    if not isinstance(sha256, str) or not _HEX.fullmatch(sha256):
        raise refuse("DIGEST_FORM", "a SHA-256 is 64 lower-case hex digits", f"{where}/digest")
    size = annotations.get("size") if isinstance(annotations, dict) and set(annotations) == {"size"} else None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise refuse("SCHEMA", "annotations hold exactly size, a count of bytes", f"{where}/annotations")
    return Subject(name, sha256, size)


def _manifest(predicate: Json, data: bytes, kind: type[AnyManifest]) -> AnyManifest:
    """The manifest that `predicate` is, whose canonical bytes are `data`."""
    version = predicate.get("schemaVersion") if isinstance(predicate, dict) else None
    if isinstance(version, str) and not version.startswith("1."):
        raise refuse("UNSUPPORTED_VERSION", f"this program reads manifests 1.x, not {version}", "/schemaVersion")
    try:
        manifest = read_with_far(lambda text: kind.model_validate_json(text, by_alias=True, by_name=False), data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:_MAX_SHOWN]
        raise Refused(
            Refusal("SCHEMA", each["msg"], "/predicate" + pointer(tuple(each["loc"]))) for each in found
        ) from None
    # One content, one spelling: what the models would not write themselves (an explicit null) is not read either.
    if canonical_bytes(manifest) != data:
        raise refuse("NOT_CANONICAL", "the predicate is not spelled as this program writes it", "/predicate")
    return manifest
