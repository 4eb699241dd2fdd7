"""Codes of a review: what a change to a spec does, and what policies say of it."""

from __future__ import annotations

from synthspec.diag import Severity
from synthspec.rules.documented.form import Documented, documented

_BY = "review"
_REFS = "language 7, review; docs/review.md"


def _kind(name: str, title: str, why: str, bad: str, good: str) -> Documented:
    return documented(f"review.{name}", _BY, title, why=why, bad=bad, good=good, refs=_REFS)


_LOOK = "No direction is known of such a change: a person has to judge it."

CODES: tuple[Documented, ...] = (
    _kind(
        "loosened",
        "A guard lets more through than it did.",
        "Who relies on a threshold, a budget or a cap relies on its number. A larger one is a smaller promise, and is made by"
        " somebody who answers for it.",
        "eps_budget: 2.9 -> 7.6",
        "eps_budget: 2.9 -> 2.5",
    ),
    _kind(
        "both",
        "A guard lets more through here and less there.",
        "What is let through anew was not promised before, whatever is refused instead.",
        "range: [0, 16] -> [1, 17]",
        "range: [0, 16] -> [1, 16]",
    ),
    _kind("unknown", "A change that a person has to judge.", _LOOK, "quadrature: simpson", "quadrature: gauss_kronrod"),
    _kind(
        "tightened",
        "A guard lets less through than it did.",
        "It is told for completeness, and stands against nothing.",
        "tol_FID: 60 -> 80",
        "tol_FID: 60 -> 40",
    ),
    _kind(
        "neutral",
        "A change that guards nothing.",
        "It is told for completeness, and stands against nothing.",
        "epochs: 60",
        "epochs: 80",
    ),
    _kind(
        "dp-off",
        "Differential privacy is turned off.",
        "Nothing bounds any more what the records tell of one person.",
        "mechanism: dp-sgd -> none",
        "mechanism: dp-sgd",
    ),
    _kind("mechanism-changed", "Another privacy mechanism.", _LOOK, "mechanism: dp-sgd -> pate", "mechanism: dp-sgd"),
    _kind(
        "contract-removed",
        "A contract is gone.",
        "What it promised, nobody promises any more.",
        "(no C40-516)",
        "C40-516: {...}",
    ),
    _kind(
        "contract-downgraded",
        "A contract stops less than it did.",
        "A contract that warns closes no gate: records are published that break it.",
        "severity: block -> warn",
        "severity: block",
    ),
    _kind(
        "metric-removed",
        "A metric is measured no more.",
        "What is not measured cannot be shown to be broken.",
        "metrics: [FID]",
        "metrics: [FID, MI]",
    ),
    _kind(
        "split-changed",
        "Records fall into other splits.",
        "Fewer test records prove less, and whoever may draw the test split again may draw until it suits.",
        "seed: 11 -> 12",
        "seed: 11",
    ),
    _kind(
        "waiver-added",
        "A waiver is new.",
        "An exception is made, and needs who grants it.",
        "waivers: [{id: ...}]",
        "waivers: []",
    ),
    _kind(
        "waiver-extended",
        "A waiver lasts longer.",
        "An exception that is extended again and again is the rule.",
        'expires: "2027-01-31" -> "2028-01-31"',
        'expires: "2027-01-31"',
    ),
    _kind(
        "ignore-added",
        "A comment excuses a finding.",
        "It quiets what was said before, for everybody who looks.",
        "# synthspec: ignore[...] ...",
        "(no comment)",
    ),
    _kind(
        "condition-widened",
        "More conditions can be asked for.",
        "What was never trained or checked under a condition is now made under it.",
        "{0: 0.5, 1: 0.4, 2: 0.1}",
        "{0: 0.5, 1: 0.5}",
    ),
    _kind(
        "seed-changed",
        "Another public seed.",
        "Who may draw again may draw until the figures suit.",
        "seed: 7 -> 8",
        "seed: 7",
    ),
    _kind(
        "solver-changed", "Records are computed otherwise.", _LOOK, "solver: dpmsolver++ -> ddim", "solver: dpmsolver++"
    ),
    _kind(
        "constraint-dropped",
        "A constraint of the SRef is gone.",
        "Records that break it are made and published.",
        "constraints: []",
        "constraints: [{id: passive, ...}]",
    ),
    _kind(
        "monitor-removed",
        "Nothing watches a signal any more.",
        "What it would have stopped goes on unnoticed.",
        "monitors: []",
        "monitors: [...]",
    ),
    _kind(
        "monitor-loosened",
        "A monitor acts later, or does less.",
        "What it would have stopped goes on for longer.",
        "window: 3 -> 30",
        "window: 3",
    ),
    _kind(
        "source-changed",
        "Other data are read.",
        "Every figure is about other records than before.",
        "source: b.csv",
        "source: a.csv",
    ),
    _kind("schema-changed", "The SRef describes other fields.", _LOOK, "unit: mm -> m", "unit: mm"),
    _kind(
        "policy-changed",
        "A policy is edited.",
        "Who may edit the rules may do anything. The change is judged by the policy that the base has.",
        "rules: []",
        "rules: [...]",
    ),
    _kind(
        "document-added",
        "A document is new.",
        "There is nothing to compare it with; the policies judge it.",
        "(a new spec)",
        "(reviewed)",
    ),
    _kind(
        "document-removed",
        "A document is gone.",
        "Nothing that it promised is promised any more.",
        "(no spec)",
        "(the spec)",
    ),
    _kind(
        "unreadable",
        "One side cannot be read.",
        "What is broken cannot be reviewed, and is not waved through.",
        "kind: [",
        "kind: EngineSpec",
    ),
    documented(
        "review.version",
        _BY,
        "The version does not say how much has changed.",
        why="Major: who relied on the old promise may no longer. Minor: it holds, and more. Patch: it is the same promise.",
        bad="version: 1.0.0 -> 1.0.1",
        good="version: 1.0.0 -> 2.0.0",
        refs=_REFS,
        severity=Severity.WARNING,
    ),
    documented(
        "policy.denied",
        _BY,
        "A rule of a policy is not true of a change.",
        why="Anything but true denies: false, an error, a value that is missing. The policy is the one that the base has.",
        bad="new.privacy.eps_budget <= 4.0, of a spec with eps_budget: 9",
        good="new.privacy.eps_budget <= 4.0, of a spec with eps_budget: 3",
        refs=_REFS,
    ),
    documented(
        "policy.invalid",
        _BY,
        "An expression of a policy cannot be asked.",
        why="It is no CEL, neither true nor false, or reads a value that the language does not have: it would deny all.",
        bad="new.privacy.eps_bugdet <= 4.0",
        good="new.privacy.eps_budget <= 4.0",
        refs=_REFS,
    ),
    documented(
        "policy.example",
        "policy test",
        "An example of a policy comes out otherwise.",
        why="The examples say what the policy is meant to do; either they or the rules are wrong.",
        bad="denies: []",
        good="denies: [budget]",
        refs=_REFS,
    ),
)
