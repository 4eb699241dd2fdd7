"""Weights would start from private records.

Why: an ActNorm that starts at the moments of its first batch has read that batch without clipping and without noise, and its
    weights are part of what is released.

Refs: P405-4; S405-3

Bad on cancer-dp-vae without contracts.C40-513:
    engine:
      family: flow
      architecture: {name: spline_coupling, transforms: 4, hidden: [64], actnorm: {init: data}}
    objective: {measure: nll}
    evaluation.metrics: [bpd, inv_error, W1, MMD, covg, mode_drop, MI]
    contracts.C40-512: {tol_bpd: 8.0, tol_inv: 1.0e-4}

Good without contracts.C40-513:
    engine:
      family: flow
      architecture: {name: spline_coupling, transforms: 4, hidden: [64], actnorm: {init: identity}}
    objective: {measure: nll}
    evaluation.metrics: [bpd, inv_error, W1, MMD, covg, mode_drop, MI]
    contracts.C40-512: {tol_bpd: 8.0, tol_inv: 1.0e-4}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import sees_records
from synthspec.spec.engine import AffineCoupling, SplineCoupling


@rule(code="P405-4.data-dependent-init")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    network = resolved.spec.engine.architecture
    if sees_records(resolved) is None or not isinstance(network, SplineCoupling | AffineCoupling):
        return
    if network.actnorm is not None and network.actnorm.init == "data":
        yield Finding(
            at("engine", "architecture", "actnorm", "init"),
            "the first batch of private records sets the weights, without clip or noise",
            "write init: identity",
            (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
        )
