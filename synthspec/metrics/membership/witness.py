"""P405-10: whether an accelerated engine tells the members as a set better than its teacher did.

Attacks on single records are blind to students of what a teacher made (Li et al. 2025, arXiv 2502.02970), so this one asks of
the law: a kernel as narrow as a third of the typical distance to a neighbour says where the student puts more of its records
than its teacher (the witness function of their discrepancy, Gretton et al. 2012), and members must not lie there more than
non-members. What both engines know of the members, as any that has learned from them does, drops out.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cdist

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError, absent, details
from synthspec.metrics.neighbours import nearest
from synthspec.metrics.request import Array
from synthspec.metrics.stream import subset

NAME = "set_MI_delta"
VIOLATIONS = "student_violations"
LEAST = 40
"""Members, non-members and pairs of records below which nothing is said."""
_MOST = 2000
_WIDTH = 1 / 3
_Z999 = 3.090232306167813
"""One-sided 99.9 %: what closes a gate must not be met by one honest student in twenty."""
_ROWS = 256


def more_than_teacher(student: Bench, teacher: Bench) -> Figure:
    """Mean over members less mean over non-members of E k(x, student) - E k(x, teacher); 0 where nothing more is told.

    k is exp(-|u - v|^2 / (2 h^2)) in the space of distances. u has the part of the real records and that of the pairs of
    synthetic ones, as of a two-sample U-statistic; both bounds are one-sided at 99.9 %. A figure that cannot be computed
    has no value and says why.
    """
    try:
        return _measured(student, teacher)
    except UnmeasurableError as error:
        return absent(NAME, str(error))


def violations(told: Figure) -> Figure:
    """1 where `told` lies above 0 by more than its uncertainty explains, else 0 (C40-516); without it there is no value."""
    if told.value is None or told.lower is None:
        return absent(VIOLATIONS, f"the law of the student was not compared with its teacher's: {told.reason}")
    return Figure(
        name=VIOLATIONS,
        label=f"{VIOLATIONS}[{NAME} above 0 at one-sided 99.9 %]",
        value=float(told.lower > 0.0),
        method="exact",
        n_real=told.n_real,
        n_syn=told.n_syn,
        details=details(lower=told.lower),
    )


def _measured(student: Bench, teacher: Bench) -> Figure:
    request = student.request
    if request.members == request.non_members:
        raise UnmeasurableError(f"members and non-members are both {request.members}")
    members, others = _some(student, "members"), _some(student, "non_members")
    ours, theirs = student.space("synthetic"), teacher.space("synthetic")
    if len(ours) != len(theirs):
        raise UnmeasurableError(f"{len(ours)} records of the one and {len(theirs)} of the other are no pairs")
    pairs = subset(len(ours), _MOST, student.rng(f"{NAME}/pairs"))
    sizes = (len(members), len(others), len(pairs))
    if min(sizes) < LEAST:
        raise UnmeasurableError(
            f"{sizes[0]} members, {sizes[1]} non-members, {sizes[2]} pairs; {LEAST} of each are needed"
        )
    width = _WIDTH * float(np.median(nearest(others, members)))
    if not width:
        raise UnmeasurableError("most non-members are copies of members, and nothing is near or far")
    value, u = witness(members, others, ours[pairs], theirs[pairs], width)
    return Figure(
        name=NAME,
        label=f"{NAME}[witness of student against teacher, members less non-members, shared x_T]",
        value=value,
        u=u,
        lower=value - _Z999 * u,
        upper=value + _Z999 * u,
        method="paired-witness",
        n_real=len(members) + len(others),
        n_syn=len(pairs),
        details=details(
            members=request.members, non_members=request.non_members, z=value / u if u else 0.0, bandwidth=width,
            level=0.999, seed=request.seed,
        ),
    )  # fmt: skip


def witness(members: Array, others: Array, ours: Array, theirs: Array, width: float) -> tuple[float, float]:
    """The difference and its standard uncertainty, of (n, D), (m, D) and pairs (k, D) of synthetic records."""
    at_members, by_members = _excess(members, ours, theirs, width)
    at_others, by_others = _excess(others, ours, theirs, width)
    parts = ((at_members, len(members)), (at_others, len(others)), (by_members - by_others, len(ours)))
    u = math.sqrt(sum(float(np.var(part, ddof=1)) / size for part, size in parts))
    return float(at_members.mean() - at_others.mean()), u


def _excess(real: Array, ours: Array, theirs: Array, width: float) -> tuple[Array, Array]:
    """k(x, ours_j) - k(x, theirs_j), its mean over pairs for each of `real` and its mean over `real` for each pair."""
    rows, columns = np.empty(len(real)), np.zeros(len(ours))
    for start in range(0, len(real), _ROWS):
        some = real[start : start + _ROWS]
        more = _kernel(some, ours, width) - _kernel(some, theirs, width)
        rows[start : start + _ROWS] = more.mean(axis=1)
        columns += more.sum(axis=0)
    return rows, columns / len(real)


def _kernel(x: Array, y: Array, width: float) -> Array:
    return np.asarray(np.exp(-cdist(x, y, "sqeuclidean") / (2 * width**2)))


def _some(bench: Bench, role: str) -> Array:
    split = bench.request.members if role == "members" else bench.request.non_members
    space = bench.space(split)
    return space[subset(len(space), _MOST, bench.rng(f"{NAME}/{role}"))]
