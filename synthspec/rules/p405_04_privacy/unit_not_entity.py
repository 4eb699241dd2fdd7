"""Records of one entity are protected one by one.

Why: where an entity has several records, or a series is cut into windows, a guarantee for a record is not one for the
    entity: its eps grows with the number of records. Protect the entity and bound what it may contribute.

Refs: P405-4

Bad on cancer-dp-vae:
    keys: {pk: [rid], entity: rid}
    data.split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15}

Good:
    keys: {pk: [rid], entity: rid}
    privacy.unit: rid
    privacy.max_contributions: 1
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpSgd


@rule(code="P405-4.unit-not-entity", after=("P405-4.unit-missing",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None or block.unit is None:
        return
    entity = None if resolved.sref.keys is None else resolved.sref.keys.entity
    serial = resolved.sref.modality in {"timeseries", "graph"}
    if block.unit == "record" and (entity is not None or serial):
        where = at_sref("keys", "entity") if entity else at_sref("modality")
        yield Finding(
            at("privacy", "unit"),
            "the unit is a record, but one entity can have several records",
            f"write unit: {entity or '<the key of the entity>'} and max_contributions",
            (Note("declared here", where),),
        )
    elif block.unit != "record" and isinstance(block, DpSgd) and block.max_contributions is None:
        yield Finding(
            at("privacy", "max_contributions"),
            f"nothing bounds how many records of one {block.unit} are used",
            "write max_contributions",
        )
