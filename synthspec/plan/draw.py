"""The graph of a plan as text for Mermaid and Graphviz."""

from __future__ import annotations

from synthspec.ir.plan import Plan, PlanNode


def to_mermaid(plan: Plan) -> str:
    """A Mermaid flowchart: one box a node with its op and backend, arrows labelled by port."""
    names = {node.id: f"n{number}" for number, node in enumerate(plan.nodes)}
    lines = ["flowchart TD"]
    lines += [f'  {names[node.id]}["{_label(node, "<br/>")}"]' for node in plan.nodes]
    lines += [f"  {names[edge.node]} -->|{edge.port}| {names[node.id]}" for node in plan.nodes for edge in node.inputs]
    return "\n".join(lines) + "\n"


def to_dot(plan: Plan) -> str:
    """A Graphviz digraph of the same."""
    lines = ["digraph plan {", "  rankdir=TB;", "  node [shape=box];"]
    lines += [f'  "{node.id}" [label="{_label(node, chr(92) + "n")}"];' for node in plan.nodes]
    lines += [f'  "{edge.node}" -> "{node.id}" [label="{edge.port}"];' for node in plan.nodes for edge in node.inputs]
    return "\n".join([*lines, "}"]) + "\n"


def _label(node: PlanNode, newline: str) -> str:
    return newline.join((node.id, node.backend or "nobody", node.digest[:12]))
