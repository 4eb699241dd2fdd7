"""The graph of shadow engines: the road of a plan to its engine, taken once for each random half of its training split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from synthspec.backend.draws import named
from synthspec.ir.figures import SCORING_FAMILIES, SHADOWS_LEAST, SHADOWS_MOST
from synthspec.ir.ops import (
    Accelerate,
    Assess,
    Edge,
    Fit,
    Isolate,
    Op,
    OpGraph,
    OpNode,
    Sample,
    Shadow,
    Statistics,
)
from synthspec.ir.plan import Plan, PlanNode
from synthspec.spec.base import Model
from synthspec.spec.privacy import DpNoise, DpSgd

_Block = TypeVar("_Block", bound=Model)
ISOLATE = "isolate"
_READ = ("bind", "split", "impute")
"""The nodes of the real records: what feeds them is done once, and is the same for all engines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How many engines, and whom they are asked about. Raises ValueError for an odd number, or one that shows nothing."""

    shadows: int
    targets: int | None = None
    """How many of the most isolated records; None leaves it to their number."""
    planted: int = 0
    """Canaries beside them."""
    seed: int | None = None
    """Of coins and trainings; None is that of the samples."""

    def __post_init__(self) -> None:
        if self.shadows % 2 or not SHADOWS_LEAST <= self.shadows <= SHADOWS_MOST:
            raise ValueError(f"{self.shadows} shadow engines are no pairs of {SHADOWS_LEAST} to {SHADOWS_MOST}")


def asking(number: int) -> str:
    """The node that says what the engine `number` makes of the records."""
    return f"asked.{number}"


def shadow(number: int) -> str:
    """The node of the records that the engine `number` learns."""
    return f"shadow.{number}"


def engine_nodes(shadows: Plan, number: int) -> tuple[PlanNode, ...]:
    """The nodes that make the engine `number`, and look at records for it."""
    return tuple(
        node
        for node in shadows.nodes
        if isinstance(node.op, Fit | Statistics | Accelerate) and node.id.rpartition(".")[2] == str(number)
    )


def shadow_graph(plan: Plan, asked: Asked) -> OpGraph:
    """Read and split as `plan` does, choose the records, and train and ask every shadow engine as `plan` makes its own.

    Raises KeyError for a plan that samples nothing.
    """
    sampled = plan.node("sample")
    assert isinstance(sampled.op, Sample)  # noqa: S101 - the node of this name is one
    seed = sampled.op.seed if asked.seed is None else asked.seed
    filling = {edge.node for node in plan.nodes if node.id == "impute" for edge in node.inputs}
    read = [OpNode(id=node.id, op=node.op, inputs=node.inputs) for node in plan.nodes if node.id in {*_READ, *filling}]
    real = "impute" if any(node.id == "impute" for node in read) else "bind"
    isolate = Isolate(schema=sampled.op.fit.schema, targets=asked.targets, planted=asked.planted, seed=seed)
    nodes = [*read, OpNode(id=ISOLATE, op=isolate, inputs=_edges(data=real, split="split"))]
    road = _road(plan)
    for number in range(asked.shadows):
        nodes += _engine(plan, road, number, seed)
    return OpGraph(nodes=tuple(nodes))


def _engine(plan: Plan, road: tuple[PlanNode, ...], number: int, seed: int) -> list[OpNode]:
    """The nodes of the engine `number`, copies of `road`, the last of which asks it."""
    sample = plan.node("sample").op
    assert isinstance(sample, Sample)  # noqa: S101 - the node of this name is one
    own = int(named(seed, f"shadow/{number}/training").integers(2**63))
    exchanged = plan.private is not None and plan.private.adjacency == "replace_one"
    half = Shadow(number=number, exchanged=exchanged, seed=seed)
    nodes = [OpNode(id=shadow(number), op=half, inputs=_edges(data=ISOLATE, split="split"))]
    nodes += [
        OpNode(id=f"{node.id}.{number}", op=reseeded(node.op, own), inputs=_halved(node.inputs, number))
        for node in road
    ]
    if sample.fit.engine.family not in SCORING_FAMILIES:
        inputs = _halved(plan.node("sample").inputs, number)
        return [*nodes, OpNode(id=asking(number), op=reseeded(sample, own), inputs=inputs)]
    # Encodings are those of what was learned, and the records that are asked about stand for the train split.
    learned = next(edge.node for edge in _halved(plan.node("fit").inputs, number) if edge.port == "data")
    made = next(f"{edge.node}.{number}" for edge in plan.node("sample").inputs if edge.port == "engine")
    assess = Assess(fit=sample.fit, metrics=(), reference="train", scored=("train",), seed=seed)
    asked_of = _edges(engine=made, data=ISOLATE, split=ISOLATE, drawn=learned)
    return [*nodes, OpNode(id=asking(number), op=reseeded(assess, own), inputs=asked_of)]


def reseeded(op: Op, seed: int) -> Op:
    """`op` of a training that is seeded by `seed`; how an engine is asked keeps its own seed, so that all share it.

    A half has not as many records as the block states in public, so it states none.
    """
    match op:
        case Fit():
            return replace(op, training=op.training.model_copy(update={"seed": seed}), privacy=_unsized(op.privacy))
        case Statistics():
            return replace(op, seed=seed, privacy=_unsized(op.privacy))
        case Accelerate() | Sample() | Assess():
            fit = reseeded(op.fit, seed)
            assert isinstance(fit, Fit)  # noqa: S101 - a training stays one
            return replace(op, fit=fit)
        case _:
            return op


def _unsized(block: _Block) -> _Block:
    stated = isinstance(block, DpSgd | DpNoise) and block.dataset_size is not None
    return block.model_copy(update={"dataset_size": None}) if stated else block


def _road(plan: Plan) -> tuple[PlanNode, ...]:
    """The nodes of `plan` between the real records and the sampler: what makes its engine."""
    found = {"sample"}
    for node in reversed(plan.nodes):
        if node.id in found and node.id not in _READ:
            found.update(edge.node for edge in node.inputs)
    return tuple(node for node in plan.nodes if node.id in found - {"sample", *_READ})


def _halved(inputs: tuple[Edge, ...], number: int) -> tuple[Edge, ...]:
    """Inputs of a copy of a node: the real records are those of a half, other nodes their copies."""
    return tuple(
        Edge(port=edge.port, node=shadow(number) if edge.node in _READ else f"{edge.node}.{number}") for edge in inputs
    )


def _edges(**inputs: str) -> tuple[Edge, ...]:
    return tuple(Edge(port=port, node=feed) for port, feed in sorted(inputs.items()))
