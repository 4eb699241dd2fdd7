"""delta is so large that the guarantee is empty.

Why: with probability delta the guarantee may fail outright. From 1/n on, publishing one random record in the clear would
    satisfy it; 1e-5 is the largest that the field takes seriously.

Refs: P405-4; C40-516

Bad on cancer-dp-vae:
    privacy.delta: 0.01
    contracts.C40-516.delta_budget: 0.01

Good:
    privacy.delta: 1.0e-6
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpNoise, DpSgd

MAX_DELTA = 1e-5


@rule(code="P405-4.delta-too-large")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None or not block.delta:
        return
    place = at("privacy", "delta")
    size = block.dataset_size if isinstance(block, DpSgd | DpNoise) else None
    n = None if size is None else size.told
    if n and block.delta >= 1 / n:
        because = Note("the number of records", at("privacy", "dataset_size", "value"))
        message = f"delta {block.delta:g} is at least 1/n = {1 / n:.3g}"
        wanted = f"at most {MAX_DELTA:g}" if 1 / n > MAX_DELTA else f"less than {1 / n:.3g}"
        yield Finding(place, message, f"write {wanted}", (because,))
    elif block.delta > MAX_DELTA:
        yield Finding(place, f"delta {block.delta:g} is over {MAX_DELTA:g}", "write a smaller public number")
