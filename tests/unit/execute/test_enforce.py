"""What may be kept of a sample, and who takes the place of what may not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.backend.artifacts import DATA, ENFORCE_REPORT, SPLIT, EnforceReport, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute.core.content import allowed
from synthspec.execute.core.enforce import enforce
from synthspec.execute.core.expressions import check_dimensions, derive, holds
from synthspec.execute.core.near_copies import near_copies
from synthspec.execute.core.seats import fill_seats
from synthspec.ir.ops import Enforce
from synthspec.ir.schema import Field, Rule, Schema
from synthspec.spec.sampling import NearCopies


def field(name, dtype="float64", role="content", **more):
    return Field(name=name, role=role, dtype=dtype, **more)


POWER = Schema(
    modality="tabular",
    fields=(
        field("rid", "int64", "key"),
        field("power_in", "float32", unit="mW", dimension="[L]^2 [M] [T]^-3", range=(0.01, 20)),
        field("power_out", "float32", unit="uW", dimension="[L]^2 [M] [T]^-3", range=(0.01, 30000)),
        field("loss", "float32", "derived", unit="dB", dimension="[1]", expr="10 dB * log10(power_in / power_out)"),
        field("site", "categorical", "condition", enum=("a", "b")),
    ),
    pk=("rid",),
    rules=(
        Rule(id="passive", expr="power_out <= power_in", severity="block"),
        Rule(id="budget", expr="loss <= 6 dB", severity="warn"),
    ),
)


def power(*rows):
    """(power_in in mW, power_out in uW, site) of each record."""
    given_, out, site = zip(*rows, strict=True)
    return Dataset(
        {
            "power_in": np.array(given_, np.float32),
            "power_out": np.array(out, np.float32),
            "site": np.array(site, np.int64),
        }
    )


REAL = power((10, 5000, 0), (10, 20000, 1), (3, 3000, 0))


@pytest.fixture
def run(tmp_path):
    def enforced(op, samples, data=REAL, train=None):
        for name in ("data", "split", "samples", "out"):
            (tmp_path / name).mkdir(exist_ok=True)
        write_dataset(tmp_path / "data", Dataset(derive(op.schema, data.columns)))
        empty = np.zeros(0, np.int64)
        write_rows(
            tmp_path / "split", Rows(train=np.arange(len(data)) if train is None else train, val=empty, test=empty)
        )
        write_dataset(tmp_path / "samples", samples)
        inputs = {
            "data": Artifact(tmp_path / "data", (DATA,)),
            "split": Artifact(tmp_path / "split", (SPLIT,)),
            "samples": Artifact(tmp_path / "samples", (DATA,)),
        }
        enforce(op, inputs, Context(out=tmp_path / "out", root=tmp_path, workers=1, progress=None))
        return read_dataset(tmp_path / "out" / DATA), read_report(tmp_path / "out" / ENFORCE_REPORT, EnforceReport)

    return enforced


def test_rules_turn_down_reserves_step_in_and_everything_is_counted(run):
    samples = power((10, 5001, 0), (1, 2000, 1), (30, 1, 0), (4, 100, 0), (5, 4000, 1), (6, 1000, 1))
    kept, report = run(Enforce(schema=POWER, n=3, near_copies=None), samples)
    assert kept["power_in"].tolist() == [10, 5, 4]
    assert kept["rid"].tolist() == [0, 1, 2]
    assert kept["loss"] == pytest.approx(10 * np.log10([10 / 5.001, 5 / 4, 40]), rel=1e-5)
    assert (report.candidates, report.accepted, report.kept, report.near_copies) == (6, 4, 3, 0)
    counts = {count.id: (count.severity, count.checked, count.violations, count.worst) for count in report.rules}
    assert counts["passive"] == ("block", 6, 1, (1,))
    assert counts["field.power_in"] == ("block", 6, 1, (2,))
    assert counts["budget"] == ("warn", 6, 3, (2, 3, 5))
    assert dict(report.facts) == {"acc_rate": 4 / 6, "attempts": 2.0, "replaced": 2}
    assert {rule.id: rule.violations for rule in report.reference} == {"passive": 1, "budget": 0}
    assert {rule.id: rule.violations for rule in report.published if rule.severity == "block"} == {"passive": 0}
    assert all(check.ok for check in report.dim_checks)


def test_too_few_say_how_many_and_why(run):
    with pytest.raises(
        DataError, match=r"1 of 3 candidates were accepted, but sampling.n asks for 2 \(passive turned down 2\)"
    ) as caught:
        run(Enforce(schema=POWER, n=2, near_copies=None), power((1, 2000, 0), (1, 3000, 0), (5, 100, 1)))
    assert caught.value.code == "P405-2.too-few-accepted"
    assert "max_attempts" in caught.value.help


def test_the_same_sample_gives_the_same_bytes(run, tmp_path):
    op = Enforce(schema=POWER, n=2, near_copies=NearCopies(tau_nn=0.01, action="resample"))
    seen = set()
    for _ in range(2):
        run(op, power((9, 5000, 0), (8, 100, 1), (7, 7, 1)))
        seen.add(tuple((tmp_path / "out" / name).read_bytes() for name in (DATA, ENFORCE_REPORT)))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("action", "kept", "copies"),
    [("resample", [9, 5, 6], 1), ("remove", [9, 6], 1), ("report", [9, 10, 6], 1)],
)
def test_near_copies_are_replaced_left_out_or_only_counted(run, action, kept, copies):
    samples = power((9, 5000, 0), (10, 5000, 0), (6, 600, 1), (5, 500, 0))
    result, report = run(Enforce(schema=POWER, n=3, near_copies=NearCopies(tau_nn=1e-4, action=action)), samples)
    assert result["power_in"].tolist() == kept
    assert (report.near_copies, report.kept) == (copies, len(kept))
    assert report.accepted == (4 if action == "report" else 3)


def test_only_training_records_count_as_originals(run):
    op = Enforce(schema=POWER, n=1, near_copies=NearCopies(tau_nn=1e-4, action="resample"))
    samples = power((10, 5000, 0))
    assert run(op, samples, train=np.array([1, 2]))[1].near_copies == 0
    with pytest.raises(DataError, match="near copies of training records"):
        run(op, samples, train=np.array([0, 2]))


# -- distance ---------------------------------------------------------------------------------------------------------

IMAGE = Schema(modality="image", fields=(field("p", "float32", shape=(1, 4, 4), range=(0, 16)),))


@given(st.integers(0, 2**32), st.floats(0.0, 0.5))
@settings(max_examples=30, deadline=None)
def test_the_distance_is_the_rms_over_scaled_numbers(seed, tau):
    rng = np.random.default_rng(seed)
    synthetic, real = (rng.integers(0, 17, (size, 1, 4, 4)).astype(np.float32) for size in (12, 30))
    synthetic[0] = real[3]
    each = np.square((synthetic[:, None] - real[None]).astype(np.float64) / 16).reshape(12, 30, -1).mean(-1)
    expected = (each <= tau**2).any(1)
    sure = (np.abs(each - tau**2) > 1e-12).all(1) | (np.arange(12) == 0)
    found = near_copies(IMAGE, {"p": synthetic}, {"p": real}, tau)
    assert np.array_equal(found[sure], expected[sure])
    assert found[0]


def test_an_exact_copy_is_found_at_zero_and_its_neighbour_is_not():
    real = np.random.default_rng(0).random((500, 1, 4, 4)).astype(np.float32)
    sample = real[7:9].copy()
    sample[1, 0, 0, 0] = np.nextafter(sample[1, 0, 0, 0], np.float32(2))
    assert near_copies(IMAGE, {"p": sample}, {"p": real}, 0.0).tolist() == [True, False]


def test_rounding_of_the_matrix_product_hides_no_copy():
    schema = replace(IMAGE, fields=(field("p", "float32", shape=(1, 20, 20), range=(0, 1)),))
    real = (1000 + np.random.default_rng(2).random((60, 1, 20, 20))).astype(np.float32)
    assert near_copies(schema, {"p": real}, {"p": real}, 0.0).all()


def test_the_answer_does_not_depend_on_the_chunks(monkeypatch):
    from synthspec.execute.core import near_copies as module

    rng = np.random.default_rng(1)
    synthetic, real = rng.random((40, 1, 4, 4)) * 16, rng.random((60, 1, 4, 4)) * 16
    whole = near_copies(IMAGE, {"p": synthetic}, {"p": real}, 0.25)
    monkeypatch.setattr(module, "CHUNK_NUMBERS", 130)
    assert 0 < whole.sum() < 40
    assert np.array_equal(near_copies(IMAGE, {"p": synthetic}, {"p": real}, 0.25), whole)


def test_categories_and_gaps_have_distances_too():
    schema = Schema(
        modality="tabular",
        fields=(field("x", range=(0, 10), nullable=True), field("c", "categorical", enum=("a", "b", "c"))),
    )
    real = {"x": np.array([5.0, np.nan]), "c": np.array([0, 1])}
    samples = {"x": np.array([5.0, 5.0, np.nan, 0.0, 5.0]), "c": np.array([0, 2, 1, 1, 1])}
    for tau, expected in ((0.0, [1, 0, 1, 0, 0]), (0.70, [1, 0, 1, 0, 0]), (0.7072, [1, 1, 1, 1, 1])):
        assert near_copies(schema, samples, real, tau).tolist() == [bool(e) for e in expected]


def test_without_a_range_the_training_records_give_the_scale():
    schema = Schema(modality="tabular", fields=(field("x"),))
    assert near_copies(schema, {"x": np.array([1.0, 11.0])}, {"x": np.array([0.0, 100.0])}, 0.02).tolist() == [
        True,
        False,
    ]


# -- seats ------------------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 2)), min_size=12, max_size=40),
)
@settings(max_examples=200, deadline=None)
def test_seats(n, candidates):
    accepted = np.array([kept for kept, _, _ in candidates])
    given_up = np.array([gone and not kept for kept, gone, _ in candidates])
    condition = np.array([value for _, _, value in candidates])
    seats = fill_seats(n, accepted, given_up, [condition])
    owners = np.flatnonzero(~given_up[:n])
    assert len(seats) == len(owners)
    filled = seats[seats >= 0]
    assert len(set(filled.tolist())) == len(filled)
    assert np.all(accepted[filled])
    for owner, taken in zip(owners.tolist(), seats.tolist(), strict=True):
        assert taken == owner if accepted[owner] else taken == -1 or taken >= n
    left = [row for row in range(n, len(candidates)) if accepted[row] and row not in set(filled.tolist())]
    assert not left or (seats >= 0).all(), "a seat stays empty only when the reserve is used up"
    for value in range(3):
        vacant = [owner for owner in owners.tolist() if not accepted[owner] and condition[owner] == value]
        reserve = [row for row in range(n, len(candidates)) if accepted[row] and condition[row] == value]
        matched = sum(
            1
            for owner, taken in zip(owners.tolist(), seats.tolist(), strict=True)
            if owner in vacant and taken in reserve
        )
        assert matched == min(len(vacant), len(reserve)), "the requested condition is kept wherever it can be"


def test_replacements_come_in_order():
    accepted = np.array([False, True, False, True, True, True])
    nobody = np.zeros(6, bool)
    assert fill_seats(3, accepted, nobody, [np.array([1, 0, 0, 0, 1, 0])]).tolist() == [4, 1, 3]
    assert fill_seats(3, accepted, nobody, []).tolist() == [3, 1, 4]
    assert fill_seats(3, accepted, nobody, [np.array([7, 0, 7, 1, 2, 1])]).tolist() == [3, 1, 4]
    assert fill_seats(3, accepted, nobody, [np.array([7, 0, 1, 1, 1, 1])]).tolist() == [4, 1, 3]


# -- fields, rules, dimensions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "column", "good"),
    [
        ({"range": (0.01, 0.3)}, np.array([0.01, 0.3, 0.0099, 0.31], np.float32), [1, 1, 0, 0]),
        ({"nullable": True, "range": (0, 1)}, np.array([np.nan, np.inf, 1.0]), [1, 0, 1]),
        ({}, np.array([np.nan, -np.inf, 1.0]), [0, 0, 1]),
        ({"dtype": "int8", "range": (0, 5), "enum": (1, 2)}, np.array([1, 3, 7], np.int8), [1, 0, 0]),
        ({"dtype": "categorical", "enum": ("a", "b")}, np.array([0, 1, 2, -1]), [1, 1, 0, 0]),
        ({"dtype": "categorical", "enum": ("a", "b"), "nullable": True}, np.array([0, -1, -2]), [1, 1, 0]),
        ({"dtype": "bool"}, np.array([0, 1, 2], np.uint8), [1, 1, 0]),
        ({"shape": (2,), "range": (0, 1)}, np.array([[0.0, 1.0], [0.0, 1.1]]), [1, 0]),
    ],
)
def test_allowed(spec, column, good):
    assert allowed(field(**{"name": "x", **spec}), column).tolist() == [bool(g) for g in good]


def test_a_gap_keeps_a_rule_unless_the_rule_asks_for_gaps():
    schema = Schema(
        modality="tabular",
        fields=(field("x", unit="m", nullable=True), field("c", "categorical", enum=("a", "b"), nullable=True)),
    )
    columns = {"x": np.array([1.0, np.nan, 3.0]), "c": np.array([0, 1, -1])}

    def kept(expr):
        return holds(Rule(id="r", expr=expr, severity="block"), schema, columns).tolist()

    assert kept("x < 2 m") == [True, True, False]
    assert kept("not isnull(x)") == [True, False, True]
    assert kept('c == "a"') == [True, False, True]
    assert kept("1 < 2") == [True, True, True]
    assert (
        holds(
            Rule(id="r", expr="y < 2 m", severity="block"),
            replace(schema, fields=(*schema.fields, field("y", unit="m"))),
            columns,
        )
        is None
    )


def test_derived_fields_follow_one_another_in_any_order():
    schema = Schema(
        modality="tabular",
        fields=(
            field("c", role="derived", unit="m", expr="b + a"),
            field("b", role="derived", unit="cm", expr="2 * a"),
            field("a", unit="m"),
            field("big", "bool", "derived", expr="b > 3 m"),
            field("lost", role="derived", unit="m", expr="z + a"),
            field("z", unit="m", role="time"),
        ),
    )
    found = derive(schema, {"a": np.array([1.0, 2.0]), "c": np.array([0.0, 0.0])})
    assert found["b"].tolist() == [200, 400]
    assert found["c"].tolist() == [3, 6]
    assert found["big"].tolist() == [0, 1]
    assert "lost" not in found


def test_check_dim_returns_the_dimension_and_catches_what_is_unsound():
    checks = {check.expr: check for check in check_dimensions(POWER)}
    assert checks["power_in"].dimension == "[L]^2 [M] [T]^-3"
    assert checks["loss - (10 dB * log10(power_in / power_out))"].ok
    assert checks["power_out <= power_in"].ok
    bad = replace(
        POWER,
        fields=(replace(POWER.fields[1], dimension="[L]"), POWER.fields[2], replace(POWER.fields[3], expr="power_in")),
        rules=(Rule(id="r", expr="power_in < 2 m", severity="block"),),
    )
    assert [check.expr for check in check_dimensions(bad) if not check.ok] == [
        "power_in",
        "loss - (power_in)",
        "power_in < 2 m",
    ]
