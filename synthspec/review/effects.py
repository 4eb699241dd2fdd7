"""What follows from several values together: the noise in force, the eps that the plan spends, what would run again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from synthspec.accounting import available, eps_total, quick_bound
from synthspec.check import check
from synthspec.ir.canonical import canonical_bytes
from synthspec.ir.change import Blast, Direction, Effect
from synthspec.ir.ops import OpGraph, OpNode
from synthspec.ir.privacy import accountant_of, is_auto, planned_event, solved_multiplier, stated_multiplier
from synthspec.ir.resolved import ResolvedSpec
from synthspec.lower import lower
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.privacy import DpSgd, Pate


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a mechanism would spend before anything is read. Infinite where nothing is spent by a mechanism at all."""

    multiplier: float | None
    eps: float | None


def planned(spec: EngineSpec) -> Planned:
    """The noise in force and the planned eps of `spec`, as far as they can be computed here."""
    block = spec.privacy
    if not isinstance(block, DpSgd | Pate):
        return Planned(multiplier=None, eps=None)
    accountant, adjacency, delta = accountant_of(block), block.adjacency, block.delta
    if accountant is None or adjacency is None or not delta:
        return Planned(multiplier=stated_multiplier(block), eps=None)
    multiplier = _in_force(block)
    if multiplier is None:
        return Planned(multiplier=None, eps=None)
    event = planned_event(block, multiplier)
    spent = eps_total(event, delta, accountant, adjacency) if available() else quick_bound(event, delta, adjacency)
    return Planned(multiplier=multiplier, eps=spent.eps if math.isfinite(spent.eps) else None)


def _in_force(block: DpSgd | Pate) -> float | None:
    if not is_auto(block):
        return stated_multiplier(block)
    return solved_multiplier(block) if available() else None


def effects(old: EngineSpec, new: EngineSpec) -> tuple[Effect, ...]:
    """The figures that differ. A mechanism that came or went is a change of its own, and has one side here."""
    if old.privacy == new.privacy:
        return ()
    before, after = planned(old), planned(new)
    found = (
        _effect("planned eps", before.eps, after.eps, more_loosens=True),
        _effect("noise multiplier", before.multiplier, after.multiplier, more_loosens=False),
    )
    return tuple(effect for effect in found if effect is not None)


def _effect(name: str, old: float | None, new: float | None, *, more_loosens: bool) -> Effect | None:
    if old == new:
        return None
    if old is None or new is None:
        return Effect(name=name, unit="1", old=old, new=new, direction=Direction.UNKNOWN)
    loosens = (new > old) == more_loosens
    direction = Direction.LOOSENED if loosens else Direction.TIGHTENED
    return Effect(name=name, unit="1", old=old, new=new, direction=direction)


def blast(old: ResolvedSpec | None, new: ResolvedSpec | None, today: date) -> Blast:
    """Which nodes of the new plan the results of the old one do not serve.

    A node runs again when its op differs or one that it reads runs again. It is the most that can: results are known by
    content, so that one that comes out equal spares what reads it.
    """
    if new is None or old is None:
        return Blast(unknown="one side has no plan: it, or its SRef, is missing or has errors")
    graphs = _graph(old, today), _graph(new, today)
    before, after = graphs
    if after is None or before is None:
        which = "the old" if before is None else "the new"
        return Blast(unknown=f"{which} spec does not compile: `synthspec compile` says why")
    known = {node.id: node for node in before.nodes}
    rerun: list[str] = []
    for node in after.nodes:  # each stands behind what it reads
        if not _same(known.get(node.id), node) or any(edge.node in rerun for edge in node.inputs):
            rerun.append(node.id)
    return Blast(rerun=tuple(rerun), kept=tuple(node.id for node in after.nodes if node.id not in rerun))


def _same(old: OpNode | None, new: OpNode) -> bool:
    """Whether two nodes are one: equal, or only spelled in other units."""
    if old is None or old.inputs != new.inputs:
        return False
    return old.op == new.op or canonical_bytes(old.op) == canonical_bytes(new.op)


def _graph(resolved: ResolvedSpec, today: date) -> OpGraph | None:
    checked = check(resolved, today)
    return None if checked.value is None else lower(checked.value).value
