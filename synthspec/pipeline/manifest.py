"""Building the manifest from the plan, what ran, the evidence and the verdicts: from these alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from synthspec import __version__
from synthspec.backend import artifacts
from synthspec.backend.discovery import installed
from synthspec.backend.schema_report import SCHEMA_REPORT, SchemaReport
from synthspec.execute import CORE, Execution, NodeRun
from synthspec.ir import manifest_base as base
from synthspec.ir import manifest_engine as groups
from synthspec.ir import manifest_evidence as told
from synthspec.ir import manifest_origin as origin
from synthspec.ir.evidence import Evidence, Figure
from synthspec.ir.manifest import SCHEMA_VERSION, Manifest
from synthspec.ir.ops import Fit
from synthspec.ir.plan import Plan
from synthspec.ir.verdict import Verdicts
from synthspec.pipeline import stated
from synthspec.pipeline.contents import EVIDENCE, SPEC, waivers_of
from synthspec.pipeline.environment import environment
from synthspec.pipeline.lineage import lineage
from synthspec.pipeline.schema_group import schema_group
from synthspec.pipeline.spending import Held, spending
from synthspec.pipeline.timepath import timepath_of
from synthspec.sign import SigningKey, Subject, key_ref, now, sign_profile
from synthspec.sign.clock import later
from synthspec.sign.memory import FIRST, Numbered


def build_manifest(  # noqa: PLR0913, PLR0917 - every part that a manifest is made of
    plan: Plan,
    execution: Execution,
    found: Evidence,
    verdicts: Verdicts,
    subjects: Sequence[Subject],
    key: SigningKey,
    place: Numbered = FIRST,
    held: Held | None = None,
    private: groups.PrivateDataRef | None = None,
    audited: groups.AuditEvidence | None = None,
) -> Manifest:
    """The manifest of one run, ready to be signed with `key`.

    `place` is its number in the stream of releases, `held` what the ledger of its data says; `private`
    commits to data that a mechanism protects, and the manifest is restricted then. `audited` is what canaries found.
    """
    created = now()
    digests = {subject.name: base.Digest(sha256=subject.sha256) for subject in subjects}
    run = _Run(plan, execution)
    return Manifest(
        verdict=told.verdict_of(verdicts.gate),
        gate=told.from_gate(verdicts.gate),
        disclosure=None if private is None else "restricted",
        schema_version=SCHEMA_VERSION,
        version=plan.version,
        trace=origin.Trace(TraceID=trace_of(plan, execution), build=f"synthspec {__version__}", timestamp=created),
        release=_release(plan, place, created),
        spec=origin.SpecRef(name=SPEC, digest=digests[SPEC], canonical_digest=plan.spec_digest),
        ir=origin.PlanRef(
            digest=base.Digest(sha256=plan.digest), compiler=origin.Compiler(name="synthspec", version=__version__)
        ),
        dataset=run.dataset(private),
        engine=stated.engine_ref(plan),
        generation=run.generation(),
        deep=run.deep(tuple(digests[name] for name in sorted(digests) if name.startswith("weights/"))),
        metrics=told.from_evidence(found),
        contracts=told.from_verdicts(verdicts, EVIDENCE),
        privacy=run.privacy(found, held, audited),
        runtime=run.runtime(found),
        randomness=run.randomness(),
        environment=run.environment(),
        dag=tuple(_dag_node(run, node) for node in execution.nodes),
        dependencies=run.dependencies(),
        overrides=tuple(origin.Override(path=path, value=value) for path, value in plan.overrides),
        waivers=waivers_of(plan),
        key=key_ref(key),
        sign=sign_profile(key),
    )


def trace_of(plan: Plan, execution: Execution) -> str:
    """The same plan on the same inputs traces to the same id."""
    return f"{plan.digest[:16]}-{execution.node('export').record.digest[:16]}"


def _release(plan: Plan, place: Numbered, created: str) -> origin.Release:
    wanted = plan.spec.release
    days = None if wanted is None else wanted.max_age_days
    return origin.Release(
        stream=plan.name,
        sequence=place.sequence,
        previous=None if place.previous is None else base.Digest(sha256=place.previous),
        created_at=created,
        expires_at=None if days is None else later(created, days),
    )


def _dag_node(run: _Run, node: NodeRun) -> origin.DagNode:
    planned = run.plan.node(node.node)
    return origin.DagNode(
        node=node.node,
        op=node.op,
        op_version=str(planned.op.version),
        key=node.key,
        inputs=tuple(
            base.Artifact(name=edge.port, digest=base.Digest(sha256=run.execution.node(edge.node).record.digest))
            for edge in planned.inputs
        ),
        outputs=tuple(
            base.Artifact(name=file.name, digest=base.Digest(sha256=file.sha256), size=file.size)
            for file in node.record.files
        ),
        reused=node.reused,
    )


class _Run:
    """One run seen through its plan, with its reports read once."""

    def __init__(self, plan: Plan, execution: Execution) -> None:
        self.plan = plan
        self.execution = execution
        self.sample_op = stated.sample_of(plan)
        self.fit_op: Fit = self.sample_op.fit
        self.fit = self._report("fit", artifacts.FIT_REPORT, artifacts.FitReport)
        self.sample = self._report("sample", artifacts.SAMPLE_REPORT, artifacts.SampleReport)
        self.enforced = self._report("enforce", artifacts.ENFORCE_REPORT, artifacts.EnforceReport)
        marked = any(node.node == "mark" for node in execution.nodes)
        self.mark = self._report("mark", artifacts.MARK_REPORT, artifacts.MarkReport) if marked else None

    def _report(self, node: str, name: str, kind: type[artifacts.T]) -> artifacts.T:
        return artifacts.read_report(self.execution.node(node).artifact.path(name), kind)

    def dataset(self, private: groups.PrivateDataRef | None) -> groups.Dataset:
        bound = self._report("bind", SCHEMA_REPORT, SchemaReport)
        name, called, content = stated.schema_ref(self.plan)
        return groups.Dataset(
            name=name,
            modality=self.plan.sref.modality,
            SRef=called,
            sref_hash=content,
            n_real=self._n_real(),
            n_syn=self.enforced.kept if self.mark is None else self.mark.kept,
            split="release",
            cov_schema=bound.cov_schema,
            cov_req=bound.cov_req,
            bound=schema_group(self.execution),
            private=private,
        )

    def _n_real(self) -> int:
        from synthspec.backend.dataset import read_dataset

        return len(read_dataset(self.execution.node("bind").artifact.path(artifacts.DATA)))

    def generation(self) -> groups.Generation:
        controls: dict[str, Any] = {"candidates": self.enforced.candidates}
        if self.enforced.candidates:
            controls["acc_rate"] = self.enforced.accepted / self.enforced.candidates
        if self.mark is not None:
            controls |= {
                "watermark": "selection",
                "watermark.candidates": self.mark.candidates,
                "watermark.distinct": self.mark.distinct,
                "watermark.alpha": self.mark.alpha,
                "watermark.detectable": self.mark.detectable,
            }
        controls |= {name: fact for name, fact in self.enforced.facts if name.startswith("project")}
        return groups.Generation(
            condition=stated.conditions(self.plan),
            controls=stated.controls(self.plan) | controls,
            schedule=stated.schedule(self.plan),
            timepath=timepath_of(self.plan, self.execution),
        )

    def deep(self, weights: tuple[base.Digest, ...]) -> groups.Deep:
        op, spec = self.sample_op, self.fit_op
        diffusion = spec.engine.family == "diffusion"
        return groups.Deep(
            family=spec.engine.family,
            architecture=stated.architecture(self.plan, self.fit.parameters),
            objective=stated.objective(self.plan),
            weights=weights,
            training=tuple(
                groups.TrainingEvent(
                    step=event.step, event=event.action, signal=event.signal, detail=event.detail or None
                )
                for event in self.fit.events
            ),
            lineage=lineage(self.plan, self.execution),
            base_dist=getattr(spec.engine, "base_dist", None),
            noise_schedule=stated.schedule(self.plan) or None,
            solver=None if op.solver is None else op.solver.name,
            nominal_steps=None if op.solver is None else self.sample.steps,
            net_calls=self.sample.net_calls,
            net_evals_per_sample=self.sample.net_evals_per_sample,
            w_cfg=op.w_cfg if diffusion else None,
            cfg_convention="S405-6" if diffusion else None,
        )

    def privacy(self, found: Evidence, held: Held | None, audited: groups.AuditEvidence | None) -> groups.PrivacyGroup:
        risk = found.get("MI")
        spent, block = spending(self.plan, self.execution, held), self.plan.private
        return groups.PrivacyGroup(
            mechanism="none" if block is None else block.mechanism,
            dp=None if spent is None else spent.entry(audited),
            attack_suite=_attacks_of(risk),
            MI_risk=None if risk is None else risk.value,
        )

    def runtime(self, found: Evidence) -> groups.Runtime:
        latency = found.get("latency_ms_p99")
        return groups.Runtime(latency_ms_p99=None if latency is None else latency.value, device="cpu")

    def randomness(self) -> origin.Randomness:
        kept = cast("int | None", dict(self.fit.facts).get("seed_kept"))
        solver = self.sample_op.solver
        return origin.Randomness(
            seeds=stated.seeds(self.plan) | ({} if kept is None else {"training.kept": str(kept)}),
            rng=self.sample_op.rng,
            solver=None if solver is None else solver.name,
            NFE=None if solver is None else solver.NFE,
        )

    def environment(self) -> origin.Environment:
        node = self.plan.node("fit")
        facts: Mapping[str, str] = {**CORE.environment(), **installed()[node.backend].environment()}
        return environment(node.backend, node.backend_version, facts, self.fit_op.training.threads)

    def dependencies(self) -> tuple[origin.Dependency, ...]:
        seen = dict(pair for node in self.execution.nodes for pair in node.outside)
        return tuple(
            origin.Dependency(name=name, digest=base.Digest(sha256=content)) for name, content in sorted(seen.items())
        )


def _attacks_of(risk: Figure | None) -> tuple[Literal["membership", "linkability", "attribute"], ...]:
    """What was tried: of a table also whether columns and halves of records give away more of members."""
    if risk is None:
        return ()
    table = risk.detail("linkability.advantage") is not None
    return ("membership", "linkability", "attribute") if table else ("membership",)
