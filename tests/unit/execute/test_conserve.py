"""P405-7: units to SI and back, what a cast costs, by how much a rule is broken; all of it told as figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synthspec.backend.artifacts import DimCheck, EnforceReport
from synthspec.execute.core.conserve import conservation, not_restored
from synthspec.execute.core.counted import conserved, dim_failures, violations
from synthspec.execute.core.enforce import rule_counts
from synthspec.execute.core.expressions import excess
from synthspec.execute.core.table import Table
from synthspec.ir.schema import Field, Rule, Schema
from synthspec.units import Affine, Unit, parse_unit

UNITS = ("mW", "uW", "degC", "degF", "km", "h", "dimensionless", "dB", "mm", "psi")


def schema(*fields: Field, rules: tuple[Rule, ...] = ()) -> Schema:
    return Schema(modality="tabular", fields=fields, rules=rules)


def number(name: str, unit: str, dtype: str = "float64") -> Field:
    return Field(name=name, role="content", dtype=dtype, unit=unit)  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", UNITS)
@given(arrays(np.float32, 20, elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False)))
def test_float32_comes_back_from_si(unit, values):
    assert not_restored(number("x", unit, "float32"), values.astype(np.float64), np.dtype(np.float32)) == 0


@given(arrays(np.float32, 20, elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False)))
def test_without_an_offset_float32_comes_back_bit_by_bit(values):
    unit = parse_unit("uW")
    back = unit.affine_from_si()(unit.affine_to(None)(values.astype(np.float64)))
    assert (back.astype(np.float32) == values).all()


@pytest.mark.parametrize("unit", UNITS)
@given(arrays(np.float64, 20, elements=st.floats(-1e6, 1e6)))
def test_float64_comes_back_to_its_last_place(unit, values):
    assert not_restored(number("x", unit), values, np.dtype(np.float64)) == 0


def test_a_map_without_its_inverse_is_noticed(monkeypatch):
    monkeypatch.setattr(Unit, "affine_from_si", lambda self: Affine(999.0))
    assert not_restored(number("x", "mW"), np.array([1.0, 2.0, 0.0]), np.dtype(np.float64)) == 2


def test_the_largest_numbers_are_counted_like_any_other(monkeypatch):
    """Their sum and the distance to the next number are beyond float64; a warning is an error here."""
    most = np.finfo(np.float64).max
    table = Table(name="t", rows=3, columns={"x": np.full(3, most)}, where=str)
    (found,) = conservation(table, {"x": "x"}, schema(number("x", "dimensionless")), {"x": np.full(3, most)}).fields
    assert (found.not_restored, found.mean_size) == (0, most)
    monkeypatch.setattr(Unit, "affine_from_si", lambda self: Affine(0.5))
    assert not_restored(number("x", "dimensionless"), np.array([most]), np.dtype(np.float64)) == 1


def test_the_loss_of_a_cast_is_measured():
    table = Table(name="t", rows=3, columns={"p": ["0.1", "NA", "1e9"], "q": ["1", "2", "3"]}, where=str)
    columns = {"power": np.array([0.1, np.nan, 1e9], np.float32), "q": np.array([1.0, 2.0, 3.0])}
    found = conservation(
        table, {"power": "p", "q": "q"}, schema(number("power", "mW", "float32"), number("q", "degC")), columns
    )
    power, q = found.fields
    expected = abs(0.1 - float(np.float32(0.1)))
    assert (power.values, power.largest_loss) == (2, pytest.approx(expected))
    assert power.loss_cast == pytest.approx(expected / 2)
    assert (power.a, power.b, q.a, q.b) == (1e-3, 0.0, 1.0, 273.15)
    assert (q.loss_cast, q.not_restored) == (0.0, 0)
    loss, units = conserved(found)
    assert (loss.name, units.name, units.value) == ("loss_cast", "units_not_restored", 0)
    assert loss.value == pytest.approx(expected / 2 / ((0.1 + 1e9) / 2), rel=1e-6)
    assert dict(units.details)["power.u_scale"] == 1e-3


SCHEMA = schema(
    number("a", "mW"),
    number("b", "uW"),
    rules=(
        Rule(id="passive", expr="b <= a", severity="block"),
        Rule(id="floor", expr="a >= 1 mW", severity="warn"),
        Rule(id="either", expr="a > 1 mW or b > 1 uW", severity="info"),
    ),
)
COLUMNS = {"a": np.array([1.0, 2.0, 0.5, 3.0]), "b": np.array([500.0, 2500.0, 700.0, 9000.0])}


def test_the_worst_rows_of_an_inequality_come_first():
    passive, floor, either = rule_counts(SCHEMA, COLUMNS)
    assert (passive.violations, passive.checked, passive.worst) == (3, 4, (3, 1, 2))
    assert passive.excess == pytest.approx((6e-3, 0.5e-3, 0.2e-3))
    assert passive.unit == "kg*m^2/s^3"
    assert passive.rate == 0.75
    assert (floor.worst, floor.excess) == ((2,), pytest.approx((0.5e-3,)))
    assert (either.violations, either.excess) == (0, ())
    assert excess(SCHEMA.rules[2], SCHEMA, COLUMNS) is None


def test_rates_of_the_data_the_candidates_and_what_is_published():
    published = {name: column[:1] for name, column in COLUMNS.items()}
    report = EnforceReport(
        candidates=4,
        accepted=1,
        kept=1,
        near_copies=0,
        rules=rule_counts(SCHEMA, COLUMNS),
        reference=rule_counts(SCHEMA, COLUMNS),
        published=rule_counts(SCHEMA, published),
    )
    (found,) = violations(report)
    told = dict(found.details)
    assert (found.value, found.n) == (0, 1)
    assert (told["passive.D_ref.rate"], told["passive.D_syn.rate"], told["passive.severity"]) == (0.75, 0.0, "block")
    assert told["passive.candidates.worst_rows"] == "3 1 2"
    assert told["passive.D_ref.worst_by"] == "0.006 kg*m^2/s^3"
    assert "passive.D_syn.worst_rows" not in told


def test_every_check_of_a_dimension_is_told():
    checks = [DimCheck(expr=f"x{n}", dimension="[L]", ok=n != 2) for n in range(12)]
    found = dim_failures(checks)
    told = dict(found.details)
    assert (found.value, found.n, told["first"]) == (1, 12, "x2")
    assert told["check_dim.03"] == "x2: [L], false"
    assert len([key for key in told if key.startswith("check_dim.")]) == 12
