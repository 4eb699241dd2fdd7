"""The nodes of a run and what feeds them (M40-5 steps 2 to 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from synthspec.contracts.promises import promises
from synthspec.diag import Outcome, failure
from synthspec.ir.figures import OF_THE_ENGINE, SCORING_FAMILIES
from synthspec.ir.ops import (
    Assess,
    Compare,
    Edge,
    Embed,
    Emit,
    Fit,
    Impute,
    Judge,
    Latency,
    Measure,
    Op,
    OpGraph,
    OpNode,
    Replay,
    Sample,
    Split,
    SplitRule,
    Statistics,
)
from synthspec.ir.resolved import CheckedSpec, ResolvedSpec
from synthspec.ir.statistics import IMPUTATION, OFFERED
from synthspec.lower.acceleration import TEACHER, Engine, engines
from synthspec.lower.binding import bind_op, impute_op, refer_op
from synthspec.lower.engine import fit_op
from synthspec.lower.features import provided
from synthspec.lower.needs import Needs
from synthspec.lower.sampling import enforce_op, export_op, mark_op, replayed_blocks, sample_op
from synthspec.lower.statistics import statistics_op
from synthspec.lower.timepath import align_op, arrive_op
from synthspec.lower.unmet import refuse_unmet
from synthspec.spec.evaluation import Evaluation, SplitName

LATENCY_REQUESTS = 320
"""A 95 % bound of the 99th percentile exists from 299 requests on; the rest is margin for a tail that ties."""
LATENCY_WARMUP = 10
Goal = Literal["engine", "records", "figures"]
"""How far a spec is followed that promises nothing yet."""


def lower(checked: CheckedSpec) -> Outcome[OpGraph]:
    """Turn a checked spec into its operations.

    What a waiver let pass but no run can do without (a seed, a measure), and what no run does yet, is an error here, at the
    section it belongs to.
    """
    needs = Needs(checked.resolved)
    nodes = _nodes(checked.resolved, needs)
    refuse_unmet(checked.resolved, needs)
    return failure(needs.faults) if needs.faults or nodes is None else Outcome(OpGraph(nodes=nodes))


def lower_draft(resolved: ResolvedSpec, goal: Goal) -> Outcome[OpGraph]:
    """The operations that lead to `goal`, and no others, of a spec that need not promise anything.

    Nothing of them is judged or emitted, so nothing can be signed. Diagnostics as in `lower`.
    """
    needs = Needs(resolved)
    nodes = _trained(resolved, needs) if goal == "engine" else _nodes(resolved, needs)
    refuse_unmet(resolved, needs)
    if needs.faults or nodes is None:
        return failure(needs.faults)
    figures = "compare" if resolved.spec.acceleration else "measure"
    last = {"engine": nodes[-1].id, "records": "export", "figures": figures}[goal]
    return Outcome(OpGraph(nodes=_leading_to(nodes, last)))


def _leading_to(nodes: Sequence[OpNode], last: str) -> tuple[OpNode, ...]:
    """Those of `nodes`, which are in order, that the node `last` needs, and itself."""
    needed, kept = {last}, []
    for node in reversed(nodes):
        if node.id in needed:
            needed.update(edge.node for edge in node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def _trained(resolved: ResolvedSpec, needs: Needs) -> list[OpNode] | None:
    """The nodes up to the engine that is sampled, which is the last of them."""
    spec = resolved.spec
    rule: SplitRule | None = needs.of(spec.data.split, "data", "split")
    fit = fit_op(resolved, needs)
    if rule is None or fit is None:
        return None
    nodes = [_node("bind", bind_op(resolved)), _node("split", Split(rule=rule), data="bind")]
    nodes += _prepared(impute_op(resolved), statistics_op(resolved, fit, needs))
    nodes.append(_node("fit", fit, **_trained_on(nodes)))
    if spec.acceleration and (sample := sample_op(resolved, fit, needs)) is not None:
        _accelerated(nodes, engines(resolved, sample))
    return nodes


def _prepared(fill: Impute | None, counted: Statistics | None) -> Iterator[OpNode]:
    """Gaps are filled before anything is counted, unless what they are filled with is counted itself."""
    if counted is not None and counted.fill:
        yield _node("statistics", counted, **_BOUND)
        if fill is not None:
            yield _node("impute", fill, **_BOUND, fill="statistics")
        return
    if fill is not None:
        yield _node("impute", fill, **_BOUND)
    if counted is not None:
        yield _node("statistics", counted, **(_BOUND if fill is None else _FILLED))


def _nodes(resolved: ResolvedSpec, needs: Needs) -> tuple[OpNode, ...] | None:
    spec = resolved.spec
    nodes = _trained(resolved, needs)
    fit = None if nodes is None else next((node.op for node in nodes if isinstance(node.op, Fit)), None)
    sample = None if fit is None else sample_op(resolved, fit, needs)
    evaluation = needs.of(spec.evaluation, "evaluation")
    reference = None if evaluation is None else needs.of(evaluation.reference, "evaluation", "reference")
    if nodes is None or fit is None or sample is None or evaluation is None or reference is None:
        return None
    *before, released = engines(resolved, sample)
    engine, sample = released.id, released.sample
    records = _real(nodes)
    real = {"engine": engine, **_conditions_of(nodes)}
    evaluate = _Evaluation(nodes, resolved, evaluation, reference)
    for each in before:
        evaluate.earlier(each)
    nodes.append(_node("sample", sample, **real))
    nodes.append(_node("enforce", enforce_op(resolved, sample), samples="sample", **records))
    measured = {"samples": "enforce", "raw": "sample", **records}
    if (mark := mark_op(resolved)) is not None:
        nodes.append(_node("mark", mark, samples="enforce"))
        measured["samples"] = "mark"
    published = _placed(nodes, resolved, sample.seed, measured)
    nodes.append(_node("export", export_op(resolved, _leading_to(nodes, published)), samples=published))
    evaluate.timed(released, measured, "")
    again = Replay(sample=sample, blocks=replayed_blocks(sample, evaluation.replay_share))
    nodes.append(_node("replay", again, samples="sample", **real))
    measured["replay"] = "replay"
    evaluate.assessed(released, measured, "")
    nodes.append(_node("measure", _measure(resolved, evaluation, sample), **measured))
    evidence = {"evidence": "measure"}
    if before:
        nodes.append(_compared(before, resolved, evaluation, sample, records))
        evidence["compared"] = "compare"
    nodes.append(_node("judge", Judge(promises=promises(resolved)), **evidence))
    licence = "" if spec.release is None else spec.release.licence or ""
    nodes.append(_node("emit", Emit(licence=licence), engine=engine, samples="export", verdicts="judge"))
    return tuple(nodes)


_BOUND = {"data": "bind", "split": "split"}
_FILLED = {"data": "impute", "split": "split"}


def _real(nodes: Sequence[OpNode]) -> dict[str, str]:
    """The real records as engines and metrics see them: with their gaps filled, where the spec has them filled."""
    return _FILLED if any(node.id == "impute" for node in nodes) else _BOUND


_RELEASED = {"data": "statistics", "split": "statistics"}


def _trained_on(nodes: Sequence[OpNode]) -> dict[str, str]:
    """What the training sees: the real records, or under dp-noise those that were drawn from noisy statistics."""
    noisy = any(isinstance(node.op, Statistics) and node.op.kind in OFFERED for node in nodes)
    return _RELEASED if noisy else _real(nodes)


def _conditions_of(nodes: Sequence[OpNode]) -> dict[str, str]:
    """Where empirical conditions are drawn from: what was released of them, where anything was."""
    drawn = any(isinstance(node.op, Statistics) and node.op.kind != IMPUTATION for node in nodes)
    return _RELEASED if drawn else _real(nodes)


def _node(node_id: str, op: Op, **inputs: str) -> OpNode:
    return OpNode(id=node_id, op=op, inputs=tuple(Edge(port=port, node=feed) for port, feed in sorted(inputs.items())))


def _accelerated(nodes: list[OpNode], chain: Sequence[Engine]) -> None:
    """Append one node per acceleration, each made from the engine before it; the last one is what is sampled (P405-10)."""
    for before, engine in pairwise(chain):
        if engine.made is not None:
            nodes.append(_node(engine.id, engine.made, engine=before.id, **_conditions_of(nodes)))


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """The nodes that give an engine its figures. Every engine of a run has them, whatever the spec says (P405-10)."""

    nodes: list[OpNode]
    resolved: ResolvedSpec
    asked: Evaluation
    reference: SplitName

    @property
    def real(self) -> dict[str, str]:
        """The real records that figures are about."""
        return _real(self.nodes)

    def earlier(self, engine: Engine) -> None:
        """Sample and measure `engine`, which another one was made from: the same records, split, features and seeds."""
        prefix, sample = f"{engine.name}.", engine.sample
        self._add(f"{prefix}sample", sample, engine=engine.id, **_conditions_of(self.nodes))
        kept = f"{prefix}enforce"
        self._add(kept, enforce_op(self.resolved, sample), samples=f"{prefix}sample", **self.real)
        measured = {"samples": kept, "raw": f"{prefix}sample", **self.real}
        self.timed(engine, measured, prefix)
        self.assessed(engine, measured, prefix)
        self._add(f"{prefix}measure", _measure(self.resolved, self.asked, sample), **measured)

    def timed(self, engine: Engine, measured: dict[str, str], prefix: str) -> None:
        """Time requests of `engine` where latency is asked for."""
        if "latency_ms_p99" in self.asked.metrics:
            timed = Latency(sample=engine.sample, requests=LATENCY_REQUESTS, warmup=LATENCY_WARMUP)
            self._add(f"{prefix}latency", timed, engine=engine.id, **_conditions_of(self.nodes))
            measured["latency"] = f"{prefix}latency"

    def assessed(self, engine: Engine, measured: dict[str, str], prefix: str) -> None:
        """What only the engine can say, and what features of the user say of its records."""
        family = self.resolved.spec.engine.family
        asked, scored = _of_the_engine(self.asked, family), _scored(self.asked, family)
        if asked or scored:
            assess = Assess(
                fit=engine.sample.fit,
                metrics=asked,
                reference=self.reference,
                scored=scored,
                seed=engine.sample.seed,
            )
            drawn = {"drawn": "statistics"} if _trained_on(self.nodes) is _RELEASED else {}
            self._add(f"{prefix}assess", assess, engine=engine.id, **self.real, **drawn)
            measured["assessed"] = f"{prefix}assess"
        if self.asked.features.name != "embedded":
            features = self.asked.features
            embed = Embed(schema=self.resolved.schema, features=features, module=provided(features))
            self._add(f"{prefix}embed", embed, data=self.real["data"], samples=measured["samples"])
            measured["features"] = f"{prefix}embed"

    def _add(self, node_id: str, op: Op, **inputs: str) -> None:
        self.nodes.append(_node(node_id, op, **inputs))


def _compared(
    before: list[Engine], resolved: ResolvedSpec, evaluation: Evaluation, sample: Sample, real: Mapping[str, str]
) -> OpNode:
    """The released engine beside those it comes from."""
    figures = {engine.name: f"{engine.name}.measure" for engine in before}
    paired = {"samples": "sample", "teacher_samples": f"{TEACHER}.sample", "measured": "measure"}
    op = Compare(measure=_measure(resolved, evaluation, sample), pairs=sample.n)
    return _node("compare", op, **paired, **figures, **real)


def _of_the_engine(evaluation: Evaluation, family: str) -> tuple[str, ...]:
    """The figures that the engine has to give: those asked for, and for a VAE how far ELBO_val came (C40-513)."""
    asked = [name for name in evaluation.metrics if name in OF_THE_ENGINE]
    return tuple(dict.fromkeys([*asked, "elbo_val_gain"] if family == "vae" else asked))


def _scored(evaluation: Evaluation, family: str) -> tuple[SplitName, ...]:
    """The splits whose records the engine scores for the membership attack, where it has a score of them (C40-516)."""
    if "MI" not in evaluation.metrics or family not in SCORING_FAMILIES:
        return ()
    attack = evaluation.membership_attack
    return ("train", "val") if attack is None else (attack.members, attack.non_members)


def _placed(nodes: list[OpNode], resolved: ResolvedSpec, seed: int, measured: dict[str, str]) -> str:
    """Append what foreign keys, a time base and a path ask for; the node whose records are published."""
    refer, align, arrive = refer_op(resolved, seed), align_op(resolved, seed), arrive_op(resolved)
    published = measured["samples"]
    if refer is not None:
        nodes.append(_node("refer", refer, samples=published, **_BOUND))
        measured["referred"] = published = "refer"
    if align is not None:
        nodes.append(_node("align", align, samples=published, **_real(nodes)))
        measured["timebase"] = "align"
    if arrive is not None:
        nodes.append(_node("arrive", arrive))
        measured["arrival"] = "arrive"
    return published if align is None else "align"


def _measure(resolved: ResolvedSpec, evaluation: Evaluation, sample: Sample) -> Measure:
    assert evaluation.reference is not None  # noqa: S101 - asked for by the caller
    return Measure(
        schema=resolved.schema,
        metrics=evaluation.metrics,
        reference=evaluation.reference,
        features=evaluation.features,
        membership_attack=evaluation.membership_attack,
        conditions=tuple(field.name for field in resolved.schema.with_role("condition")),
        target=evaluation.target or "",
        w_cfg=sample.w_cfg if resolved.spec.engine.family == "diffusion" else None,
        seed=sample.seed,
    )
