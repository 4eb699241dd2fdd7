"""`audit --shadows`: what engines of a spec tell of their most isolated records, shown by engines trained with and without.

Nothing of it is a release: the engines lie in the store, and what is found is told to who asks, as the data are known to him.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthspec import metrics
from synthspec.accounting import TradeOff, trade_off
from synthspec.accounting.one_run import lower_bound
from synthspec.backend.artifacts import DATA, ISOLATE_REPORT, SCORES, SPLIT, IsolateReport, read_report
from synthspec.backend.dataset import read_dataset, read_rows
from synthspec.backend.draws import named
from synthspec.backend.protocol import Progress
from synthspec.backend.scores import read_scores
from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.execute import CORE, Execution, NodeRun, execute
from synthspec.execute.core.measure import described, sample_of
from synthspec.execute.core.shadow import present
from synthspec.ir.ops import Assess, Isolate, Judge, Sample, Shadow
from synthspec.ir.plan import Plan
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.membership.lira import Guesses, Shadows, Told, guessed, ratios, sampled_scores, told
from synthspec.pipeline.running import backends
from synthspec.pipeline.shadow_graph import ISOLATE, Asked, asking, engine_nodes, shadow, shadow_graph
from synthspec.pipeline.spending import spending
from synthspec.pipeline.starting import unverified_start
from synthspec.plan import plan as planned
from synthspec.store import Store

F64 = NDArray[np.float64]
LEVEL = 0.05 / 3
"""Of each of the limits that a claim is held against: the eps of guesses, the AUC and the advantage, at 95 % together."""
NEAREST = "none of the engine: minus the log distance to the nearest record that it makes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where engines are kept and found again, and how fast they are trained; no figure depends on it."""

    store: Path
    root: Path
    """The folder that relative paths of the plan start from."""
    progress: Progress
    workers: int = 1
    on_node: Callable[[NodeRun], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a mechanism claims of one training, and what guesses of coins show of it."""

    eps: float
    delta: float
    lower: float
    guesses: Guesses
    allowed: TradeOff


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowAudit:
    """What the engines tell, and what is promised of it."""

    shadows: int
    how: str
    """What a score is, in words."""
    asked: IsolateReport
    isolated: Told
    planted: Told | None
    whole: Told
    """Of both together."""
    claim: Claim | None
    mi_max: float | None
    """What C40-516 promises of an attacker who has what this one has; None where nothing."""

    @property
    def defects(self) -> tuple[str, ...]:
        """What is promised and does not hold, each with its number."""
        found = []
        if (claim := self.claim) is not None:
            if claim.lower > claim.eps:
                found.append(f"guesses: at {1 - LEVEL:.1%}, eps is at least {claim.lower:.4g}")
            for name, rate, most in (
                ("auc", self.whole.auc, claim.allowed.auc),
                ("advantage", self.whole.advantage, claim.allowed.advantage),
            ):
                if rate.floor > most:
                    found.append(f"{name}: at {1 - LEVEL:.1%} at least {rate.floor:.4g}, where eps allows {most:.4g}")
        if self.mi_max is not None and self.isolated.advantage.floor > self.mi_max:
            reached = self.isolated.advantage.floor
            found.append(f"mi_max: at {1 - LEVEL:.1%} the advantage is at least {reached:.4g} of {self.mi_max:.4g}")
        return tuple(found)


def audit_shadows(plan: Plan, asked: Asked, where: Where) -> Outcome[ShadowAudit]:
    """Train ``asked.shadows`` engines of `plan` on random halves of its training split and attack each by the others.

    The engines are nodes like any other: they are found again in the store, and begin where a killed audit ended. Every
    training under a mechanism has a fresh secret, which nobody keeps, and nothing is entered in a ledger: nothing is
    released. Raises StoreError and OSError.
    """
    if unbelieved := unverified_start(plan, where.root):
        return failure(unbelieved)
    graph, wanted = shadow_graph(plan, asked), plan.spec.engine.backend
    shadows = planned(graph, backends(), core_version=CORE.version, wanted=wanted, header=replace(plan, nodes=()))
    if shadows.value is None:
        return failure(shadows.diagnostics)
    with Store(where.store) as store:
        executed = execute(
            shadows.value,
            backends(),
            store,
            root=where.root,
            workers=where.workers,
            progress=where.progress,
            on_node=where.on_node,
        )
        if executed.value is None:
            return failure(executed.diagnostics)
        if mute := _mute(shadows.value, executed.value, asked.shadows):
            return failure([mute])
        try:
            return Outcome(_judged(plan, shadows.value, executed.value, asked))
        except UnmeasurableError as error:
            advice = "train longer or at a lower rate: engines that diverge can be asked nothing"
            return failure([Diagnostic(code="P405-3.diverged", message=str(error), help=advice)])


def _mute(shadows: Plan, execution: Execution, count: int) -> Diagnostic | None:
    """Why nothing can be asked: a backend that has the family, and lets its engines say nothing of single records."""
    for name in map(asking, range(count)):
        node = shadows.node(name)
        if isinstance(node.op, Assess) and SCORES not in execution.node(name).artifact.files:
            message = f"the engines of backend {node.backend} say nothing of single records"
            advice = "name a backend whose engines do (`synthspec backends` lists the installed ones)"
            return Diagnostic(code="engine.backend-unsupported", message=message, help=advice)
    return None


def _judged(plan: Plan, shadows: Plan, execution: Execution, asked: Asked) -> ShadowAudit:
    isolate, sample = shadows.node(ISOLATE).op, plan.node("sample").op
    assert isinstance(isolate, Isolate)  # noqa: S101 - the nodes of these names are these ops
    assert isinstance(sample, Sample)  # noqa: S101
    scores, how = _scores(isolate, execution, asked.shadows)
    held = np.stack([_held(shadows, execution, number) for number in range(asked.shadows)])
    all_of_them, report = Shadows(scores, held), _report(execution)
    ratio, rng = ratios(all_of_them), named(isolate.seed, "LiRA/resamples")
    cut = report.isolated
    one = replace(shadows, nodes=engine_nodes(shadows, 0))
    whole = told(ratio, held, rng, LEVEL)
    return ShadowAudit(
        shadows=asked.shadows,
        how=how,
        asked=report,
        whole=whole,
        isolated=told(ratio[:, :cut], held[:, :cut], rng, LEVEL) if report.planted else whole,
        planted=told(ratio[:, cut:], held[:, cut:], rng, LEVEL) if report.planted else None,
        claim=_claim(one, execution, all_of_them),
        mi_max=_promised(plan, how),
    )


def _held(shadows: Plan, execution: Execution, number: int) -> NDArray[np.bool_]:
    """Which of the records that are asked about the engine `number` learned."""
    node = shadows.node(shadow(number))
    assert isinstance(node.op, Shadow)  # noqa: S101 - the node of this name is one
    return present(node.op, {edge.port: execution.node(edge.node).artifact for edge in node.inputs})


def _report(execution: Execution) -> IsolateReport:
    return read_report(execution.node(ISOLATE).artifact.path(ISOLATE_REPORT), IsolateReport)


def _scores(isolate: Isolate, execution: Execution, count: int) -> tuple[F64, str]:
    """What each engine says of the records, (engines, records) in their order, and what that is."""
    asked = [execution.node(asking(number)).artifact for number in range(count)]
    if all(SCORES in artifact.files for artifact in asked):
        read = [read_scores(artifact.path(SCORES))["train"] for artifact in asked]
        return np.stack([each.values[np.argsort(each.rows)] for each in read]), read[0].how
    made = _spaces(isolate, execution, count)
    return np.stack([sampled_scores(records, synthetic) for records, synthetic in made]), NEAREST


def _spaces(isolate: Isolate, execution: Execution, count: int) -> Iterator[tuple[F64, F64]]:
    """The records that are asked about and those that each engine makes, in the space of distances."""
    real, schema = execution.node(ISOLATE).artifact, isolate.schema
    data = read_dataset(real.path(DATA))
    train, asked = (read_rows(each.path(SPLIT)).train for each in (execution.node("split").artifact, real))
    request = metrics.Request(
        modality=schema.modality,
        fields=tuple(described(schema)),
        seed=isolate.seed,
        train=sample_of(schema, data.take(train), None),
        test=sample_of(schema, data.take(asked), None),
        reference="train",
    )
    records = Bench(request).space("test")
    for number in range(count):
        made = read_dataset(execution.node(asking(number)).artifact.path(DATA))
        yield records, Bench(replace(request, synthetic=sample_of(schema, made, None))).space("synthetic")


def _claim(one: Plan, execution: Execution, shadows: Shadows) -> Claim | None:
    """What the training of one engine spent, and the eps that guesses about all of them show."""
    spent = spending(one, execution)
    if spent is None:
        return None
    spend, guesses = spent.spend, guessed(shadows)
    return Claim(
        eps=spend.eps,
        delta=spend.delta,
        lower=lower_bound(guesses.correct, guesses.guesses, guesses.coins, spend.delta, 1 - LEVEL),
        guesses=guesses,
        allowed=trade_off(spent.event, spend.eps, spend.delta, spend.adjacency),
    )


def _promised(plan: Plan, how: str) -> float | None:
    """`mi_max`, where the attacker that it is about has what is looked at here: the samples, or the engine as well."""
    evaluation = plan.spec.evaluation
    attack = None if evaluation is None else evaluation.membership_attack
    if how != NEAREST and (attack is None or attack.knows != "engine"):
        return None
    return next(_limits(plan), None)


def _limits(plan: Plan) -> Iterator[float]:
    for node in plan.nodes:
        if isinstance(node.op, Judge):
            bounds = (bound for promise in node.op.promises for bound in promise.bounds)
            yield from (bound.limit for bound in bounds if bound.symbol == "mi_max")
