"""Two engines on the same noise (P405-10): what the one is worse by, with an uncertainty that knows of the pairing.

Record i of both was made from the same x_T under the same condition, and both are held against the same real records. What the
draw of either does to a figure it does to both, and drops out of their difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy import stats

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.covg import K, inside
from synthspec.metrics.fid import REPLICATES, mean_frechet
from synthspec.metrics.figures import Z95, UnmeasurableError, absent, details
from synthspec.metrics.kernels import cubic, mmd2
from synthspec.metrics.membership.witness import more_than_teacher, violations
from synthspec.metrics.request import Array, Request
from synthspec.metrics.stream import blocks

BLOCKS = 8
_PER_BLOCK = 8
_PER_DIM = 10
Pair = tuple[Bench, Bench]
"""The accelerated engine, and its teacher."""


def against_teacher(names: Iterable[str], student: Request, teacher: Request) -> tuple[Figure, ...]:
    """``FID_ratio``, ``FID_delta``, ``KID_delta`` and ``covg_delta``: each where its metric is among `names`.

    A figure that cannot be computed has no value and says why.
    """
    pair, asked = (Bench(student), Bench(teacher)), set(names)
    made: list[Figure] = []
    for name, measured, metric in (
        ("FID_delta", frechet_delta, "FID"),
        ("FID_ratio", frechet_ratio, "FID"),
        ("KID_delta", kernel_delta, "KID"),
        ("covg_delta", coverage_delta, "covg"),
    ):
        if metric in asked:
            try:
                made.append(measured(pair))
            except UnmeasurableError as error:
                made.append(absent(name, str(error)))
    return tuple(made)


def members_against_teacher(student: Request, teacher: Request) -> tuple[Figure, Figure]:
    """``set_MI_delta``: by how much the records of the student tell the members, as a set, better than those of the teacher.

    And ``student_violations``: whether that is shown.
    """
    told = more_than_teacher(Bench(student), Bench(teacher))
    return told, violations(told)


def frechet_delta(pair: Pair) -> Figure:
    """FID of the student less that of the teacher; u by redrawing real records and pairs of records together."""
    values, draws = _frechets(pair)
    u = float(np.std(draws[:, 0] - draws[:, 1], ddof=1))
    return _delta(pair, "FID_delta", "FD", values, u, Z95, "paired-bootstrap")


def frechet_ratio(pair: Pair) -> Figure:
    """FID of the student over that of the teacher; u by the same draws, on the logarithm."""
    values, draws = _frechets(pair)
    if min(values) <= 0 or draws.min() <= 0:
        raise UnmeasurableError("a distance of 0 has no ratio")
    ratio = values[0] / values[1]
    u_log = float(np.std(np.log(draws[:, 0] / draws[:, 1]), ddof=1))
    return replace(
        _delta(pair, "FID_ratio", "FD/FD", values, ratio * u_log, Z95, "paired-bootstrap"),
        value=ratio,
        lower=ratio * math.exp(-Z95 * u_log),
        upper=ratio * math.exp(Z95 * u_log),
    )


def kernel_delta(pair: Pair) -> Figure:
    """KID of the student less that of the teacher; u from eight disjoint blocks that both share."""
    real, student, teacher = _embedded(pair)
    if min(len(real), len(student)) < BLOCKS * _PER_BLOCK:
        raise UnmeasurableError(
            f"{len(real)} real and {len(student)} pairs of records; {BLOCKS * _PER_BLOCK} are needed"
        )
    values = mmd2(cubic, real, student), mmd2(cubic, real, teacher)
    rng = pair[0].rng("KID_delta/blocks")
    parts = zip(blocks(len(real), BLOCKS, rng), blocks(len(student), BLOCKS, rng), strict=True)
    found = [mmd2(cubic, real[a], student[b]) - mmd2(cubic, real[a], teacher[b]) for a, b in parts]
    u = float(np.std(found, ddof=1)) / math.sqrt(BLOCKS)
    t = float(stats.t.ppf(0.95, BLOCKS - 1))
    return _delta(pair, "KID_delta", "KID", values, u, t, "paired-blocks")


def coverage_delta(pair: Pair) -> Figure:
    """Coverage of the student less that of the teacher, real record by real record: which of them one of both misses."""
    real = pair[0].space(pair[0].reference)
    hits = [inside(real, bench.space("synthetic")) for bench in pair]
    gained = hits[0] - hits[1]
    u = float(gained.std(ddof=1)) / math.sqrt(len(gained))
    values = float(hits[0].mean()), float(hits[1].mean())
    return _delta(pair, "covg_delta", f"covg k={K}", values, u, Z95, "paired-records")


def _frechets(pair: Pair) -> tuple[tuple[float, float], Array]:
    """FID of both engines, and [REPLICATES, 2] of both on the same redrawn real records and pairs."""
    return pair[0].once("paired/frechet", lambda: _drawn_frechets(pair))


def _drawn_frechets(pair: Pair) -> tuple[tuple[float, float], Array]:
    student, teacher = pair
    scale = student.extractor.fd_scale
    real, ours, theirs = (
        student.features(student.reference) * scale,
        student.features("synthetic") * scale,
        teacher.features("synthetic") * scale,
    )
    dim = real.shape[2]
    if min(len(real), len(ours)) < _PER_DIM * dim:
        raise UnmeasurableError(
            f"{len(real)} real and {len(ours)} pairs of records; {_PER_DIM * dim} of each are needed"
        )
    _same_length(ours, theirs)
    rng = student.rng("paired/bootstrap")
    draws = np.empty((REPLICATES, 2))
    for row in draws:
        x, i = real[rng.integers(len(real), size=len(real))], rng.integers(len(ours), size=len(ours))
        row[:] = mean_frechet(x, ours[i]), mean_frechet(x, theirs[i])
    return (mean_frechet(real, ours), mean_frechet(real, theirs)), draws


def _embedded(pair: Pair) -> tuple[Array, Array, Array]:
    student, teacher = pair
    ours, theirs = student.embedded("synthetic"), teacher.embedded("synthetic")
    _same_length(ours, theirs)
    return student.embedded(student.reference), ours, theirs


def _same_length(ours: Array, theirs: Array) -> None:
    if len(ours) != len(theirs):
        raise UnmeasurableError(f"{len(ours)} records of the one and {len(theirs)} of the other are no pairs")


def _delta(pair: Pair, name: str, label: str, values: tuple[float, float], u: float, k: float, method: str) -> Figure:
    """What the first of `values` is over the second, with bounds `k` times `u` away."""
    student, value = pair[0], values[0] - values[1]
    return Figure(
        name=name,
        label=f"{name}[{label}, {student.extractor.name}, shared x_T]",
        value=value,
        u=u,
        lower=value - k * u,
        upper=value + k * u,
        method=method,
        n_real=len(student.sample(student.reference)),
        n_syn=len(student.sample("synthetic")),
        split=student.reference,
        details=details(accelerated=values[0], teacher=values[1], seed=student.request.seed),
    )
