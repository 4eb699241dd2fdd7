"""The plan: ordered, digested, assigned to backends, and complete (P405-8): a run needs nothing else to be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Annotated, Any, Literal, cast

from pydantic import Field, TypeAdapter

from synthspec.ir.canonical import Json, canonical_bytes, digest, to_json
from synthspec.ir.far import read_with_far
from synthspec.ir.ops import Edge, Fit, Op, OpNode, Statistics
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.privacy import DpNoise, DpSgd, NoMechanism, Pate
from synthspec.spec.sref import SRef

PLAN_FORMAT = "synthspec.plan/1"

TaggedOp = Annotated[Op, Field(discriminator="op")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNode:
    """One op with who computes it and what it is known by.

    `digest` covers the op, its version, its parameters and seeds, the digests of its inputs, and the backend with its
    version. `backend` is empty when no installed backend takes the op; `refusals` then says why, one reason each.
    """

    id: str
    op: TaggedOp
    inputs: tuple[Edge, ...]
    backend: str
    backend_version: str
    digest: str
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be run, in order."""

    format: Literal["synthspec.plan/1"] = "synthspec.plan/1"
    name: str
    version: str
    spec_digest: str
    """Digest of the resolved spec with its SRef: the same for the same meaning in another layout."""
    compiler: str
    spec: EngineSpec
    """The spec that is run, with every default spelled out."""
    sref: SRef
    nodes: tuple[PlanNode, ...]
    overrides: tuple[tuple[str, str], ...] = ()
    waivers: tuple[str, ...] = ()
    base: str = field(default="", compare=False)
    """The folder that relative paths start from, seen from the plan file; where a plan lies is not what it means."""

    @property
    def digest(self) -> str:
        """What the plan is known by."""
        return digest("synthspec.plan.v1", self)

    @property
    def private(self) -> DpSgd | Pate | DpNoise | None:
        """The mechanism that stands between the private records and what is released; None without one."""
        blocks = [node.op.privacy for node in self.nodes if isinstance(node.op, Fit | Statistics)]
        return next((block for block in blocks if not isinstance(block, NoMechanism)), None)

    def node(self, node_id: str) -> PlanNode:
        """The node called `node_id`. Raises KeyError."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)


def spec_digest(spec: EngineSpec, sref: SRef) -> str:
    """The digest of what a spec and its SRef mean: the same in any layout, spelling of a unit, or order of keys."""
    return digest("synthspec.spec.v1", [spec, sref])


def node_digest(node: OpNode, inputs: tuple[str, ...], backend: str, backend_version: str) -> str:
    """The digest of a node whose inputs, in the order of its ports, have the digests `inputs`."""
    ports = [[edge.port, value] for edge, value in zip(node.inputs, inputs, strict=True)]
    return digest("synthspec.node.v1", [node.op, ports, backend, backend_version])


def write_plan(plan: Plan) -> bytes:
    """The canonical bytes of `plan` (RFC 8785)."""
    stored = to_json(plan)
    if plan.base and isinstance(stored, dict):
        stored["base"] = plan.base
    return canonical_bytes(stored)


def stored_digest(stored: Json) -> str:
    """The digest of a plan as it was written: a later version may have more to say in an op, with defaults.

    Raises ValueError for what is no JSON object.
    """
    if not isinstance(stored, dict):
        raise ValueError("a plan is an object")  # noqa: TRY004 - of a file
    return digest("synthspec.plan.v1", {key: value for key, value in stored.items() if key != "base"})


def changed_parts(stored: Json) -> tuple[str, ...]:
    """What of a plan is not what its digests cover: ids of nodes, ``spec``, and keys that no plan has.

    It is asked of the JSON as it was written, so that a plan of an earlier version is not taken for a changed one: that of
    what `read_plan` reads.
    """
    plan = cast("dict[str, Any]", stored)
    known: dict[str, str] = {}
    changed = sorted(plan.keys() - {part.name for part in fields(Plan)})
    if plan["spec_digest"] != digest("synthspec.spec.v1", [plan["spec"], plan["sref"]]):
        changed.append("spec")
    for node in plan["nodes"]:
        ports = [[edge["port"], known.get(edge["node"], "")] for edge in node["inputs"]]
        covered = [node["op"], ports, node["backend"], node["backend_version"]]
        known[node["id"]] = node["digest"]
        if node["digest"] != digest("synthspec.node.v1", covered):
            changed.append(node["id"])
    return tuple(changed)


def read_plan(data: bytes) -> Plan:
    """Read what `write_plan` wrote. Raises pydantic.ValidationError for anything else."""
    return read_with_far(_reader().validate_json, data)


@cache
def _reader() -> TypeAdapter[Plan]:
    """Built once in a process: it takes longer than the reading."""
    return TypeAdapter(Plan)
