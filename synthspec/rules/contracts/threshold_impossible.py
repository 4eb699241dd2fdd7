"""A threshold that nothing can meet.

Why: a promise that is broken before the run begins is a slip. Coverage of a perfect generator tends to 1 - 2^-k, which is
    0.96875 for k = 5; a classifier that can only guess has an AUC of one half; a budget of evaluations cannot be
    over its own cap, nor a privacy budget over its own promise; no jitter, difference or latency is below zero.

Refs: C40-511; C40-514; C40-515; C40-516; C40-517

Bad:
    contracts.C40-515: {covg_min: 0.99, tol_mode_drop: 0.0}

Good:
    contracts.C40-515: {covg_min: 0.90, tol_mode_drop: 0.0}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.figures import COVERAGE_NEIGHBOURS, coverage_ceiling
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpNoise, DpSgd
from synthspec.spec.sampling import Distill
from synthspec.text import Path


@rule(code="C40.threshold-impossible")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    promised = resolved.spec.contracts
    if promised is None:
        return
    coverage, latency = promised.c40_515, promised.c40_514
    if coverage is not None and coverage.covg_min is not None and coverage.covg_min > coverage_ceiling():
        message = f"covg_min {coverage.covg_min:g} is over the ceiling 1 - 2^-{COVERAGE_NEIGHBOURS}"
        advice = f"write at most {coverage_ceiling():g}; a perfect generator reaches no more"
        yield Finding(at("contracts", "C40-515", "covg_min"), message, advice)
    budget, place = _released(resolved)
    if latency is not None and latency.NFE_max is not None and budget is not None and budget > latency.NFE_max:
        message = f"NFE_max is {latency.NFE_max:g}, but sampling spends {budget}"
        because = Note("the budget of sampling", at(*place))
        advice = f"raise it, or lower {'.'.join(map(str, place))}"
        yield Finding(at("contracts", "C40-514", "NFE_max"), message, advice, (because,))
    yield from _chance(resolved)
    yield from _below_zero(resolved)
    yield from _privacy(resolved)


def _released(resolved: ResolvedSpec) -> tuple[int | None, Path]:
    """What a released record costs, and where that is written: by the last student, where the engine is distilled."""
    for number, how in reversed(tuple(enumerate(resolved.spec.acceleration))):
        if isinstance(how, Distill):
            return how.NFE, ("acceleration", number, "NFE")
    return resolved.spec.sampling.NFE, ("sampling", "NFE")


def _chance(resolved: ResolvedSpec) -> Iterator[Finding]:
    """What a perfect generator still shows of a comparison of two equal things: one half, and more at the bound."""
    stated = None if resolved.spec.contracts is None else resolved.spec.contracts.c40_511
    for symbol in ("tol_detection_AUC", "tol_memorisation"):
        limit = None if stated is None else getattr(stated, symbol)
        if limit is not None and limit <= 0.5:
            message = f"{symbol} is {limit:g}, but a perfect generator is at 0.5 with its upper bound above"
            yield Finding(
                at("contracts", "C40-511", symbol), message, "write more than 0.5, as the number of records allows"
            )


def _below_zero(resolved: ResolvedSpec) -> Iterator[Finding]:
    """Limits with a unit on what is a size: the schema holds plain numbers to their sign, and these are quantities."""
    promised = resolved.spec.contracts
    if promised is None:
        return
    for contract, stated, symbols in (
        ("C40-511", promised.c40_511, ("tol_PSD",)),
        ("C40-514", promised.c40_514, ("SLO_latency",)),
        ("C40-517", promised.c40_517, ("J_max", "tol_Tarr")),
    ):
        for symbol in symbols if stated is not None else ():
            limit = getattr(stated, symbol)
            if limit is not None and limit.value < 0:
                message = f"{symbol} is {limit}, and what it limits is never below zero"
                yield Finding(at("contracts", contract, symbol), message, "write a positive quantity")


def _privacy(resolved: ResolvedSpec) -> Iterator[Finding]:
    promised, block = resolved.spec.contracts, mechanism(resolved)
    stated = None if promised is None else promised.c40_516
    if stated is None or block is None:
        return
    planned = {"delta": block.delta}
    solved = isinstance(block, DpSgd) and block.noise is not None and block.noise.multiplier == "auto"
    if solved or isinstance(block, DpNoise):
        planned["eps"] = block.eps_budget  # noise that is solved from the budget spends all of it
    for symbol, spent in planned.items():
        limit = stated.eps_budget if symbol == "eps" else stated.delta_budget
        if limit is not None and spent is not None and spent > limit:
            key = "eps_budget" if symbol == "eps" else "delta"
            yield Finding(
                at("contracts", "C40-516", f"{symbol}_budget"),
                f"{symbol}_budget is {limit:g}, but the privacy block spends {spent:g}",
                "let the promise be no tighter than what is spent",
                (Note("what is spent", at("privacy", key)),),
            )
