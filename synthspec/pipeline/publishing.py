"""The public half of a run under a mechanism: what may leave the house, signed for itself (P405-4)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from synthspec.backend.artifacts import VECTORS
from synthspec.exports import FILES
from synthspec.ir.manifest import SCHEMA_VERSION, Manifest, readable
from synthspec.ir.manifest_base import Digest
from synthspec.ir.manifest_engine import DpSpend, PrivateDataRef
from synthspec.ir.manifest_evidence import ContractEntry
from synthspec.ir.manifest_public import (
    PublicBound,
    PublicContract,
    PublicData,
    PublicDeep,
    PublicManifest,
    PublicPrivacy,
)
from synthspec.ir.plan import Plan
from synthspec.ir.statistics import CONDITIONS, EMBEDDING, IMPUTATION
from synthspec.pipeline.contents import SPEC, SREF
from synthspec.pipeline.stated import public_size
from synthspec.sign import SigningKey, Subject, sign
from synthspec.sign.companions import COMPANIONS
from synthspec.sign.memory import Numbering
from synthspec.sign.names import PUBLIC
from synthspec.sign.signing import payload_digest
from synthspec.text import counted

STREAM = ".public"
"""What the stream of public manifests is called after that of the restricted ones."""


@dataclass(frozen=True, slots=True)
class Salted:
    """A commitment to private data: HMAC-SHA256 of their digest under a salt that stays in the house."""

    salt: str
    commitment: str

    @classmethod
    def of(cls, data: str) -> Salted:
        """A commitment to the data that digest to `data`, under fresh salt."""
        salt = secrets.token_bytes(32)
        return cls(salt.hex(), hmac.new(salt, data.encode(), "sha256").hexdigest())

    def entry(self) -> PrivateDataRef:
        """What the restricted manifest keeps, so that the commitment can be opened."""
        return PrivateDataRef(salt=self.salt, commitment=self.commitment)


def public_manifest(plan: Plan, manifest: Manifest, numbers: Numbering) -> PublicManifest:
    """What may be told of the run that `manifest` tells of in full, with its place in the public stream."""
    place = numbers.following(plan.name + STREAM, manifest.trace.TraceID)
    return _manifest(plan, manifest, place.sequence, place.previous)


def write_public(
    folder: Path, public: PublicManifest, shown: tuple[Subject, ...], key: SigningKey, numbers: Numbering, trace: str
) -> None:
    """Write the public bundle of the run in `folder` over the files `shown`, with its readable copy."""
    (folder / PUBLIC.readable).write_bytes(readable(public))
    (folder / PUBLIC.bundle).write_bytes(sign(public, shown, key))
    numbers.remember(public.release, trace, payload_digest(public, shown))


def shown_of(plan: Plan, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """Those of `subjects` that go out."""
    pinned = plan.spec.data.sha256 is not None
    return tuple(each for each in subjects if _public(each.name, pinned=pinned))


def _public(name: str, *, pinned: bool) -> bool:
    """Whether the file `name` holds DP outputs or public constants alone; a spec that pins its data has their digest."""
    return (
        name.startswith(("weights/", "samples."))
        or name in {SREF, VECTORS, *COMPANIONS, *FILES.values()}
        or (name == SPEC and not pinned)
    )


def _manifest(plan: Plan, full: Manifest, sequence: int, previous: str | None) -> PublicManifest:
    dp = cast("DpSpend", full.privacy.dp)
    mechanism = cast("Any", full.privacy.mechanism)
    return PublicManifest(
        verdict=full.verdict,
        gate=full.gate,
        disclosure="public",
        schema_version=SCHEMA_VERSION,
        version=full.version,
        release=full.release.model_copy(
            update={
                "stream": full.release.stream + STREAM,
                "sequence": sequence,
                "previous": None if previous is None else Digest(sha256=previous),
            }
        ),
        dataset=PublicData(
            name=full.dataset.name,
            modality=full.dataset.modality,
            SRef=full.dataset.SRef,
            n_real=public_size(plan.spec),
            n_syn=full.dataset.n_syn,
            commitment=cast("PrivateDataRef", full.dataset.private).commitment,
        ),
        engine=full.engine,
        generation=full.generation,
        deep=PublicDeep(
            family=full.deep.family,
            architecture=full.deep.architecture,
            objective=full.deep.objective,
            weights=full.deep.weights,
        ),
        contracts=tuple(_contract(entry) for entry in full.contracts),
        privacy=PublicPrivacy(mechanism=mechanism, dp=dp, statement=statement(dp, mechanism)),
        randomness=full.randomness,
        waivers=full.waivers,
        key=full.key,
        sign=full.sign,
    )


def _contract(entry: ContractEntry) -> PublicContract:
    """The promise and what became of it, without a figure."""
    return PublicContract(
        id=entry.id,
        name=entry.name,
        expr=entry.expr,
        severity=entry.severity,
        result=entry.result,
        bounds=tuple(
            PublicBound(
                metric=bound.metric,
                relation=bound.relation,
                limit=bound.limit,
                unit=bound.unit,
                at=bound.at,
                symbol=bound.symbol,
                result=bound.result,
            )
            for bound in entry.bounds
        ),
        tol_source=entry.tol_source,
    )


_NEIGHBOURS = {
    "zero_out": "one {unit} is blanked out, the number of records being public",
    "add_remove": "one {unit} is added or removed",
    "replace_one": "one {unit} is replaced by another",
}


def learned_from(dp: DpSpend, mechanism: str) -> str:
    """What noisy votes or statistics stand for in a run, as a sentence; empty where none were released."""
    if mechanism == "pate" and dp.teachers is not None:
        unit = dp.unit or "record"
        return (
            f"The engine never saw a {unit}: {dp.teachers} teachers, no two of which share a {unit}, voted on {dp.steps or 0} "
            "generated records, and it was trained on the winners of the noisy votes. The teachers are not released, and the "
            "figure does not depend on how they voted. "
        )
    if not dp.statistics:
        return ""
    numbers = sum(vector.size for vector in dp.statistics)
    summed = any(vector.name == EMBEDDING for vector in dp.statistics)
    of_what = f"noisy {'sums of random features' if summed else 'counts'}"
    counts = f"{counted(len(dp.statistics), 'vector')} of {of_what} ({counted(numbers, 'number')})"
    were, them = ("was", "it") if len(dp.statistics) == 1 else ("were", "them")
    if mechanism == "dp-noise":
        return (
            f"The engine never saw a record: {counts} {were} released once, and it was trained, validated and chosen on "
            f"records drawn from {them}. "
        )
    names = {vector.name for vector in dp.statistics}
    uses = (
        ("gaps were filled with means, medians or modes of them", IMPUTATION),
        ("conditions are drawn from them", CONDITIONS),
    )
    return (
        f"Beside the training {counts} {were} released: {', and '.join(use for use, name in uses if name in names)}. "
    )


def statement(dp: DpSpend, mechanism: str) -> str:
    """One paragraph that somebody who answers for the data can use: what is guaranteed, for whom, and what is not."""
    unit = dp.unit or "record"
    change = _NEIGHBOURS.get(dp.adjacency or "", "one {unit} differs").format(unit=unit)
    whole = (
        "" if dp.ledger is None else f", over {counted(dp.ledger.releases, 'release')} in the ledger {dp.ledger.name}"
    )
    return (
        f"Everything in this release comes from the private data through {mechanism} alone. When {change}, the probability "
        f"of any outcome changes by a factor of at most exp({dp.eps_total:.15g}), but for a probability of "
        f"{dp.delta_total:.15g}{whole} ({dp.accounting_method}). {learned_from(dp, mechanism)}"
        "Covered are weights, samples and everything that is computed from them. Not "
        f"covered: what is true of a {unit} whether it took part or not, several {unit}s of one person unless the unit "
        "says so, other releases of the same data that the ledger does not know, and the verdicts, which were judged on "
        "private figures and tell one bit each."
    )
