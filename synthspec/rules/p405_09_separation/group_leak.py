"""Records of one entity land on both sides of the split.

Why: with several records a person, device or site, a test record whose siblings were trained on is not unseen. The split is
    made by the entity.

Refs: P405-9; P403-2

Bad:
    fields:
      - {name: rid, role: key, dtype: int64}
      - {name: writer, role: key, dtype: int64}
      - {name: pixels, role: content, dtype: float32, shape: [1, 8, 8], unit: dimensionless, range: [0, 16], resolution: 1}
      - {name: digit, role: condition, dtype: categorical, enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
    keys: {pk: [rid], entity: writer}

Good:
    fields:
      - {name: rid, role: key, dtype: int64}
      - {name: writer, role: key, dtype: int64}
      - {name: pixels, role: content, dtype: float32, shape: [1, 8, 8], unit: dimensionless, range: [0, 16], resolution: 1}
      - {name: digit, role: condition, dtype: categorical, enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
    keys: {pk: [rid], entity: writer}
    data.split: {method: hash, key: writer, train: 0.70, val: 0.15, test: 0.15, seed: 11}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.spec.data import HashSplit, RandomSplit


@rule(code="P405-9.group-leak", after=("P405-9.random-split-on-time", "P405-9.split-missing"))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    split, keys = resolved.spec.data.split, resolved.sref.keys
    if keys is None or keys.entity is None or not isinstance(split, RandomSplit | HashSplit):
        return
    if isinstance(split, RandomSplit) or split.key != keys.entity:
        yield Finding(
            at("data", "split", "method" if isinstance(split, RandomSplit) else "key"),
            f"records of one {keys.entity} are scattered over train and test",
            f"write {{method: hash, key: {keys.entity}, ...}}",
            (Note("the entity", at_sref("keys", "entity")),),
        )
