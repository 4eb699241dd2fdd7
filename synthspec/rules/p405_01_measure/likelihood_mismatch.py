"""The likelihood p(x|z) does not fit the data.

Why: log p(x|z) is in nats only if p is a law on the values that x can take. A Bernoulli law of grey values, or a
    discretised law of a number without a resolution, is a loss that looks like a likelihood: its ELBO bounds nothing.

Refs: P405-1; S405-1

Bad on digits-vae:
    engine.architecture.likelihood: bernoulli

Good:
    engine.architecture.likelihood: discretized_logistic
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import NUMBERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import at_field, levels
from synthspec.spec.engine import OtherArchitecture, VaeEngine
from synthspec.spec.sref import SRefField

MAX_CATEGORIES = 65536
"""More categories than this are no categories any more."""


@rule(code="P405-1.likelihood-mismatch")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    engine = resolved.spec.engine
    if not isinstance(engine, VaeEngine) or isinstance(engine.architecture, OtherArchitecture):
        return
    likelihood = engine.architecture.likelihood
    for field in resolved.sref.with_role("content"):
        wanted = _unmet(likelihood, field)
        if wanted:
            yield Finding(
                at("engine", "architecture", "likelihood"),
                f"{likelihood} is a law of {wanted}, and the field {field.name!r} is not",
                "choose a likelihood of the values that the SRef declares; `mixed` takes each field by its kind",
                (Note(f"{field.name!r} is declared here", at_field(resolved, field)),),
            )


def _unmet(likelihood: str, field: SRefField) -> str:
    """What the likelihood asks of a field, when the field is something else; empty when it fits."""
    count, number = levels(field), field.dtype in NUMBERS
    from_zero = field.range is not None and field.range[0] == 0
    fits, wanted = {
        "mixed": (field.dtype != "string", "numbers, categories and instants"),
        "gaussian": (number, "real numbers"),
        "categorical": (count is not None and count <= MAX_CATEGORIES, f"at most {MAX_CATEGORIES} categories"),
        "bernoulli": (count == 2 and (not number or from_zero), "two values, 0 and 1"),
        "binomial": (number and count is not None and from_zero, "counts from 0 to a known maximum"),
        "discretized_logistic": (number and count is not None, "numbers with a range and a resolution"),
    }[likelihood]
    return "" if fits else wanted
