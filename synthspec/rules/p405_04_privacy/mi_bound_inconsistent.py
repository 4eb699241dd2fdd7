"""mi_max promises nothing, or cannot be measured.

Why: eps and delta already bound the advantage of every attacker by (e^eps - 1 + 2 delta) / (e^eps + 1) (Humphries et al. 2023);
    a limit above that can never be broken. And an attack needs records to be judged on: 40 members and 40 others at least.

Refs: P405-4; C40-516

Bad on cancer-dp-vae:
    privacy.eps_budget: 0.5
    contracts.C40-516: {eps_budget: 0.5, delta_budget: 1.0e-5, mi_max: 0.40}

Good:
    privacy.eps_budget: 0.5
    contracts.C40-516: {eps_budget: 0.5, delta_budget: 1.0e-5, mi_max: 0.20}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.accounting import advantage_bound
from synthspec.ir.figures import MEMBERSHIP_LEAST
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.data import ColumnSplit
from synthspec.spec.privacy import DpNoise, DpSgd


@rule(code="P405-4.mi-bound-inconsistent")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block, promised = mechanism(resolved), resolved.spec.contracts
    limit = None if promised is None or promised.c40_516 is None else promised.c40_516.mi_max
    if block is None or limit is None:
        return
    place = at("contracts", "C40-516", "mi_max")
    if block.eps_budget and (most := advantage_bound(block.eps_budget, block.delta or 0.0)) <= limit:
        message = f"mi_max {limit:g} allows more than eps {block.eps_budget:g} does: no advantage is over {most:.3g}"
        because = (Note("the budget", at("privacy", "eps_budget")),)
        yield Finding(place, message, f"write less than {most:.3g}, or raise the budget", because)
    for name, count in _attacked(resolved):
        if count < MEMBERSHIP_LEAST:
            message = f"MI needs {MEMBERSHIP_LEAST} records of each kind, and {name} has about {count:.0f}"
            because = (Note("the number of records", at("privacy", "dataset_size", "value")),)
            yield Finding(place, message, f"give {name} a larger share", because)


def _attacked(resolved: ResolvedSpec) -> Iterator[tuple[str, float]]:
    """Members and non-members with the records that they can be expected to have; `value` counts those of train."""
    block, split, evaluation = resolved.spec.privacy, resolved.spec.data.split, resolved.spec.evaluation
    size = block.dataset_size if isinstance(block, DpSgd | DpNoise) else None
    attack = None if evaluation is None else evaluation.membership_attack
    if size is None or size.value is None or attack is None or split is None or isinstance(split, ColumnSplit):
        return
    for name in dict.fromkeys((attack.members, attack.non_members)):
        if split.train > 0:
            yield name, size.value * getattr(split, name) / split.train
