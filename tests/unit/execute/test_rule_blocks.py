"""Rules over more rows than are evaluated at a time."""

import numpy as np

from synthspec.execute.core import expressions
from synthspec.execute.core.expressions import holds
from synthspec.ir.schema import Field, Rule, Schema

SCHEMA = Schema(
    modality="tabular",
    fields=(
        Field(name="x", role="content", dtype="float64", nullable=True),
        Field(name="y", role="content", dtype="float64"),
        Field(name="kind", role="content", dtype="categorical", enum=("a", "b"), nullable=True),
    ),
)


def columns(rows):
    r = np.random.default_rng(3)
    x = r.standard_normal(rows)
    x[r.random(rows) < 0.1] = np.nan
    return {"x": x, "y": r.standard_normal(rows), "kind": r.integers(-1, 2, rows)}


def rule(text):
    return Rule(id="r", expr=text, severity="block")


def test_blocks_change_no_answer(monkeypatch):
    data = columns(1000)
    for text in ("x <= y", "isnull(x) or x > 0", 'kind == "a" or y > 0', "1 < 2", "1 > 2"):
        whole = holds(rule(text), SCHEMA, data)
        monkeypatch.setattr(expressions, "_BLOCK", 64)
        np.testing.assert_array_equal(holds(rule(text), SCHEMA, data), whole)
        monkeypatch.undo()
        assert whole.shape == (1000,)


def test_what_lacks_a_value_keeps_the_rule_and_what_has_one_is_judged():
    data = columns(70_000)
    kept = holds(rule("x <= y"), SCHEMA, data)
    np.testing.assert_array_equal(kept, np.isnan(data["x"]) | (data["x"] <= data["y"]))
    coded = holds(rule('kind == "a"'), SCHEMA, data)
    np.testing.assert_array_equal(coded, data["kind"] <= 0)


def test_no_rows_and_no_column():
    assert holds(rule("x <= y"), SCHEMA, columns(0)).shape == (0,)
    assert holds(rule("x <= y"), SCHEMA, {"x": np.zeros(3)}) is None
