"""What of a plan changes when a sample is drawn with more candidates: the sample, what replays it, and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from synthspec.ir.drawing import block_count, spread_blocks
from synthspec.ir.ops import Replay, Sample
from synthspec.ir.plan import PlanNode

SAMPLES = "samples"
"""The port of what is enforced."""


def topped_up(nodes: Mapping[str, PlanNode], short: str, wanted: int) -> dict[str, PlanNode]:
    """The nodes from the sample that feeds the node `short` on, in the order of `nodes`, with `wanted` candidates.

    Blocks are keyed by (seed, stream, block), so the sample begins with the candidates that it had. What only follows is
    the same node as before, to be settled again. Raises RuntimeError where it is fed by no sample, or by as many.
    """
    source = next(edge.node for edge in nodes[short].inputs if edge.port == SAMPLES)
    before = nodes[source].op
    if not isinstance(before, Sample) or wanted <= before.candidates:
        raise RuntimeError(f"{short!r} asks for {wanted} candidates, and {source!r} is no sample of fewer")
    changed = {source: replace(nodes[source], op=replace(before, candidates=wanted))}
    for name, node in nodes.items():
        if name not in changed and any(edge.node in changed for edge in node.inputs):
            changed[name] = _again(node, before, wanted)
    return changed


def _again(node: PlanNode, before: Sample, wanted: int) -> PlanNode:
    """`node` on the longer sample: a replay takes the same share of its blocks."""
    op = node.op
    if not isinstance(op, Replay) or op.sample != before:
        return node
    total = block_count(before.candidates, before.block), block_count(wanted, before.block)
    blocks = spread_blocks(before.seed, -(-len(op.blocks) * total[1] // total[0]), total[1])
    return replace(node, op=replace(op, sample=replace(before, candidates=wanted), blocks=blocks))
