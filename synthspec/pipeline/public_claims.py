"""What a public manifest says beside its signature: its limits are those of the public spec, its guarantee keeps them.

The figures behind the verdicts are private, and the spec goes out only where it pins no private data: what is there is
compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synthspec.ir.manifest_public import PublicContract, PublicManifest
from synthspec.ir.verdict import Promise
from synthspec.pipeline.contents import SPEC, SREF
from synthspec.pipeline.rejudging import documents, promised
from synthspec.sign import Refusal, Refusals, Subject
from synthspec.sign.refusal import settled
from synthspec.spec.privacy import DpNoise, DpSgd, Pate

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
    if not {SPEC, SREF} <= content.keys():
        return
    found = documents(content)
    if found is None:
        yield Refusal("SCHEMA", "the spec or the SRef cannot be read", SPEC)
        return
    spec, sref = found
    engine, told = manifest.engine, manifest.dataset
    if (told.name, told.SRef) != (sref.metadata.name, f"{sref.metadata.name} {sref.metadata.version}"):
        yield Refusal("VERDICT_INCONSISTENT", "it tells of another schema", "/dataset")
    stated = (spec.engine.family, spec.metadata.version, spec.data.source)
    if (engine.type, engine.version, engine.train_data_ref) != stated:
        yield Refusal("VERDICT_INCONSISTENT", "the spec has another engine, version or source", "/engine")
    if manifest.generation.controls.get("n") != spec.sampling.n:
        yield Refusal("VERDICT_INCONSISTENT", "the spec asks for another number of records", "/generation")
    block, dp = spec.privacy, manifest.privacy.dp
    if not isinstance(block, DpSgd | Pate | DpNoise) or (block.mechanism, block.adjacency, block.unit) != (
        manifest.privacy.mechanism,
        dp.adjacency,
        dp.unit,
    ):
        yield Refusal("VERDICT_INCONSISTENT", "the spec protects records otherwise", "/privacy")
    owed = {promise.id: promise for promise in promised(spec, sref)}
    for contract in manifest.contracts:
        promise = owed.get(contract.id)
        if promise is None or _as_told(contract) != _as_owed(promise):
            yield Refusal("LIMIT_NOT_FROM_SPEC", "its limits are not those of the spec", contract.id)


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
