"""Whether a manifest follows from the files it was signed with: what can be said again is said again and compared.

A signature shows who claims something; here the spec gives the promises, the evidence is judged by them, and the manifest
must say the same. That the evidence was measured honestly is not shown: `replay` runs the plan again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from synthspec.ir.document import Document
from synthspec.ir.evidence import Evidence
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_evidence import from_evidence, from_verdicts
from synthspec.ir.plan import Plan, read_plan, spec_digest
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.verdict import Promise
from synthspec.judge import judge
from synthspec.lower import promises
from synthspec.parse import compose, read_source, validate_model
from synthspec.pipeline.contents import EVIDENCE, PLAN, SPEC, SREF, promises_of, result_digests, waivers_of
from synthspec.resolve import bind_schema
from synthspec.sign import Refusal, Subject
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.text import Places, Source

_NOWHERE = Places(Source(PLAN, ""), {})


def contradictions(manifest: Manifest, subjects: tuple[Subject, ...], folder: Path) -> Iterator[Refusal]:
    """Everything that `manifest` says otherwise than the files in `folder`, whose digests were compared before."""
    try:
        plan = read_plan((folder / PLAN).read_bytes())
        found = TypeAdapter(Evidence).validate_json((folder / EVIDENCE).read_bytes())
        written = _written(folder)
    except FileNotFoundError as error:
        name = Path(error.filename).name
        yield Refusal("EVIDENCE_MISSING", "it is not among the signed files, and the verdict hangs on it", name)
        return
    except (OSError, ValidationError, ValueError) as error:
        yield Refusal(
            "SCHEMA", f"the spec, the plan or the evidence cannot be read: {type(error).__name__}", str(folder)
        )
        return
    signed = {subject.name: subject.sha256 for subject in subjects}
    for holds, message, where in (*_of_the_plan(manifest, plan, written), *_of_the_run(manifest, plan, found, signed)):
        if not holds():
            yield Refusal("VERDICT_INCONSISTENT", message, where)


Claim = tuple[Callable[[], bool], str, str]


def _of_the_plan(manifest: Manifest, plan: Plan, written: str) -> tuple[Claim, ...]:
    return (
        (lambda: plan.digest == manifest.ir.digest.sha256, "it names another plan than plan.json", "/ir"),
        (
            lambda: spec_digest(plan.spec, plan.sref) == plan.spec_digest == manifest.spec.canonical_digest,
            "the plan was made from another spec than the manifest names",
            "/spec",
        ),
        (lambda: written == plan.spec_digest, "the resolved spec and SRef are not those of the plan", SPEC),
        (lambda: promises_of(plan) == _owed(plan), "the plan promises something else than its spec", PLAN),
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
            lambda: all(signed.get(name) == sha256 for name, sha256 in result_digests(manifest).items()),
            "the nodes that made weights and samples made others than the signed files",
            "/dag",
        ),
    )


def _owed(plan: Plan) -> tuple[Promise, ...]:
    """The promises that the spec in `plan` makes, whatever the plan's judge was given."""
    schema = bind_schema(Document(plan.sref, _NOWHERE)).value
    if schema is None:
        return ()
    resolved = ResolvedSpec(
        spec=plan.spec, sref=plan.sref, schema=schema, spec_places=_NOWHERE, sref_places=_NOWHERE, root=Path()
    )
    return promises(resolved)


def _written(folder: Path) -> str:
    """The digest of what the two files for people mean, however they are laid out; empty when they mean nothing."""
    spec = read_source((folder / SPEC).read_bytes(), SPEC).then(compose).then(lambda c: validate_model(c, EngineSpec))
    sref = read_source((folder / SREF).read_bytes(), SREF).then(compose).then(lambda c: validate_model(c, SRef))
    return spec_digest(spec.value, sref.value) if spec.value is not None and sref.value is not None else ""
