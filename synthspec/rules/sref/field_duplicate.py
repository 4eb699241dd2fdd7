"""Two fields have one name.

Why: the SRef is the one source of truth for fields (P403-1). With two entries of one name it is not said which holds.

Refs: P403-1

Bad:
    fields:
      - {name: rid, role: key, dtype: int64}
      - {name: pixels, role: content, dtype: float32, shape: [1, 8, 8], unit: dimensionless, range: [0, 16]}
      - {name: pixels, role: content, dtype: float32, shape: [1, 8, 8], unit: dimensionless, range: [0, 16]}
      - {name: digit, role: condition, dtype: categorical, enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}

Good:
    fields:
      - {name: rid, role: key, dtype: int64}
      - {name: pixels, role: content, dtype: float32, shape: [1, 8, 8], unit: dimensionless, range: [0, 16]}
      - {name: digit, role: condition, dtype: categorical, enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, Note, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.field-duplicate")
def check(sref: SRef) -> Iterator[Finding]:
    yield from _twice([field.name for field in sref.fields], ("fields",))
    if sref.path is not None:
        yield from _twice([field.name for field in sref.path.fields], ("path", "fields"))


def _twice(called: list[str], where: tuple[str, ...]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, name in enumerate(called):
        earlier = first.setdefault(name, number)
        if earlier != number:
            yield Finding(
                at_sref(*where, number, "name"),
                f"there is a field {name!r} already",
                "rename one of the two, or delete it",
                (Note("the earlier one", at_sref(*where, earlier, "name")),),
            )
