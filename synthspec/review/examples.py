"""The examples of a policy: changes of a spec beside it, with the rules that deny them and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import cast

from synthspec.diag import Diagnostic
from synthspec.ir.document import Document
from synthspec.parse import Composed, Value, compose, read_source, validate_model
from synthspec.resolve import find_root
from synthspec.review.documents import Loaded, Shelf
from synthspec.review.judging import Judged, judge_review
from synthspec.review.policies import Governing, load_policies
from synthspec.review.reviewing import review_pair
from synthspec.review.trees import FolderTree, beside
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.policy import Policy, PolicyExample
from synthspec.text import Path as Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """How the examples of one policy came out."""

    path: str
    rules: int
    examples: int
    findings: tuple[Diagnostic, ...]


def run_examples(path: Path, today: date) -> Examples | None:
    """Load the policy at `path` and run its examples; None for another kind of document.

    Raises CelMissingError, and OSError for what cannot be read.
    """
    file = path.resolve()
    root = find_root(file)
    shelf = Shelf(FolderTree(root))
    loaded = shelf.load(file.relative_to(root.resolve()).as_posix())
    if loaded is None or loaded.kind not in ("Policy", ""):
        return None
    if loaded.document is None:
        return Examples(path=str(path), rules=0, examples=0, findings=loaded.faults)
    policy = cast("Policy", loaded.model)
    loading = load_policies([loaded], everywhere=True)
    findings = list(loading.faults)
    for number, example in enumerate(policy.examples):
        wrong = _run(shelf, loaded, loading.governing[0], example, today)
        if wrong:
            findings.append(_fault(loaded, ("examples", number, "name"), f"{example.name}: {wrong}"))
    return Examples(
        path=str(path),
        rules=len(policy.rules) + len(policy.allow),
        examples=len(policy.examples),
        findings=tuple(findings),
    )


def _run(shelf: Shelf, policy: Loaded, governing: Governing, example: PolicyExample, today: date) -> str:
    """What came out otherwise than the example says; empty when nothing did."""
    where = beside(policy.path, example.spec)
    base = None if where is None else shelf.load(where)
    if base is None or base.kind != "EngineSpec":
        return f"there is no EngineSpec at {example.spec!r}"
    sides = (None if isinstance(example.old, str) else _edited(base, example.old), _edited(base, example.new))
    for side in sides:
        if isinstance(side, str):
            return side
    old, new = cast("tuple[Loaded | None, Loaded]", sides)
    judged = Judged(reviewed=review_pair(old, new, today), old=old, new=new)
    review = judge_review([judged], [governing])
    denies = tuple(
        finding.message.split(" ")[1].rstrip(":") for finding in review.findings if finding.code == "policy.denied"
    )
    by_fingerprint = {change.fingerprint: change.pointer for change in review.changes}
    allows = tuple(by_fingerprint[fingerprint] for fingerprint, _ in review.allowed)
    if set(denies) != set(example.denies):
        return f"denied by {_listed(denies)}, and not by {_listed(example.denies)}"
    if set(allows) != set(example.allows):
        return f"allowed {_listed(allows)}, and not {_listed(example.allows)}"
    return ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _edited(base: Loaded, changes: Mapping[str, object]) -> Loaded | str:
    """`base` with values put at dotted paths, or what is wrong with that."""
    read = read_source(base.data, base.shown).then(compose)
    composed = cast("Composed", read.value)
    value: Value = composed.value
    for path, new in changes.items():
        value = _put(value, path.split("."), cast("Value", new))
    built = validate_model(replace(composed, value=cast("dict[str, Value]", value)), EngineSpec)
    if built.value is None:
        return f"the edited spec is none: {built.diagnostics[0].message}"
    return replace(base, document=Document(built.value, composed.places), faults=())


def _put(node: Value, path: list[str], new: Value) -> Value:
    key, rest = path[0], path[1:]
    if isinstance(node, tuple):
        number = int(key)
        return (*node[:number], _put(node[number], rest, new) if rest else new, *node[number + 1 :])
    found = dict(node) if isinstance(node, dict) else {}
    if rest:
        found[key] = _put(found.get(key, {}), rest, new)
    elif new is None:
        found.pop(key, None)
    else:
        found[key] = new
    return found


def _fault(policy: Loaded, where: Where, message: str) -> Diagnostic:
    places = cast("Document[Policy]", policy.document).places
    return Diagnostic(
        code="policy.example",
        message=message,
        help="mend the rule, or the example",
        span=places.value(where),
        path=where,
    )
