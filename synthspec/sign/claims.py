"""Whether a manifest follows from itself: results from figures and limits, the gate from results, the verdict from the gate.

The signature says who claims it; this says that the claim is not a contradiction. Nothing here is believed because it is
written: every result is computed again.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.contracts import CONTRACTS, Contract, Setting, contract
from synthspec.contracts.gate import gate_of, result_of
from synthspec.ir.evidence import Evidence, Figure
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_evidence import from_gate, to_evidence, to_records, verdict_of
from synthspec.ir.manifest_public import PublicBound, PublicManifest
from synthspec.ir.verdict import Bound, BoundRecord, ContractId, ContractRecord, Result
from synthspec.sign.refusal import Refusal, Refusals, refuse, settled


def consistency(manifest: Manifest | PublicManifest) -> Refusals:
    """Every contradiction inside `manifest`; empty when there is none."""
    place = tuple(_placed(manifest))
    if isinstance(manifest, PublicManifest):
        return place + settled(lambda: tuple(_of_the_public(manifest)))
    return place + settled(lambda: tuple(_contradictions(manifest)))


def _placed(manifest: Manifest | PublicManifest) -> Iterator[Refusal]:
    """The first release of a stream follows none, every other one follows some."""
    release = manifest.release
    if (release.sequence == 1) != (release.previous is None):
        message = f"release {release.sequence} names {'no' if release.previous is None else 'a'} release before it"
        yield Refusal("CHAIN_BROKEN", message, "/release/previous")


def _of_the_public(manifest: PublicManifest) -> Iterator[Refusal]:
    """Without figures, what is left: the contracts are those of the standard, and gate and verdict follow from them."""
    records = public_records(manifest)
    yield from _each_once(records)
    waived = {waiver.id for waiver in manifest.waivers}
    setting = Setting(family=manifest.engine.type, modality=manifest.dataset.modality, mechanism=True)
    for record in records:
        if record.result != (follows := result_of(record.bounds)):
            message = f"it is said to be {record.result}, but its bounds make it {follows}"
            yield Refusal("CONTRACT_INCONSISTENT", message, record.id)
        if not record.blocks and record.id not in waived:
            yield from _owed(record, setting)
    yield from _verdict(manifest, records)


def public_records(manifest: PublicManifest) -> tuple[ContractRecord, ...]:
    """The verdicts of a public manifest. Raises Refused (CONTRACT_SCHEMA) where the standard has no such bound."""
    return tuple(
        ContractRecord(
            id=entry.id,
            name=entry.name,
            expr=entry.expr,
            severity=entry.severity,
            result=entry.result,
            bounds=tuple(_public_bound(entry.id, each) for each in entry.bounds),
            tol_source=entry.tol_source,
            action_plan="",
        )
        for entry in manifest.contracts
    )


def _public_bound(contract_id: ContractId, said: PublicBound) -> BoundRecord:
    """`said` as the standard has it. Raises Refused (CONTRACT_SCHEMA) where it has no such bound."""
    known = contract(contract_id)
    for term in (*known.terms, *known.kept):
        stated = (term.metric, term.relation, term.at, term.symbol, term.unit)
        if stated == (said.metric, said.relation, said.at, said.symbol, said.unit):
            bound = Bound(
                metric=said.metric,
                relation=said.relation,
                limit=said.limit,
                unit=said.unit,
                at=said.at,
                symbol=said.symbol,
                split=term.split,
            )
            return BoundRecord(bound=bound, result=said.result)
    raise refuse("CONTRACT_SCHEMA", f"{contract_id} has no such bound: {said.metric} {said.relation}", contract_id)


def _contradictions(manifest: Manifest) -> Iterator[Refusal]:
    records = to_records(manifest.contracts)
    yield from _each_once(records)
    figures = [metric.name for metric in manifest.metrics]
    if twice := sorted({name for name in figures if figures.count(name) > 1}):
        yield Refusal("SCHEMA", f"measured twice under one name: {', '.join(twice)}", "/metrics")
        return
    found = to_evidence(manifest.metrics)
    setting = _setting(manifest)
    waived = {waiver.id for waiver in manifest.waivers}
    for record in records:
        yield from _record(record, found)
        if not record.blocks and record.id not in waived:
            yield from _owed(record, setting)
    yield from _verdict(manifest, records)


def _each_once(records: tuple[ContractRecord, ...]) -> Iterator[Refusal]:
    told = [record.id for record in records]
    for known in CONTRACTS:
        if known.id not in told:
            yield Refusal("CONTRACT_MISSING", f"there is no record of {known.id} ({known.name})", known.id)
        elif told.count(known.id) > 1:
            yield Refusal("DUPLICATE_CONTRACT", f"there are {told.count(known.id)} records of {known.id}", known.id)


def _record(record: ContractRecord, found: Evidence) -> Iterator[Refusal]:
    for judged in record.bounds:
        if not _of_the_standard(contract(record.id), judged.bound):
            message = f"{record.id} has no such bound: {_shown(judged.bound)}"
            yield Refusal("CONTRACT_SCHEMA", message, record.id)
        yield from _bound(record, judged, found.get(judged.bound.metric))
    if record.result != (follows := result_of(record.bounds)):
        message = f"it is said to be {record.result}, but its bounds make it {follows}"
        yield Refusal("CONTRACT_INCONSISTENT", message, record.id)


def _of_the_standard(known: Contract, bound: Bound) -> bool:
    """Whether the contract has this inequality: metric, relation, unit, split and the number it is judged at."""
    return any(
        (term.metric, term.relation, term.at, term.symbol, term.unit, term.split)
        == (bound.metric, bound.relation, bound.at, bound.symbol, bound.unit, bound.split)
        and (term.constant is None or term.constant == bound.limit)
        for term in (*known.terms, *known.kept)
    )


def _bound(record: ContractRecord, said: BoundRecord, figure: Figure | None) -> Iterator[Refusal]:
    if figure is None:
        if said.result != "unproven" or said.judged is not None or said.value is not None:
            message = f"{said.bound.metric} was judged, but no such figure is among the metrics"
            yield Refusal("EVIDENCE_MISSING", message, record.id)
        return
    if (said.value, said.u, said.n_real, said.n_syn, said.label) != (
        figure.value,
        figure.u,
        figure.n_real,
        figure.n_syn,
        figure.label,
    ):
        yield Refusal("CONTRACT_INCONSISTENT", f"it quotes {figure.name} otherwise than the metrics do", record.id)
    if said.judged is not None and said.judged != _at(said.bound, figure):
        message = f"{figure.name} was not judged at its {said.bound.at}: {said.judged!r}"
        yield Refusal("CONTRACT_INCONSISTENT", message, record.id)
    elif said.result != "unproven" and said.result != (follows := _result(said, figure)):
        message = f"{_shown(said.bound)} is said to be {said.result}; {said.judged!r} makes it {follows}"
        yield Refusal("CONTRACT_INCONSISTENT", message, record.id)


def _at(bound: Bound, figure: Figure) -> float | None:
    match bound.at:
        case "upper":
            return figure.upper
        case "lower":
            return figure.lower
        case "value":
            return figure.value
        case "value+u":
            return None if figure.value is None or figure.u is None else figure.value + figure.u


def _result(said: BoundRecord, figure: Figure) -> Result:
    """What the figure makes of the bound; to call it unproven is always allowed, to call it held is not."""
    bound = said.bound
    usable = figure.value is not None and figure.unit == bound.unit and bound.split in (None, figure.split)
    if said.judged is None or not usable:
        return "unproven"
    within = said.judged <= bound.limit if bound.relation == "<=" else said.judged >= bound.limit
    return "held" if within else "broken"


def _setting(manifest: Manifest) -> Setting:
    timepath = manifest.generation.timepath
    return Setting(
        family=manifest.engine.type,
        modality=manifest.dataset.modality,
        mechanism=manifest.privacy.mechanism != "none",
        accelerated=bool(manifest.deep.lineage),
        time=timepath is not None,
        arrival=timepath is not None and timepath.delta_form is not None,
    )


def _owed(record: ContractRecord, setting: Setting) -> Iterator[Refusal]:
    """A record that opens the gate must hold every bound that the family, modality and mechanism owe."""
    limits = {judged.bound.symbol: judged.bound.limit for judged in record.bounds if judged.bound.symbol}
    for group in contract(record.id).missing(setting, limits):
        message = f"{record.id} does not close the gate and lacks a bound that is owed: {' or '.join(group)}"
        yield Refusal("CONTRACT_MISSING", message, record.id)


def _verdict(manifest: Manifest | PublicManifest, records: tuple[ContractRecord, ...]) -> Iterator[Refusal]:
    gate = gate_of(records)
    if manifest.gate != from_gate(gate):
        closing = ", ".join(record.id for record in records if record.blocks) or "none"
        message = f"the gate does not follow from the contracts; those that close it: {closing}"
        yield Refusal("VERDICT_INCONSISTENT", message, "/gate")
    if manifest.verdict != verdict_of(gate):
        message = f"the verdict is {manifest.verdict}, but the contracts make it {verdict_of(gate)}"
        yield Refusal("VERDICT_INCONSISTENT", message, "/verdict")


def _shown(bound: Bound) -> str:
    return f"{bound.metric} {bound.relation} {bound.limit!r} {bound.unit} at {bound.at}"
