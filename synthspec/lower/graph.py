"""The nodes of a run and what feeds them (M40-5 steps 2 to 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from synthspec.diag import Outcome, failure
from synthspec.ir.figures import OF_THE_ENGINE
from synthspec.ir.ops import (
    Accelerate,
    Assess,
    Bind,
    Edge,
    Embed,
    Emit,
    Fit,
    Judge,
    Latency,
    Measure,
    Op,
    OpGraph,
    OpNode,
    Replay,
    Split,
    SplitRule,
)
from synthspec.ir.resolved import CheckedSpec, ResolvedSpec
from synthspec.lower.engine import fit_op
from synthspec.lower.needs import Needs
from synthspec.lower.promises import promises
from synthspec.lower.sampling import enforce_op, export_op, replayed_blocks, sample_op
from synthspec.lower.timepath import align_op, arrive_op
from synthspec.lower.unmet import refuse_unmet
from synthspec.spec.evaluation import Evaluation

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
    last = {"engine": nodes[-1].id, "records": "export", "figures": "measure"}[goal]
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
    source = Bind(source=spec.data.source, sha256=spec.data.sha256 or "", schema=resolved.schema)
    nodes = [_node("bind", source), _node("split", Split(rule=rule), data="bind"), _node("fit", fit, **_REAL)]
    _accelerated(nodes, resolved, fit_id="fit")
    return nodes


def _nodes(resolved: ResolvedSpec, needs: Needs) -> tuple[OpNode, ...] | None:
    spec = resolved.spec
    nodes = _trained(resolved, needs)
    fit = None if nodes is None else next((node.op for node in nodes if isinstance(node.op, Fit)), None)
    sample = None if fit is None else sample_op(resolved, fit, needs)
    evaluation = needs.of(spec.evaluation, "evaluation")
    reference = None if evaluation is None else needs.of(evaluation.reference, "evaluation", "reference")
    if nodes is None or fit is None or sample is None or evaluation is None or reference is None:
        return None
    engine = nodes[-1].id
    real = {"engine": engine, **_REAL}
    nodes.append(_node("sample", sample, **real))
    nodes.append(_node("enforce", enforce_op(resolved, sample), samples="sample", **_REAL))
    measured = {"samples": "enforce", "raw": "sample", **_REAL}
    published = _timepath(nodes, resolved, sample.seed, measured)
    nodes.append(_node("export", export_op(resolved), samples=published))
    if "latency_ms_p99" in evaluation.metrics:
        timed = Latency(sample=sample, requests=LATENCY_REQUESTS, warmup=LATENCY_WARMUP)
        nodes.append(_node("latency", timed, **real))
        measured["latency"] = "latency"
    again = Replay(sample=sample, blocks=replayed_blocks(sample, evaluation.replay_share))
    nodes.append(_node("replay", again, samples="sample", **real))
    measured["replay"] = "replay"
    asked = _of_the_engine(evaluation, spec.engine.family)
    if asked:
        assess = Assess(fit=fit, metrics=asked, reference=reference, seed=sample.seed)
        nodes.append(_node("assess", assess, **real))
        measured["assessed"] = "assess"
    if evaluation.features.name != "embedded":
        nodes.append(
            _node("embed", Embed(schema=resolved.schema, features=evaluation.features), data="bind", samples="enforce")
        )
        measured["features"] = "embed"
    nodes.append(_node("measure", _measure(resolved, evaluation, sample.w_cfg, sample.seed), **measured))
    nodes.append(_node("judge", Judge(promises=promises(resolved)), evidence="measure"))
    licence = "" if spec.release is None else spec.release.licence or ""
    nodes.append(_node("emit", Emit(licence=licence), engine=engine, samples="export", verdicts="judge"))
    return tuple(nodes)


_REAL = {"data": "bind", "split": "split"}


def _node(node_id: str, op: Op, **inputs: str) -> OpNode:
    return OpNode(id=node_id, op=op, inputs=tuple(Edge(port=port, node=feed) for port, feed in sorted(inputs.items())))


def _accelerated(nodes: list[OpNode], resolved: ResolvedSpec, fit_id: str) -> None:
    """Append one node per acceleration, each made from the engine before it; the last one is what is sampled (P405-10)."""
    engine = fit_id
    fit = nodes[-1].op
    for number, how in enumerate(resolved.spec.acceleration, start=1):
        assert fit.op == "fit"  # noqa: S101 - narrows the union for the type checker
        name = f"{how.kind}-{number}"
        nodes.append(_node(name, Accelerate(fit=fit, how=how), engine=engine, **_REAL))
        engine = name


def _of_the_engine(evaluation: Evaluation, family: str) -> tuple[str, ...]:
    """The figures that the engine has to give: those asked for, and for a VAE how far ELBO_val came (C40-513)."""
    asked = [name for name in evaluation.metrics if name in OF_THE_ENGINE]
    return tuple(dict.fromkeys([*asked, "elbo_val_gain"] if family == "vae" else asked))


def _timepath(nodes: list[OpNode], resolved: ResolvedSpec, seed: int, measured: dict[str, str]) -> str:
    """Append what a time base and a path ask for; the node whose records are published."""
    align, arrive = align_op(resolved, seed), arrive_op(resolved)
    if align is not None:
        nodes.append(_node("align", align, samples="enforce", **_REAL))
        measured["timebase"] = "align"
    if arrive is not None:
        nodes.append(_node("arrive", arrive))
        measured["arrival"] = "arrive"
    return "enforce" if align is None else "align"


def _measure(resolved: ResolvedSpec, evaluation: Evaluation, w_cfg: float, seed: int) -> Measure:
    assert evaluation.reference is not None  # noqa: S101 - asked for by the caller
    return Measure(
        schema=resolved.schema,
        metrics=evaluation.metrics,
        reference=evaluation.reference,
        features=evaluation.features,
        membership_attack=evaluation.membership_attack,
        conditions=tuple(field.name for field in resolved.schema.with_role("condition")),
        target=evaluation.target or "",
        w_cfg=w_cfg if resolved.spec.engine.family == "diffusion" else None,
        seed=seed,
    )
