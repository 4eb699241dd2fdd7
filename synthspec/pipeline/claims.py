"""What a manifest says beside its verdict, held against the plan, the evidence and the signed files.

Whoever signs could write anything there: a seed, a network, a mechanism that was not the one. What follows from signed files is
told again and compared. What only the run knew (its machine, its clock, how many numbers a network has) is not shown here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from synthspec.ir.evidence import Evidence
from synthspec.ir.manifest import Manifest
from synthspec.ir.plan import Plan
from synthspec.pipeline import stated
from synthspec.sign import Refusal

Holds = Callable[["Claims"], bool]
STAGES = ("judge", "emit")
"""Nodes of the plan that are no kernels: the manifest has their results elsewhere."""


class Claims:
    """A manifest with all that it can be held against."""

    def __init__(self, manifest: Manifest, plan: Plan, found: Evidence, signed: Mapping[str, str]) -> None:
        self.manifest, self.plan, self.found, self.signed = manifest, plan, found, signed

    def names(self) -> bool:
        told, plan = self.manifest, self.plan
        # An older version gave a plan that leaves out what came later another digest.
        traced = told.trace.TraceID.partition("-")[0] in (told.ir.digest.sha256[:16], plan.digest[:16])
        return traced and (told.version, told.release.stream) == (plan.version, plan.name)

    def schema(self) -> bool:
        told = self.manifest.dataset
        return (told.name, told.SRef, told.sref_hash) == stated.schema_ref(self.plan) and (
            told.modality == self.plan.sref.modality
        )

    def engine(self) -> bool:
        return self.manifest.engine == stated.engine_ref(self.plan)

    def generation(self) -> bool:
        told = self.manifest.generation
        return (
            told.condition == stated.conditions(self.plan)
            and _agree(told.controls, stated.controls(self.plan))
            and told.schedule.keys() <= (schedule := stated.schedule(self.plan)).keys()
            and _agree(told.schedule, schedule)
            and (self.manifest.deep.noise_schedule or {}) == told.schedule
        )

    def network(self) -> bool:
        told, plan = self.manifest.deep.architecture, stated.architecture(self.plan, None)
        return told.name == plan.name and _agree(told.parameters, plan.parameters)

    def objective(self) -> bool:
        told, plan = self.manifest.deep.objective, stated.objective(self.plan)
        named = (told.measure, told.equation) == (plan.measure, plan.equation)
        return named and _agree(told.parameters, plan.parameters)

    def solver(self) -> bool:
        told, op = self.manifest, stated.sample_of(self.plan)
        name, budget = (None, None) if op.solver is None else (op.solver.name, op.solver.NFE)
        w_cfg = op.w_cfg if op.fit.engine.family == "diffusion" else None
        return (told.deep.solver, told.randomness.solver, told.randomness.NFE, told.deep.w_cfg) == (
            name,
            name,
            budget,
            w_cfg,
        )

    def family(self) -> bool:
        told, engine = self.manifest.deep, stated.sample_of(self.plan).fit.engine
        return (told.family, told.base_dist) == (engine.family, getattr(engine, "base_dist", None))

    def seeds(self) -> bool:
        told, plan = self.manifest.randomness, stated.seeds(self.plan)
        return told.rng == stated.sample_of(self.plan).rng and plan.items() <= told.seeds.items()

    def weights(self) -> bool:
        told = [each.sha256 for each in self.manifest.deep.weights]
        return told == [self.signed[name] for name in sorted(self.signed) if name.startswith("weights/")]

    def dag(self) -> bool:
        told = [(each.node, each.op, tuple(port.name for port in each.inputs)) for each in self.manifest.dag]
        ran = [node for node in self.plan.nodes if node.op.op not in STAGES]
        return sorted(told) == sorted((node.id, node.op.op, tuple(edge.port for edge in node.inputs)) for node in ran)

    def passed_on(self) -> bool:
        """What one node made is the same for all that read it; the trace names what was exported."""
        made: dict[str, set[str]] = {}
        for each in self.manifest.dag:
            sources = (edge.node for edge in self.plan.node(each.node).inputs)
            for source, port in zip(sources, each.inputs, strict=True):
                made.setdefault(source, set()).add(port.digest.sha256)
        traced = self.manifest.trace.TraceID.partition("-")[2]
        exported = made.get("export", {traced})
        return all(len(digests) == 1 for digests in made.values()) and {each[:16] for each in exported} == {traced}

    def mechanism(self) -> bool:
        told, block = self.manifest.privacy, self.plan.private
        if told.mechanism != ("none" if block is None else block.mechanism):
            return False
        return told.dp is None or block is None or (told.dp.adjacency, told.dp.unit) == (block.adjacency, block.unit)

    def spent(self) -> bool:
        told = self.manifest.privacy.dp
        return told is None or (told.eps_total, told.delta_total) == (
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


def _agree(told: Mapping[str, object], planned: Mapping[str, object]) -> bool:
    """A parameter that only one side knows came or went with a version of the language; one that both know is one."""
    return all(told[name] == planned[name] for name in told.keys() & planned.keys())
