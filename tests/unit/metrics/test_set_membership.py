"""P405-10, the law of a student against that of its teacher: memorising is caught, learning the same law is not."""

from dataclasses import replace

import numpy as np
import pytest

from synthspec.metrics import Field, Request, Sample
from synthspec.metrics.membership.witness import NAME, witness
from synthspec.metrics.paired import members_against_teacher

N, WIDTH = 600, 6


def law(r, n):
    """Two clusters with a bend."""
    x = r.standard_normal((n, WIDTH)) * 0.7 + r.integers(0, 2, (n, 1)) * 2 - 1
    x[:, 1] += 0.5 * x[:, 0] ** 2
    return x


def scene(seed=0):
    r = np.random.default_rng(seed)
    fields = tuple(Field(name=f"x{i}", low=-20.0, high=40.0) for i in range(WIDTH))
    splits = {name: Sample(content=law(r, size)) for name, size in (("train", N), ("val", 300), ("test", 300))}
    return r, Request(modality="tabular", fields=fields, seed=1, synthetic=Sample(content=law(r, N)), **splits)


def told(student, teacher):
    """The figure, after what is judged of it was found to follow from it."""
    found, counted = members_against_teacher(student, teacher)
    assert counted.name == "student_violations"
    assert counted.value == (None if found.value is None else float(found.lower > 0))
    assert (found.value is None) == bool(counted.reason)
    return found


def made(request, content):
    return replace(request, synthetic=Sample(content=content))


def copies(r, request, share):
    """The teacher's records, but for `share` of them: rows of the training split with a little noise."""
    content = np.array(request.synthetic.content)
    count = round(share * len(content))
    rows = r.integers(0, N, count)
    content[:count] = request.train.content[rows] + 0.01 * r.standard_normal((count, WIDTH))
    return content


def test_the_same_records_tell_nothing_more():
    _, teacher = scene()
    found = told(teacher, teacher)
    assert (found.name, found.value, found.u) == (NAME, 0.0, 0.0)


def test_it_is_the_witness_function_of_the_two_laws():
    """Against the definition, pair by pair; and the other way round it is the negative."""
    r = np.random.default_rng(3)
    members, others, ours, theirs = (r.standard_normal((size, 2)) for size in (7, 5, 4, 4))

    def at(x, y):
        return np.exp(-((x - y) ** 2).sum() / (2 * 0.8**2))

    def excess(x):
        return np.mean([at(x, a) - at(x, b) for a, b in zip(ours, theirs, strict=True)])

    value, u = witness(members, others, ours, theirs, 0.8)
    assert value == pytest.approx(np.mean([excess(x) for x in members]) - np.mean([excess(x) for x in others]))
    back, same = witness(members, others, theirs, ours, 0.8)
    assert (back, same) == (pytest.approx(-value), pytest.approx(u))


def test_honest_students_are_not_flagged_and_their_z_is_no_wider_than_its_law():
    z = []
    for seed in range(12):
        r, teacher = scene(seed)
        found = told(made(teacher, law(r, N)), teacher)
        assert found.lower < 0.0
        z.append(dict(found.details)["z"])
    assert abs(np.mean(z)) < 1.0
    assert np.std(z) < 1.3


@pytest.mark.parametrize("share", [0.15, 0.5, 1.0])
def test_a_student_that_copies_members_is_shown_to_where_its_teacher_did_not(share):
    r, teacher = scene()
    found = told(made(teacher, copies(r, teacher, share)), teacher)
    assert found.lower > 0.0
    assert dict(found.details)["z"] > 3.1


def test_what_the_teacher_knew_of_the_members_drops_out():
    """Both copy alike: the student adds nothing. One that forgets them tells less, and is never flagged."""
    r, honest = scene()
    teacher = made(honest, copies(r, honest, 1.0))
    assert told(made(honest, copies(r, honest, 1.0)), teacher).lower < 0.0
    assert told(honest, teacher).upper < 0.0


def test_what_cannot_be_measured_says_why():
    r, teacher = scene()
    few = replace(teacher, val=Sample(content=law(r, 39)))
    assert "40 of each are needed" in told(few, few).reason
    same = replace(teacher, non_members="train")
    assert "both train" in told(same, same).reason
    shorter = made(teacher, law(r, N - 1))
    assert "no pairs" in told(shorter, teacher).reason
    twins = replace(teacher, val=Sample(content=teacher.train.content[:300]))
    assert "copies of members" in told(twins, twins).reason
