"""What became of a plan: one entry a node, in the order of the run."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.backend.protocol import Artifact
from synthspec.store import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRun:
    """One node that is done: `artifact` shows its files, as long as the store is open; `record` names their digests."""

    node: str
    op: str
    backend: str
    key: str
    """The execution key: op, input contents, backend, version, environment, outside files."""
    record: Record
    artifact: Artifact
    reused: bool
    seconds: float
    """Wall time, of the verification alone when it was reused."""
    outside: tuple[tuple[str, str], ...] = ()
    """What it read beside its inputs: (name as the plan has it, SHA-256)."""

    @property
    def line(self) -> str:
        """``fit: reused`` or ``fit: 132.1 s``."""
        return f"{self.node}: reused" if self.reused else f"{self.node}: {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Every node of a plan that makes an artifact."""

    nodes: tuple[NodeRun, ...]

    def node(self, node_id: str) -> NodeRun:
        """The node called `node_id`. Raises KeyError."""
        for run in self.nodes:
            if run.node == node_id:
                return run
        raise KeyError(node_id)
