"""From pydantic's errors to the user's faults: one for each offence, none that only follows from another.

Pydantic reports every branch of a union that failed, a missing key beside its misspelling, and a list as too short when
its items were refused. What is left here is what somebody would have to mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pydantic import ValidationError

from synthspec.diag import nearest
from synthspec.parse.blueprint import Blueprint, Spot, Variant, value_at
from synthspec.parse.document import MAX_FINDINGS, Composed
from synthspec.text import Path

UNION = "union"
"""The kind of a fault that stands for all branches of a union together."""

TAG = "tag"
"""The kind of a fault in the key that chooses a branch of a tagged union."""

_MAX_ERRORS = 600  # a hostile file can make fifty thousand; what is shown ends at MAX_FINDINGS anyway
_DECISIVE = (("apiVersion",), ("kind",))
_CHOICES = frozenset({"literal_error", "enum"})
_UNTAGGED = frozenset({"union_tag_invalid", "union_tag_not_found"})
_LENGTHS = frozenset({"too_short", "too_long"})
_TYPES = frozenset({"none_required", "is_instance_of", "is_subclass_of", "int_from_float", "schema.wrong-type"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of pydantic at its place in the document."""

    kind: str
    spot: Spot
    message: str = ""
    context: Mapping[str, Any] | None = None
    instead_of: str | None = None
    """The known name that a misspelt key stands for, where that is settled."""

    @property
    def path(self) -> Path:
        return self.spot.path

    @property
    def is_own(self) -> bool:
        """Raised by a validator of the models under a code of the rules (`unit.bare-number`)."""
        return "." in self.kind

    @property
    def is_type(self) -> bool:
        """The value is of another kind than the model expects, whatever it says."""
        return self.kind in _TYPES or self.kind.endswith("_type")


def faults_of(error: ValidationError, composed: Composed, blueprint: Blueprint) -> list[Fault]:
    """The faults behind `error`, in the order of the document's keys as pydantic met them."""
    faults = []
    for detail in islice(error.errors(include_url=False, include_input=False), _MAX_ERRORS):
        spot = blueprint.locate(detail["loc"], composed.value)
        faults.append(Fault(detail["type"], spot, detail["msg"], detail.get("ctx")))
    faults = [_at_tag(fault, blueprint, composed) for fault in _settle(faults, 0, composed, blueprint)]
    for decisive in _DECISIVE:
        # Written for another version, or as another kind of document: everything else follows from that.
        found = [fault for fault in faults if fault.path == decisive and fault.kind in _CHOICES]
        if found:
            return found
    faults = [fault for fault in _pair_misspelt(faults, blueprint) if not _follows(fault, composed)]
    return [fault for fault in faults if fault.kind not in _LENGTHS or not _any_below(faults, fault.path)]


def _settle(faults: Iterable[Fault], level: int, composed: Composed, blueprint: Blueprint) -> list[Fault]:
    """Reduce the branches of each union, outermost first, to the one that was meant."""
    settled: list[Fault] = []
    forked: dict[tuple[int, Path], list[Fault]] = {}
    for fault in faults:
        if len(fault.spot.forks) <= level:
            settled.append(fault)
        else:
            fork = fault.spot.forks[level]
            forked.setdefault((fork.depth, fork.at), []).append(fault)
    for (_, at), group in forked.items():
        branch = _meant(group, level, at, composed, blueprint)
        settled.extend(_settle(branch, level + 1, composed, blueprint) if branch else [_merged(group[0], level)])
    return settled


def _meant(group: list[Fault], level: int, at: Path, composed: Composed, blueprint: Blueprint) -> list[Fault]:
    """The faults of the branch whose kind of value was written; nothing where no branch fits at all."""
    union = group[0].spot.forks[level].union
    written = value_at(composed.value, at)
    words = [word for word in blueprint.literals(union) if isinstance(word, str)]
    if isinstance(written, str) and difflib.get_close_matches(written, words, n=1):
        return []
    branches: dict[str, list[Fault]] = {}
    for fault in group:
        branches.setdefault(fault.spot.forks[level].label, []).append(fault)
    fitting = [
        (len(faults), label) for label, faults in branches.items() if any(_is_inside(fault, at) for fault in faults)
    ]
    return branches[min(fitting)[1]] if fitting else []


def _is_inside(fault: Fault, at: Path) -> bool:
    """Whether the kind of value at `at` was right, and something about it or in it is not."""
    return fault.path != at or not (fault.is_type or fault.kind in _CHOICES)


def _merged(fault: Fault, level: int) -> Fault:
    """One fault for a union no branch of which fits: at the union, which then says what it takes."""
    fork = fault.spot.forks[level]
    field = fault.spot.field if fault.path == fork.at else None
    return Fault(
        UNION, replace(fault.spot, path=fork.at, schema=fork.union, field=field, forks=fault.spot.forks[:level])
    )


def _at_tag(fault: Fault, blueprint: Blueprint, composed: Composed) -> Fault:
    """Move a fault of a tagged union to the key that chooses."""
    if fault.kind not in _UNTAGGED:
        variant = fault.spot.variant
        chooses = variant is not None and variant.key is not None and fault.path == (*variant.at, variant.key)
        return replace(fault, kind=TAG) if chooses and fault.kind != "missing" and not fault.is_own else fault
    variant = blueprint.variant(fault.spot.schema, fault.path)
    if variant.key is None:
        return fault
    spot = replace(fault.spot, path=(*fault.path, variant.key), variant=variant)
    if fault.kind == "union_tag_invalid":
        return replace(fault, kind=TAG, spot=spot)
    return _misspelt_tag(fault, variant, composed) or replace(fault, kind="missing", spot=spot)


def _misspelt_tag(fault: Fault, variant: Variant, composed: Composed) -> Fault | None:
    written = value_at(composed.value, variant.at)
    key = variant.key or ""
    near = difflib.get_close_matches(key, written if isinstance(written, dict) else (), n=1)
    if not near:
        return None
    return Fault("extra_forbidden", replace(fault.spot, path=(*variant.at, near[0])), instead_of=key)


def _pair_misspelt(faults: list[Fault], blueprint: Blueprint) -> list[Fault]:
    """Tie an unknown key to the missing one that it is a misspelling of, and drop the latter."""
    missing = {fault.path for fault in faults if fault.kind == "missing"}
    found: dict[Path, str] = {}
    unknown = [fault for fault in faults if fault.kind == "extra_forbidden" and fault.instead_of is None]
    for fault in unknown[:MAX_FINDINGS] if missing else ():
        near = nearest(str(fault.path[-1]), blueprint.fields(fault.spot.owner))
        if near is not None and (*fault.path[:-1], near) in missing:
            found[fault.path] = near
    spoken_for = {(*path[:-1], name) for path, name in found.items()}
    return [
        replace(fault, instead_of=found.get(fault.path, fault.instead_of))
        for fault in faults
        if fault.kind != "missing" or fault.path not in spoken_for
    ]


def _follows(fault: Fault, composed: Composed) -> bool:
    """Whether a fault only repeats what the reader refused already."""
    path = fault.path
    if any(path[:length] in composed.doubtful for length in range(len(path) + 1)):
        return True
    if fault.kind == "missing" and path[:-1] in composed.incomplete:
        return True
    judged_whole = fault.is_own or fault.kind in {"value_error", "assertion_error"}
    return judged_whole and any(doubt[: len(path)] == path for doubt in composed.doubtful | composed.incomplete)


def _any_below(faults: Iterable[Fault], path: Path) -> bool:
    return any(len(fault.path) > len(path) and fault.path[: len(path)] == path for fault in faults)
