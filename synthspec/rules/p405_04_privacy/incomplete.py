"""The privacy block leaves something open.

Why: eps follows from how records are drawn, how much noise is added and how often. What the block leaves out would be a
    default, and a default of a privacy parameter is a promise that nobody made.

Refs: P405-4; S405-8; C40-516

Bad on cancer-dp-vae without privacy.steps:

Good:
    privacy.steps: 400
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.statistics import drawn_records
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpNoise, DpSgd, Pate


@rule(code="P405-4.incomplete")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None:
        return
    for path, advice in _open(block):
        yield Finding(at("privacy", *path), f"{'.'.join(path)} is not stated", advice)


def _open(block: DpSgd | Pate | DpNoise) -> Iterator[tuple[tuple[str, ...], str]]:
    match block:
        case DpSgd():
            yield from _open_dp_sgd(block)
        case Pate():
            missing = {"teachers": block.teachers, "aggregation": block.aggregation, "queries": block.queries}
            yield from (((name,), "PATE cannot be accounted for without it") for name in missing if not missing[name])
            if block.noise is None:
                yield ("noise",), "write the noise on the votes: {multiplier: ...}"
        case DpNoise():
            if not block.statistics:
                yield ("statistics",), "name the statistics that noise is added to"
            if drawn_records(block) is None:
                yield ("records",), "write how many records are drawn of what is released, or a public dataset_size"
    if block.accountant is None:
        yield ("accountant",), "write which accountant computes eps_total, such as pld"


def _open_dp_sgd(block: DpSgd) -> Iterator[tuple[tuple[str, ...], str]]:
    if block.dataset_size is None and block.adjacency != "add_remove":
        yield ("dataset_size",), "say whether the number of records is public: {public: true, value: ...}"
    if block.sampling is None:
        yield ("sampling",), "write how records are drawn: {scheme: poisson, rate: ..., on_empty: noise_only}"
    elif block.sampling.rate is None:
        yield ("sampling", "rate"), "write the probability with which a record enters a step"
    if block.steps is None:
        yield ("steps",), "write how often noise is released: each step spends budget"
    if block.noise is None:
        yield ("noise",), "write {multiplier: ..., rng: secret_csprng}; auto solves it from the budget"
    if block.normalizer is None:
        yield ("normalizer",), "write the public constant that the noisy sum is divided by"
