"""Ordering and assigning the nodes of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import networkx as nx

from synthspec.diag import Diagnostic, Outcome, failure
from synthspec.ir.ops import Op, OpGraph
from synthspec.ir.plan import Plan, PlanNode, node_digest

CORE = "core"
"""Who computes what is not a generator's business: binding, splitting, enforcing, time, measuring, judging, emitting."""
CORE_OPS = frozenset({
    "bind", "split", "impute", "statistics", "enforce", "mark", "refer", "align", "arrive", "export", "measure", "compare",
    "isolate", "shadow", "judge", "emit",
})  # fmt: skip


class OpOffer(Protocol):
    """What planning asks of a backend: its name and version, and whether it takes an op (a `Backend` is one)."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def supports(self, op: Op) -> tuple[str, ...]: ...


def plan(
    graph: OpGraph, offers: Mapping[str, OpOffer], *, core_version: str, wanted: str | None, header: Plan
) -> Outcome[Plan]:
    """Order `graph`, assign each op to an offer and digest every node.

    `wanted` is the backend that the spec names (None: the first that takes the op). `header` carries the names and digests
    that every plan has, without nodes. A node that nobody takes stays in the plan with the reasons; running says them.
    A cycle or a missing input is an error that names the nodes (a bug of `lower`, or a hand-made graph).
    """
    faults = _faults(graph)
    if faults:
        return failure(faults)
    by_id = {node.id: node for node in graph.nodes}
    digests: dict[str, str] = {}
    nodes: list[PlanNode] = []
    for node_id in _ordered(graph):
        node = by_id[node_id]
        backend, version, refusals = _assign(node.op, offers, core_version, wanted)
        digests[node_id] = node_digest(node, tuple(digests[edge.node] for edge in node.inputs), backend, version)
        nodes.append(
            PlanNode(
                id=node_id,
                op=node.op,
                inputs=node.inputs,
                backend=backend,
                backend_version=version,
                digest=digests[node_id],
                refusals=refusals,
            )
        )
    return Outcome(replace(header, nodes=tuple(nodes)))


def _digraph(graph: OpGraph) -> nx.DiGraph[str]:
    edges: nx.DiGraph[str] = nx.DiGraph()
    edges.add_nodes_from(node.id for node in graph.nodes)
    edges.add_edges_from((edge.node, node.id) for node in graph.nodes for edge in node.inputs)
    return edges


def _faults(graph: OpGraph) -> tuple[Diagnostic, ...]:
    ids = [node.id for node in graph.nodes]
    known = set(ids)
    faults = [_fault(f"two nodes are called {name!r}") for name in sorted(known) if ids.count(name) > 1]
    faults += [
        _fault(f"node {node.id!r} reads {edge.node!r}, which does not exist")
        for node in graph.nodes
        for edge in node.inputs
        if edge.node not in known
    ]
    edges = _digraph(graph)
    if not faults and not nx.is_directed_acyclic_graph(edges):
        cycle = [start for start, _ in nx.find_cycle(edges)]
        faults.append(_fault(f"a cycle: {' -> '.join([*cycle, cycle[0]])}"))
    return tuple(faults)


def _fault(message: str) -> Diagnostic:
    return Diagnostic(code="internal.graph", message=message, help="please report this with the spec that caused it")


def _ordered(graph: OpGraph) -> list[str]:
    """Topological order, ties broken by the order of `graph`, so that a plan reads as a run goes."""
    rank = {node.id: number for number, node in enumerate(graph.nodes)}
    return list(nx.lexicographical_topological_sort(_digraph(graph), key=rank.__getitem__))


def _assign(
    op: Op, offers: Mapping[str, OpOffer], core_version: str, wanted: str | None
) -> tuple[str, str, tuple[str, ...]]:
    if op.op in CORE_OPS:
        return CORE, core_version, ()
    if wanted is not None and wanted not in offers:
        return "", "", (f"{wanted}: not installed (installed: {', '.join(sorted(offers)) or 'none'})",)
    refused: dict[str, tuple[str, ...]] = {}
    # `embed` is about features, not about the engine: the backend that the spec names for the engine need not offer it.
    candidates = [wanted] if wanted is not None and op.op != "embed" else _general(offers)
    for name in candidates:
        reasons = offers[name].supports(op)
        if not reasons:
            return name, offers[name].version, ()
        refused[name] = reasons
    told = _told(refused)
    return "", "", tuple(f"{name}: {reason}" for name in told for reason in refused[name]) or (_none(offers),)


def _told(refused: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Whose reasons help: backends that decline the whole family are passed over where another has that family."""
    near = [name for name, reasons in refused.items() if not any(reason.startswith(OTHER_FAMILY) for reason in reasons)]
    return near or list(refused)


def _none(offers: Mapping[str, OpOffer]) -> str:
    asked = sorted(ON_REQUEST.intersection(offers))
    return "none is installed" + (f" but {' and '.join(asked)}, which a spec has to name" if asked else "")


OTHER_FAMILY = "family "
"""How the reason of a backend begins that declines the family of an engine, whatever else is asked of it."""
ON_REQUEST = frozenset({"null", "reference"})
"""Backends that learn too little to stand in for an engine: used only where a spec names them."""


def _general(offers: Mapping[str, OpOffer]) -> list[str]:
    return [name for name in sorted(offers) if name not in ON_REQUEST]
