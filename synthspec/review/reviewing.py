"""Two sides of a change, document by document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import cast

from synthspec.ir.change import Blast, Bump, Change, Direction, Reviewed, Risk
from synthspec.review.bump import bump
from synthspec.review.documents import Loaded
from synthspec.review.effects import blast, effects, planned
from synthspec.review.excuses import excuse_changes
from synthspec.review.walk import Context, Walk, guards
from synthspec.spec.base import Metadata
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.policy import Policy
from synthspec.spec.sref import SRef
from synthspec.text import Path, Places, Span

Sides = tuple[Loaded | None, Loaded | None]
NEVER_NEGATIVE = frozenset({
    "step", "epoch", "lr", "beta", "grad_norm", "grad_norm_released", "eps_spent", "kl", "posterior_collapse_rate",
    "gp_norm", "critic_accuracy", "mode_drop_val", "votes_real", "NFE", "latency_p99",
})  # fmt: skip
"""Signals whose values cannot be below zero, whatever the engine."""
_SQUARED = frozenset({"loss", "loss_val"})


def review_pair(old: Loaded | None, new: Loaded | None, today: date) -> Reviewed:
    """One document against its earlier self; either may be missing, or one that cannot be read."""
    either = cast("Loaded", new or old)
    left, right = None if old is None else old.model, None if new is None else new.model
    places = (_places(old), _places(new))
    comments = excuse_changes(*places, either.kind, either.shown)
    if left is None or right is None or type(left) is not type(right):
        changes = (*_whole(old, new, either), *comments)
        known = guards(right) if right is not None else guards(left) if left is not None else frozenset[Path]()
    else:
        walk = Walk(_context(cast("Loaded", old), cast("Loaded", new)))
        changes = (*map(_as_policy, walk.changes(left, right)), *comments)
        known = guards(left) | guards(right)
    return Reviewed(
        kind=either.kind,
        old_file="" if old is None else old.shown,
        new_file="" if new is None else new.shown,
        changes=changes,
        guards=len(known),
        effects=effects(left, right) if isinstance(left, EngineSpec) and isinstance(right, EngineSpec) else (),
        blast=_blast(old, new, today) if either.kind == "EngineSpec" else None,
        bump=_bump(left, right, changes),
    )


def differing(old: Loaded | None, new: Loaded | None) -> bool:
    """Whether the bytes that the meaning follows from differ."""
    return old is None or new is None or old.identity != new.identity


def _places(document: Loaded | None) -> Places | None:
    return None if document is None or document.document is None else document.document.places


def _context(old: Loaded, new: Loaded) -> Context:
    left, right = cast("EngineSpec", old.model), cast("EngineSpec", new.model)
    spec = new.kind == "EngineSpec"
    return Context(
        document=new.kind,
        file=new.shown,
        old_places=_places(old),
        new_places=_places(new),
        multipliers=(lambda: (planned(left).multiplier, planned(right).multiplier)) if spec else (lambda: (None, None)),
        non_negative=lambda name: _never_negative(name, old) and _never_negative(name, new),
        schemas=old.sref is not None and new.sref is not None,
    )


def _never_negative(name: str, document: Loaded) -> bool:
    model = document.model
    if isinstance(model, EngineSpec):
        return name in NEVER_NEGATIVE or (name in _SQUARED and model.engine.family == "diffusion")
    found = model.field(name) if isinstance(model, SRef) else None
    return found is not None and found.range is not None and found.range[0] >= 0


def _whole(old: Loaded | None, new: Loaded | None, either: Loaded) -> Iterator[Change]:
    """A document that came, went, became another kind, or cannot be read on one side."""
    code, found, says = _arrival(old, new)
    yield Change(
        code=code,
        direction=found,
        risk=Risk.HIGH if either.kind == "Policy" or code == "review.unreadable" else Risk.MEDIUM,
        says=says,
        document=either.kind,
        file=either.shown,
        path=(),
        name=(),
        old=_content(old),
        new=_content(new),
        span=_start(new),
        old_span=_start(old),
    )
    left, right = None if old is None else old.model, None if new is None else new.model
    for model, added in ((left, False), (right, True)):
        if isinstance(model, EngineSpec) and (left is None or right is None):
            walk = Walk(
                Context(document=either.kind, file=either.shown, old_places=_places(old), new_places=_places(new))
            )
            empty = model.model_copy(update={"waivers": ()})
            sides = (empty, model) if added else (model, empty)
            yield from walk.changes(*sides)


def _content(document: Loaded | None) -> str | None:
    """What a whole document stands for as a value: who approves one that is new approves what it says, and nothing else."""
    if document is None:
        return None
    import hashlib

    return f"{document.path} ({hashlib.sha256(b''.join(document.identity)).hexdigest()[:16]})"


def _arrival(old: Loaded | None, new: Loaded | None) -> tuple[str, Direction, str]:
    for side, loaded in (("old", old), ("new", new)):
        if loaded is not None and loaded.document is None:
            first = f": {loaded.faults[0].message}" if loaded.faults else ""
            return "review.unreadable", Direction.UNKNOWN, f"the {side} document cannot be read{first}"
    present = cast("Loaded", new or old)
    if old is not None and new is not None:
        return "review.unreadable", Direction.UNKNOWN, f"a document of kind {old.kind} became one of kind {new.kind}"
    if isinstance(present.model, Policy):
        return (
            "review.policy-changed",
            _policy_presence(present.model, added=old is None),
            _came("policy", added=old is None),
        )
    if old is None:
        return (
            "review.document-added",
            Direction.UNKNOWN,
            f"{_came(present.kind, added=True)}: there is nothing to compare it with",
        )
    return (
        "review.document-removed",
        Direction.UNKNOWN,
        f"{_came(present.kind, added=False)}: nothing that it promised holds any more",
    )


def _came(what: str, *, added: bool) -> str:
    return f"the {what} is {'new' if added else 'gone'}"


def _policy_presence(policy: Policy, *, added: bool) -> Direction:
    if policy.rules and policy.allow:
        return Direction.BOTH
    tightens = bool(policy.rules)
    if not policy.rules and not policy.allow:
        return Direction.NEUTRAL
    return Direction.TIGHTENED if tightens == added else Direction.LOOSENED


def _as_policy(change: Change) -> Change:
    """Whoever may edit the rules may do anything: each edit of a policy is told as one."""
    from dataclasses import replace

    if change.document != "Policy" or change.direction is Direction.NEUTRAL:
        return change
    return replace(change, code="review.policy-changed", risk=Risk.HIGH)


def _start(document: Loaded | None) -> Span | None:
    places = _places(document)
    return None if places is None else places.source.span(0, 0)


def _blast(old: Loaded | None, new: Loaded | None, today: date) -> Blast:
    return blast(None if old is None else old.resolved(), None if new is None else new.resolved(), today)


def _bump(old: object, new: object, changes: tuple[Change, ...]) -> Bump | None:
    before, after = getattr(old, "metadata", None), getattr(new, "metadata", None)
    if not isinstance(before, Metadata) or not isinstance(after, Metadata):
        return None
    return bump(before.version, after.version, [change for change in changes if change.name != ("metadata", "version")])
