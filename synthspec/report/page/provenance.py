"""The road from data to verdict: the nodes of the plan in their order, with an arc from each to whatever reads it."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.plan import Plan, PlanNode
from synthspec.report.page.chart import label, picture, place
from synthspec.report.page.markup import Markup, tag
from synthspec.report.page.parts import code, facts, more, section, table
from synthspec.report.page.shown import Shown

_ROW = 30
_SPINE = 110
"""Where the nodes stand; the arcs bulge out to the left of it."""
_WIDTH = 320
_RADIUS = 5
_HEAD = ("Node", "Operation", "Made by", "Reads", "Execution key", "Makes")


def provenance(page: Shown) -> Markup:
    """The graph as a picture and, node by node, as a table."""
    manifest = page.manifest
    told = facts(
        (
            ("Spec", code(manifest.spec.canonical_digest)),
            ("Plan", code(manifest.ir.digest.sha256)),
            ("Compiler", f"{manifest.ir.compiler.name} {manifest.ir.compiler.version}"),
            ("Trace", code(manifest.trace.TraceID)),
        )
    )
    nodes = table("Every node, what it reads and what it makes", _HEAD, _rows(page), "stacked")
    read = [(each.name, code(each.digest.sha256)) for each in manifest.dependencies]
    outside = [table("Read from outside the plan", ("Name", "SHA-256"), read, "stacked")] if read else []
    graph = tag(
        "figure", graph_of(page.plan), tag("figcaption", "Each arc leads from a node down to one that reads it.")
    )
    return section("provenance", "Provenance", told, graph, more("The graph as a table", nodes), *outside)


def _rows(page: Shown) -> Iterator[tuple[str | Markup, ...]]:
    ran = {node.node: node for node in page.manifest.dag}
    for node in page.plan.nodes:
        run = ran.get(node.id)
        reads = ", ".join(f"{edge.port} of {edge.node}" for edge in node.inputs)
        made = "" if run is None else ", ".join(output.name for output in run.outputs)
        key: str | Markup = "" if run is None else code(run.key)
        yield (node.id, node.op.op, _maker(node), reads, key, made)


def _maker(node: PlanNode) -> str:
    return f"{node.backend} {node.backend_version}".strip() or "nobody"


def graph_of(plan: Plan) -> Markup:
    """The nodes of `plan` down a spine. Every edge leads downwards, since a plan is in the order of its run."""
    level = {node.id: _ROW // 2 + order * _ROW for order, node in enumerate(plan.nodes)}
    longest = max((level[node.id] - level[edge.node] for node in plan.nodes for edge in node.inputs), default=_ROW)
    arcs = (
        _arc(level[source], level[node.id], longest)
        for node in plan.nodes
        for source in dict.fromkeys(edge.node for edge in node.inputs)
    )
    dots = (mark for node in plan.nodes for mark in _node(node, level[node.id]))
    told = "; ".join(f"{node.id} reads {_sources(node)}" for node in plan.nodes)
    return picture("graph", "Provenance graph", told, (_WIDTH, len(plan.nodes) * _ROW), *arcs, *dots)


def _sources(node: PlanNode) -> str:
    return ", ".join(dict.fromkeys(edge.node for edge in node.inputs)) or "nothing"


def _arc(top: int, bottom: int, longest: int) -> Markup:
    """A curve that bulges the more the further it reaches, ending in an arrow at the node below."""
    out = _SPINE - 12 - (_SPINE - 24) * (bottom - top - _ROW) / max(longest - _ROW, 1) * 4 / 3
    tip = _SPINE - _RADIUS
    curve = f"M{tip} {top}C{place(out)} {top} {place(out)} {bottom} {tip - 4} {bottom}"
    return tag("path", d=f"{curve}M{tip - 8} {bottom - 4}L{tip} {bottom}L{tip - 8} {bottom + 4}", class_="arc")


def _node(node: PlanNode, y: int) -> tuple[Markup, ...]:
    return (
        tag("circle", cx=_SPINE, cy=y, r=_RADIUS, class_="value"),
        label(_SPINE + 12, y + 4, node.id, kind="strong"),
        label(_WIDTH - 4, y + 4, node.backend or "nobody", "end", "name"),
    )
