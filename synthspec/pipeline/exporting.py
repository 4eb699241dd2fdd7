"""The forms of other tools that a spec asks for (`release.exports`), from plan, manifest and signed files alone.

Under a mechanism `said` is the public manifest and the files are those that go out with it: an export is public then, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from synthspec.exports import FILES, WRITERS, Facts, File
from synthspec.exports.facts import Judged, Measured
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_evidence import Metric
from synthspec.ir.manifest_public import PublicManifest
from synthspec.ir.ops import Export
from synthspec.ir.plan import Plan
from synthspec.sign import Subject


def exported(plan: Plan, said: Manifest | PublicManifest, subjects: Sequence[Subject]) -> dict[str, bytes]:
    """The exports that `plan` asks for, by name of the file: the same facts give the same bytes."""
    release = plan.spec.release
    asked = (release.exports if release is not None else None) or ()
    if not asked:
        return {}
    facts = facts_of(plan, said, subjects)
    return {
        FILES[name]: (json.dumps(WRITERS[name](facts), indent=2, ensure_ascii=False) + "\n").encode() for name in asked
    }


def facts_of(plan: Plan, said: Manifest | PublicManifest, subjects: Sequence[Subject]) -> Facts:
    """What may be told of the run that `said` is about, with the files `subjects`."""
    release, deep = plan.spec.release, said.deep
    whole = said if isinstance(said, Manifest) else None
    public = said if isinstance(said, PublicManifest) else None
    dp = said.privacy.dp
    return Facts(
        name=plan.name,
        version=said.version,
        stream=said.release.stream,
        created=said.release.created_at,
        verdict=said.verdict,
        plan="" if whole is None else whole.ir.digest.sha256,
        compiler="" if whole is None else whole.ir.compiler.version,
        licence="" if release is None else release.licence or "",
        owner="" if whole is None else plan.spec.metadata.owner or "",
        purpose="" if whole is None else plan.spec.metadata.description or "",
        schema=cast("Export", plan.node("export").op).schema,
        schema_name=said.dataset.SRef,
        records=said.dataset.n_syn,
        family=deep.family,
        architecture=deep.architecture.name,
        parameters=deep.architecture.n_parameters,
        objective=deep.objective.measure,
        equation=deep.objective.equation,
        source=said.engine.train_data_ref,
        source_sha256="" if whole is None else _source(whole),
        commitment="" if public is None else public.dataset.commitment,
        privacy="" if public is None else public.privacy.statement,
        eps="" if dp is None else str(dp.eps_total),
        delta="" if dp is None else str(dp.delta_total),
        files=tuple(File(each.name, each.sha256, each.size) for each in subjects),
        metrics=() if whole is None else tuple(_measured(each) for each in whole.metrics if each.value is not None),
        contracts=tuple(Judged(each.id, each.expr, each.result) for each in said.contracts if each.bounds),
        packages=() if whole is None else tuple(sorted(whole.environment.packages.items())),
    )


def _source(manifest: Manifest) -> str:
    """The digest of what was read under the name of the data; empty where they were made up, or read otherwise."""
    read = {each.name: each.digest.sha256 for each in manifest.dependencies}
    return read.get(manifest.engine.train_data_ref, "")


def _measured(metric: Metric) -> Measured:
    lower, upper = ("" if bound is None else str(bound) for bound in (metric.lower, metric.upper))
    return Measured(metric.label, str(metric.value), metric.unit, lower, upper, metric.split or "")
