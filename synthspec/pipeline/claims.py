"""What a manifest says beside its verdict, held against the plan, the evidence and the signed files.

Whoever signs could write anything there: a seed, a network, a mechanism that was not the one. What follows from signed files is
told again and compared. What only the run knew (its machine, its clock, how many numbers a network has) is not shown here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from synthspec.ir.canonical import OUTPUT, digest
from synthspec.ir.evidence import Evidence
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_engine import DpSpend
from synthspec.ir.manifest_origin import DagNode
from synthspec.ir.manifest_public import PublicManifest
from synthspec.ir.ops import Fit
from synthspec.ir.plan import Plan
from synthspec.pipeline import stated
from synthspec.pipeline.contents import SPEC
from synthspec.sign import Refusal
from synthspec.sign.clock import later
from synthspec.spec.privacy import DpNoise, DpSgd, NoMechanism, Pate

Holds = Callable[["Claims"], bool]
STAGES = ("judge", "emit")
"""Nodes of the plan that are no kernels: the manifest has their results elsewhere."""


class Shared:
    """What both kinds of manifest say, held against what the plan fixes, or the spec where there is no plan."""

    def __init__(self, manifest: Manifest | PublicManifest, source: stated.Stated) -> None:
        self.told, self.source = manifest, source

    def expiry(self) -> bool:
        told, wanted = self.told.release, self.source.spec.release
        days = None if wanted is None else wanted.max_age_days
        return told.expires_at == (None if days is None else later(told.created_at, days))

    def engine(self) -> bool:
        return self.told.engine == stated.engine_ref(self.source)

    def generation(self) -> bool:
        told, mark = self.told.generation, stated.watermark(self.source)
        return (
            told.condition == stated.conditions(self.source)
            and _agree(told.controls, stated.controls(self.source))
            and {name: told.controls.get(name) for name in mark} == mark
            and told.schedule.keys() <= (schedule := stated.schedule(self.source)).keys()
            and _agree(told.schedule, schedule)
        )

    def network(self) -> bool:
        told, plan = self.told.deep.architecture, stated.architecture(self.source, None)
        return told.name == plan.name and _agree(told.parameters, plan.parameters)

    def objective(self) -> bool:
        told, plan = self.told.deep.objective, stated.objective(self.source)
        named = (told.measure, told.equation) == (plan.measure, plan.equation)
        return named and _agree(told.parameters, plan.parameters)

    def family(self) -> bool:
        return self.told.deep.family == stated.sample_of(self.source).fit.engine.family

    def drawing(self) -> bool:
        told, solver = self.told.randomness, stated.sample_of(self.source).solver
        return (told.solver, told.NFE) == ((None, None) if solver is None else (solver.name, solver.NFE))

    def seeds(self) -> bool:
        told, plan = self.told.randomness, stated.seeds(self.source)
        return told.rng == stated.sample_of(self.source).rng and plan.items() <= told.seeds.items()


def protected_as(told: DpSpend, block: DpSgd | Pate | DpNoise) -> bool:
    """Whether `told` is of the mechanism in `block`: its constants, no more releases than it allows, its ledger."""
    most, held = stated.releases(block), told.ledger
    counted = told.steps is None or most is None or told.steps <= most
    entered = held is None or (held.name, held.eps_total, held.delta_total) == (
        block.ledger,
        told.eps_total,
        told.delta_total,
    )
    return counted and entered and all(getattr(told, name) == value for name, value in stated.protection(block).items())


class Claims(Shared):
    """A restricted manifest with all that it can be held against."""

    def __init__(self, manifest: Manifest, plan: Plan, found: Evidence, signed: Mapping[str, str]) -> None:
        super().__init__(manifest, plan)
        self.manifest, self.plan, self.found, self.signed = manifest, plan, found, signed

    def names(self) -> bool:
        told, plan = self.manifest, self.plan
        traced = told.trace.TraceID.partition("-")[0]
        # An older version gave a plan that leaves out what came later another digest.
        named = traced == told.ir.digest.sha256[:16] or traced == plan.digest[:16]
        return named and (told.version, told.release.stream) == (plan.version, plan.name)

    def spec(self) -> bool:
        told = self.manifest.spec
        return told.name == SPEC and told.digest.sha256 == self.signed.get(SPEC)

    def drawn(self) -> bool:
        return self.manifest.dataset.n_syn == self.plan.spec.sampling.n

    def schema(self) -> bool:
        told = self.manifest.dataset
        return (told.name, told.SRef, told.sref_hash) == stated.schema_ref(self.plan) and (
            told.modality == self.plan.sref.modality
        )

    def generation(self) -> bool:
        return super().generation() and (self.manifest.deep.noise_schedule or {}) == self.manifest.generation.schedule

    def solver(self) -> bool:
        op, told = stated.sample_of(self.plan), self.manifest.deep
        w_cfg = op.w_cfg if op.fit.engine.family == "diffusion" else None
        return self.drawing() and (told.solver, told.w_cfg) == (self.manifest.randomness.solver, w_cfg)

    def family(self) -> bool:
        engine = stated.sample_of(self.plan).fit.engine
        return super().family() and self.manifest.deep.base_dist == getattr(engine, "base_dist", None)

    def mechanism(self) -> bool:
        told, block = self.manifest.privacy, self.plan.private
        if told.mechanism != ("none" if block is None else block.mechanism):
            return False
        trained = next((node.op.privacy for node in self.plan.nodes if isinstance(node.op, Fit)), block)
        # The training's own block has its noise written out.
        own = block if trained is None or isinstance(trained, NoMechanism) else trained
        return told.dp is None or own is None or protected_as(told.dp, own)

    def weights(self) -> bool:
        told = [each.sha256 for each in self.manifest.deep.weights]
        return told == [self.signed[name] for name in sorted(self.signed) if name.startswith("weights/")]

    def dag(self) -> bool:
        told = [
            (each.node, each.op, each.op_version, tuple(port.name for port in each.inputs))
            for each in self.manifest.dag
        ]
        ran = [(node.id, node.op, node.inputs) for node in self.plan.nodes if node.op.op not in STAGES]
        return sorted(told) == sorted(
            (id_, op.op, str(op.version), tuple(edge.port for edge in edges)) for id_, op, edges in ran
        )

    def passed_on(self) -> bool:
        """What one node made is the same for it and for all that read it; the trace names what was exported."""
        made = {each.node: {_made(each)} for each in self.manifest.dag}
        for each in self.manifest.dag:
            sources = (edge.node for edge in self.plan.node(each.node).inputs)
            for source, port in zip(sources, each.inputs, strict=True):
                made[source].add(port.digest.sha256)
        traced = self.manifest.trace.TraceID.partition("-")[2]
        exported = made.get("export", {traced})
        return all(len(digests) == 1 for digests in made.values()) and {each[:16] for each in exported} == {traced}

    def spent(self) -> bool:
        told, figure = self.manifest.privacy.dp, self.found.get("eps_total")
        if told is None:
            return True
        of = {} if figure is None else dict(figure.details)
        counted = (told.accounting_method, told.steps) == (
            f"{of.get('accountant')} ({of.get('accountant_version')})",
            of.get("releases"),
        )
        return counted and (told.eps_total, told.delta_total) == (
            self._value("eps_total"),
            self._value("delta_total"),
        )

    def measured(self) -> bool:
        told = self.manifest
        pairs = ((told.privacy.MI_risk, "MI"), (told.runtime.latency_ms_p99, "latency_ms_p99"))
        return all(value == self._value(name) for value, name in pairs)

    def _value(self, name: str) -> float | None:
        figure = self.found.get(name)
        return None if figure is None else figure.value


HELD: tuple[tuple[Holds, str, str], ...] = (
    (Claims.names, "its version, its stream or its trace are not those of the plan", "/release"),
    (Claims.spec, "the spec that it names is not the signed one", "/spec"),
    (Claims.expiry, "it holds for another time than the spec says", "/release/expiresAt"),
    (Claims.drawn, "the spec asks for another number of records", "/dataset/n_syn"),
    (Claims.schema, "it tells of another schema than the plan's", "/dataset"),
    (Claims.engine, "the plan has another engine, seed or source", "/engine"),
    (Claims.generation, "the plan draws under other conditions or controls", "/generation"),
    (Claims.family, "the plan trains another family", "/deep/family"),
    (Claims.network, "the plan trains another network", "/deep/architecture"),
    (Claims.objective, "the plan trains on another measure", "/deep/objective"),
    (Claims.solver, "the plan draws by another solver, budget or guidance", "/deep/solver"),
    (Claims.weights, "its weights are not the signed ones", "/deep/weights"),
    (Claims.seeds, "the plan fixes other seeds", "/randomness"),
    (Claims.dag, "the nodes that ran are not those of the plan", "/dag"),
    (Claims.passed_on, "one node read another result than the next one, or the trace names none of them", "/dag"),
    (Claims.mechanism, "the plan protects records otherwise", "/privacy"),
    (Claims.spent, "it spent another eps or delta than the evidence says", "/privacy/dp"),
    (Claims.measured, "a figure of the evidence is told otherwise", "/privacy"),
)


def disagreements(manifest: Manifest, plan: Plan, found: Evidence, signed: Mapping[str, str]) -> Iterator[Refusal]:
    """The first group of `manifest` that says otherwise than the plan, the evidence or the signed files."""
    claims = Claims(manifest, plan, found, signed)
    for holds, message, where in HELD:
        if not holds(claims):
            yield Refusal("VERDICT_INCONSISTENT", message, where)
            return


def _made(node: DagNode) -> str:
    """What the node after `node` reads of it, by one digest."""
    files = [{"name": each.name, "sha256": each.digest.sha256, "size": each.size} for each in node.outputs]
    return digest(OUTPUT, files)


def _agree(told: Mapping[str, object], planned: Mapping[str, object]) -> bool:
    """A parameter that only one side knows came or went with a version of the language; one that both know is one."""
    return all(told[name] == planned[name] for name in told.keys() & planned.keys())
