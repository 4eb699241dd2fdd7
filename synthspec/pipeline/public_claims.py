"""What a public manifest says beside its signature: its limits are those of the public spec, its guarantee keeps them.

The figures behind the verdicts are private, and the spec goes out only where it pins no private data: where it is there, all
that follows from it is told again and compared. What only the run knew (how many weights, how much of what it drew passed, what
it spent) is not shown here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synthspec.contracts.promises import promises
from synthspec.ir.manifest_public import PublicContract, PublicManifest
from synthspec.ir.verdict import Promise
from synthspec.lower import released_sample
from synthspec.pipeline.claims import Shared, protected_as
from synthspec.pipeline.contents import SPEC, SREF, waivers_in
from synthspec.pipeline.rejudging import Claim, documents, resolved
from synthspec.pipeline.stated import Drawn, public_size, schema_ref
from synthspec.sign import Refusal, Refusals, Subject
from synthspec.sign.refusal import settled
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.privacy import DpNoise, DpSgd, Pate
from synthspec.spec.sref import SRef

WEIGHTS = "weights/"


def public_contradictions(
    manifest: PublicManifest, subjects: tuple[Subject, ...], content: Mapping[str, bytes]
) -> Refusals:
    """Everything that `manifest` says otherwise than the signed files beside it, or than itself."""
    return settled(lambda: tuple(_contradictions(manifest, subjects, content)))


def _contradictions(
    manifest: PublicManifest, subjects: tuple[Subject, ...], content: Mapping[str, bytes]
) -> Iterator[Refusal]:
    weights = [each.sha256 for each in sorted(subjects, key=lambda each: each.name) if each.name.startswith(WEIGHTS)]
    if [each.sha256 for each in manifest.deep.weights] != weights:
        yield Refusal("VERDICT_INCONSISTENT", "its weights are not the signed ones", "/deep/weights")
    yield from _spent(manifest)
    yield from _as_published(manifest)
    if not {SPEC, SREF} <= content.keys():
        return
    found = documents(content)
    if found is None:
        yield Refusal("SCHEMA", "the spec or the SRef cannot be read", SPEC)
        return
    yield from _of_the_spec(manifest, *found)


def _of_the_spec(manifest: PublicManifest, spec: EngineSpec, sref: SRef) -> Iterator[Refusal]:
    whole = resolved(spec, sref)
    sample = None if whole is None else released_sample(whole)
    if whole is None or sample is None:
        yield Refusal("SCHEMA", "the spec and the SRef describe no run", SPEC)
        return
    for holds, message, where in _claims(manifest, Drawn(spec, sref, sample)):
        if not holds():
            yield Refusal("VERDICT_INCONSISTENT", message, where)
    owed = {promise.id: promise for promise in promises(whole)}
    for contract in manifest.contracts:
        promise = owed.get(contract.id)
        if promise is None or _as_told(contract) != _as_owed(promise):
            yield Refusal("LIMIT_NOT_FROM_SPEC", "its limits are not those of the spec", contract.id)


def _claims(manifest: PublicManifest, source: Drawn) -> tuple[Claim, ...]:
    shared, spec, sref = Shared(manifest, source), source.spec, source.sref
    told, schema = manifest.dataset, (*schema_ref(source)[:2], sref.modality)
    return (
        (
            lambda: (
                (manifest.version, manifest.release.stream.rpartition(".")[0])
                == (spec.metadata.version, spec.metadata.name)
            ),
            "the spec has another name or version",
            "/release",
        ),
        (shared.expiry, "it holds for another time than the spec says", "/release/expiresAt"),
        (lambda: (told.name, told.SRef, told.modality) == schema, "it tells of another schema", "/dataset"),
        (lambda: told.n_real in (None, public_size(spec)), "the spec states no such number of records", "/dataset"),
        (shared.engine, "the spec has another engine, seed, version or source", "/engine"),
        (shared.generation, "the spec draws under other conditions or controls", "/generation"),
        (
            lambda: manifest.generation.controls.get("n") == told.n_syn == spec.sampling.n,
            "the spec asks for another number of records",
            "/generation",
        ),
        (shared.family, "the spec trains another family", "/deep/family"),
        (shared.network, "the spec trains another network", "/deep/architecture"),
        (shared.objective, "the spec trains on another measure", "/deep/objective"),
        (shared.drawing, "the spec draws by another solver or budget", "/randomness"),
        (shared.seeds, "the spec fixes other seeds", "/randomness"),
        (lambda: _protected(manifest, spec), "the spec protects records otherwise", "/privacy"),
        (lambda: manifest.waivers == waivers_in(spec), "it lists other waivers than the spec", "/waivers"),
    )


def _protected(manifest: PublicManifest, spec: EngineSpec) -> bool:
    block = spec.privacy
    return (
        isinstance(block, DpSgd | Pate | DpNoise)
        and block.mechanism == manifest.privacy.mechanism
        and protected_as(manifest.privacy.dp, block)
    )


def _as_published(manifest: PublicManifest) -> Iterator[Refusal]:
    """The words are those that the figures make, and the stream is one of public manifests."""
    # What writes them knows how to run, too, and whoever verifies a restricted manifest needs none of it.
    from synthspec.pipeline.publishing import STREAM, statement

    if manifest.privacy.statement != statement(manifest.privacy.dp, manifest.privacy.mechanism):
        yield Refusal("VERDICT_INCONSISTENT", "its words say something else than its figures", "/privacy/statement")
    if not manifest.release.stream.endswith(STREAM):
        yield Refusal("VERDICT_INCONSISTENT", "its stream is not one of public manifests", "/release/stream")


def _spent(manifest: PublicManifest) -> Iterator[Refusal]:
    """No promise about eps or delta is held by a guarantee that breaks it, or broken by one that keeps it."""
    spent = {"eps_total": manifest.privacy.dp.eps_total, "delta_total": manifest.privacy.dp.delta_total}
    for contract in manifest.contracts:
        for bound in contract.bounds:
            value = spent.get(bound.metric)
            if value is not None and bound.result == ("broken" if value <= bound.limit else "held"):
                yield Refusal("CONTRACT_INCONSISTENT", f"the guarantee says {bound.metric} {value:g}", contract.id)


def _as_told(contract: PublicContract) -> object:
    bounds = tuple(
        (each.metric, each.relation, each.limit, each.unit, each.at, each.symbol) for each in contract.bounds
    )
    return contract.name, contract.expr, contract.severity, contract.tol_source, bounds


def _as_owed(promise: Promise) -> object:
    bounds = tuple((each.metric, each.relation, each.limit, each.unit, each.at, each.symbol) for each in promise.bounds)
    return promise.name, promise.expr, promise.severity, promise.tol_source, bounds
