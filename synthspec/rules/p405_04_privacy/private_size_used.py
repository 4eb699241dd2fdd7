"""Something depends on a number of records that is private.

Why: under add_remove the number of records is itself protected. An epoch, a batch size or a stated size would be computed
    from it or publish it, and a split by place sends others elsewhere when one comes. A split by rank does so under every
    adjacency: one record with another time moves those at the edge. A public number, in turn, must not depend on what
    records hold: none is left out for it.

Refs: P405-4

Bad on cancer-dp-vae:
    privacy.adjacency: add_remove
    privacy.dataset_size: {public: false, value: 398}

Good:
    privacy.adjacency: add_remove
    privacy.dataset_size: {public: false}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.data import RandomSplit, TimeSplit
from synthspec.spec.privacy import DatasetSize, DpNoise, DpSgd, Pate


@rule(code="P405-4.private-size-used")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block, training = mechanism(resolved), resolved.spec.training
    if block is not None:
        yield from _reshuffled(resolved, block.adjacency)
    if (
        isinstance(block, Pate)
        and block.adjacency == "add_remove"
        and training is not None
        and training.epochs is not None
    ):
        message = "how many updates training.epochs are depends on the private number of records"
        yield Finding(at("training", "epochs"), message, "write training.steps")
    if not isinstance(block, DpSgd | DpNoise):
        return
    size = block.dataset_size
    yield from _left_out(resolved, size)
    if block.adjacency != "add_remove" and (size is None or size.public):
        return
    if size is not None and (size.public or size.value is not None):
        yield Finding(
            at("privacy", "dataset_size", "public" if size.public else "value"),
            "the number of records is protected, and the spec publishes it",
            "write dataset_size: {public: false}, or the adjacency zero_out if it is public",
            (Note("the adjacency", at("privacy", "adjacency")),),
        )
    for key in ("epochs", "batch_size") if isinstance(block, DpSgd) else ():
        if training is not None and getattr(training, key) is not None:
            message = f"training.{key} depends on the private number of records"
            yield Finding(at("training", key), message, "leave it out: steps and rate are in the privacy block")


def _reshuffled(resolved: ResolvedSpec, adjacency: str | None) -> Iterator[Finding]:
    """Splits by place or by rank: one record sends others from one split to another, and the bound is for one."""
    split = resolved.spec.data.split
    if isinstance(split, TimeSplit) or (isinstance(split, RandomSplit) and adjacency == "add_remove"):
        because = (Note("the adjacency", at("privacy", "adjacency")),)
        message = f"under {adjacency} a {split.method} split moves records that are not the one that differs"
        yield Finding(at("data", "split", "method"), message, "split by hash of a key, or by a column", because)


def _left_out(resolved: ResolvedSpec, size: DatasetSize | None) -> Iterator[Finding]:
    """Policies that leave records out for what they hold, where the number of records is public."""
    policy = resolved.sref.policy
    if policy is None or size is None or not size.public:
        return
    for kind, named in (("nulls", policy.nulls), ("enums", policy.enums), ("orphans", policy.orphans)):
        for name, what in named.items():
            if what == "drop":
                message = f"how many records are kept depends on {name!r} of each, and dataset_size is public"
                because = (Note("the policy", at_sref("policy", kind, name)),)
                advice = "write dataset_size: {public: false} with adjacency add_remove, or refuse such records"
                yield Finding(at("privacy", "dataset_size"), message, advice, because)
