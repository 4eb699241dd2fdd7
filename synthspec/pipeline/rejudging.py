"""Whether a manifest follows from the files it was signed with: what can be said again is said again and compared.

A signature shows who claims something; here the spec gives the promises, the evidence is judged by them, and the manifest
must say the same. That the evidence was measured honestly is not shown: `replay` runs the plan again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from synthspec.contracts.promises import promises
from synthspec.ir.canonical import Json, to_json
from synthspec.ir.document import Document
from synthspec.ir.evidence import Evidence
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_evidence import from_evidence, from_verdicts, to_records
from synthspec.ir.ops import Accelerate, Compare, Fit
from synthspec.ir.plan import Plan, changed_parts, read_plan, spec_digest, stored_digest
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.verdict import Promise
from synthspec.judge import judge
from synthspec.pipeline.claims import disagreements
from synthspec.pipeline.contents import EVIDENCE, PLAN, READ_BACK, SPEC, SREF, promises_of, result_digests, waivers_of
from synthspec.pipeline.resolved import reads_as
from synthspec.resolve import bind_schema
from synthspec.sign import Refusal, Refusals, Subject
from synthspec.sign.refusal import Refused, settled
from synthspec.sign.strict_json import load
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.text import Places, Source

_NOWHERE = Places(Source(PLAN, ""), {})


def contradictions(manifest: Manifest, subjects: tuple[Subject, ...], content: Mapping[str, bytes]) -> Refusals:
    """Everything that `manifest` says otherwise than the signed files; `content` is what was hashed, by name."""
    return settled(lambda: tuple(_contradictions(manifest, subjects, content)))


def _contradictions(
    manifest: Manifest, subjects: tuple[Subject, ...], content: Mapping[str, bytes]
) -> Iterator[Refusal]:
    if absent := sorted(READ_BACK - set(content)):
        for name in absent:
            message = "it is not among the signed files, or too large, and the verdict hangs on it"
            yield Refusal("EVIDENCE_MISSING", message, name)
        return
    try:
        compiled = _one_meaning(content, PLAN)
        stored = stored_digest(compiled)
        said = _one_meaning(content, EVIDENCE)
        plan = read_plan(content[PLAN])
        found = TypeAdapter(Evidence).validate_json(content[EVIDENCE])
        meant = spec_digest(plan.spec, plan.sref)
        written = _written(content, plan, meant)
        changed = changed_parts(compiled)
    except Refused as refused:
        yield from refused.refusals
        return
    except (ValidationError, ValueError) as error:
        message = f"the spec, the plan or the evidence cannot be read: {type(error).__name__}"
        yield Refusal("SCHEMA", message, PLAN)
        return
    if changed:
        yield Refusal("VERDICT_INCONSISTENT", f"it was changed after it was compiled: {', '.join(changed)}", PLAN)
    if not _read_whole(said, to_json(found)):
        yield Refusal("SCHEMA", "it says more than evidence can say", EVIDENCE)
    signed = {subject.name: subject.sha256 for subject in subjects}
    yield from _limits(manifest, plan)
    for holds, message, where in (
        *_of_the_plan(manifest, plan, (stored, meant, written)),
        *_of_the_run(manifest, plan, found, signed),
    ):
        if not holds():
            yield Refusal("VERDICT_INCONSISTENT", message, where)
    yield from disagreements(manifest, plan, found, signed)


def _limits(manifest: Manifest, plan: Plan) -> Iterator[Refusal]:
    """Limits are read from the signed spec again: neither the plan nor the manifest may have others."""
    made = _owed(plan)
    owed = {promise.id: promise.bounds for promise in made}
    if promises_of(plan) != made:
        yield Refusal("LIMIT_NOT_FROM_SPEC", "the plan promises something else than its spec", PLAN)
    for record in to_records(manifest.contracts):
        if tuple(judged.bound for judged in record.bounds) != owed.get(record.id, ()):
            yield Refusal("LIMIT_NOT_FROM_SPEC", "its limits are not those of the spec", record.id)


def _one_meaning(content: Mapping[str, bytes], name: str) -> Json:
    """The JSON in the file `name`, the same to every reader. Raises Refused where it is not."""
    try:
        return load(content[name], name)
    except Refused as refused:
        raise Refused(replace(each, where=name) for each in refused.refusals) from None


def _read_whole(written: Json, read: Json) -> bool:
    """Whether all that was `written` was `read`; an older file may leave out what has a default today."""
    if isinstance(written, dict) and isinstance(read, dict):
        return all(name in read and _read_whole(value, read[name]) for name, value in written.items())
    if isinstance(written, list) and isinstance(read, list):
        return len(written) == len(read) and all(map(_read_whole, written, read))
    return written == read and isinstance(written, bool) == isinstance(read, bool)


Claim = tuple[Callable[[], bool], str, str]


def _of_the_plan(manifest: Manifest, plan: Plan, digests: tuple[str, str, str]) -> tuple[Claim, ...]:
    """`digests` are those of the plan as it is stored, of the spec and SRef in it, and of the two files for people."""
    stored, meant, written = digests
    return (
        (lambda: stored == manifest.ir.digest.sha256, "it names another plan than plan.json", "/ir"),
        (
            lambda: meant == plan.spec_digest == manifest.spec.canonical_digest,
            "the plan was made from another spec than the manifest names",
            "/spec",
        ),
        (lambda: written == plan.spec_digest, "the resolved spec and SRef are not those of the plan", SPEC),
        (
            lambda: tuple((each.path, each.value) for each in manifest.overrides) == plan.overrides,
            "it lists other changes on the command line than the plan",
            "/overrides",
        ),
        (lambda: manifest.waivers == waivers_of(plan), "it lists other waivers than the spec", "/waivers"),
    )


def _of_the_run(manifest: Manifest, plan: Plan, found: Evidence, signed: Mapping[str, str]) -> tuple[Claim, ...]:
    return (
        (lambda: from_evidence(found) == manifest.metrics, "its metrics are not those of evidence.json", "/metrics"),
        (
            lambda: from_verdicts(judge(promises_of(plan), found), EVIDENCE) == manifest.contracts,
            "judged again by the plan's limits, the evidence gives other results",
            "/contracts",
        ),
        (
            lambda: tuple(step.operation for step in manifest.deep.lineage) == _descended(plan),
            "its lineage is not the start and the accelerations of the spec, each evaluated again",
            "/deep/lineage",
        ),
        (
            lambda: _begun(manifest) == _start(plan),
            "its training started from other weights than the spec names",
            "/deep/lineage",
        ),
        (
            lambda: all(signed.get(name) == sha256 for name, sha256 in result_digests(manifest).items()),
            "the nodes that made weights and samples made others than the signed files",
            "/dag",
        ),
    )


def _begun(manifest: Manifest) -> list[str | None]:
    return [step.parent.sha256 for step in manifest.deep.lineage if step.operation == "finetune"]


def _start(plan: Plan) -> list[str | None]:
    """The digest of the weights that the spec starts from, where it names some."""
    training = plan.spec.training
    return [] if training is None or training.init_from is None else [training.init_from.sha256]


def _descended(plan: Plan) -> tuple[str, ...] | None:
    """What the spec makes an engine by, in order; None where the plan leaves out a part of it or its evaluation (P405-10)."""
    stated = tuple(how.kind for how in plan.spec.acceleration)
    made = tuple(node.op.how.kind for node in plan.nodes if isinstance(node.op, Accelerate))
    evaluated = any(isinstance(node.op, Compare) for node in plan.nodes)
    start = plan.spec.training.init_from if plan.spec.training is not None else None
    begun = [node.op.training.init_from for node in plan.nodes if isinstance(node.op, Fit)]
    if made != stated or evaluated != bool(stated) or any(each != start for each in begun):
        return None
    return stated if start is None else ("finetune", *stated)


def _owed(plan: Plan) -> tuple[Promise, ...]:
    """The promises that the spec in `plan` makes, whatever the plan's judge was given."""
    found = resolved(plan.spec, plan.sref)
    return () if found is None else promises(found)


def resolved(spec: EngineSpec, sref: SRef) -> ResolvedSpec | None:
    """`spec`, which was resolved when it was signed, of records of `sref`; None where the schema cannot be bound."""
    schema = bind_schema(Document(sref, _NOWHERE)).value
    if schema is None:
        return None
    return ResolvedSpec(spec=spec, sref=sref, schema=schema, spec_places=_NOWHERE, sref_places=_NOWHERE, root=Path())


def documents(content: Mapping[str, bytes]) -> tuple[EngineSpec, SRef] | None:
    """The two files for people, however they are laid out; None when they mean nothing."""
    # As a run leaves them they are not read: `_written` knows them, and verification starts without what reads YAML.
    from synthspec.parse import compose, read_source, validate_model

    spec = read_source(content[SPEC], SPEC).then(compose).then(lambda c: validate_model(c, EngineSpec))
    sref = read_source(content[SREF], SREF).then(compose).then(lambda c: validate_model(c, SRef))
    return None if spec.value is None or sref.value is None else (spec.value, sref.value)


def _written(content: Mapping[str, bytes], plan: Plan, meant: str) -> str:
    """The digest of what the two files mean, `meant` for what the plan has; empty when they mean nothing."""
    if reads_as(content[SPEC], plan.spec) and reads_as(content[SREF], plan.sref):
        return meant
    found = documents(content)
    return "" if found is None else spec_digest(*found)
