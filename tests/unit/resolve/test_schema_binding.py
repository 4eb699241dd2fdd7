"""Units, dimensions and expressions of an SRef, and where a mistake in them is shown."""

from typing import cast

import pytest

from synthspec.ir.document import Document
from synthspec.parse import compose, validate_model
from synthspec.resolve import bind_schema
from synthspec.spec.sref import SRef
from synthspec.text import Source

HEAD = "apiVersion: synthspec/v1\nkind: SRef\nmetadata: {name: x, version: 1.0.0}\nmodality: tabular\n"


def bind(body: str):
    composed = compose(Source("x.sref.yaml", HEAD + body)).value
    assert composed is not None
    read = validate_model(composed, SRef)
    assert read.value is not None, read.diagnostics
    return bind_schema(Document(cast("SRef", read.value), composed.places))


def test_units_are_spelled_one_way_and_have_a_dimension() -> None:
    schema = bind("fields:\n  - {name: v, role: content, dtype: float32, unit: m*s^-1, range: [0, 1]}\n").value
    assert schema is not None
    assert (schema.field("v").unit, schema.field("v").dimension) == ("m/s", "[L] [T]^-1")


@pytest.mark.parametrize(
    ("field", "code", "marked"),
    [
        ("unit: mmm", "unit.unknown", "mmm"),
        ("unit: m, dim: '[T]'", "unit.unit-dim-disagree", "'[T]'"),
        ("unit: m, dim: '[Q]'", "unit.unknown", "'[Q]'"),
        ("unit: degC*m", "unit.offset-product", "degC*m"),
    ],
)
def test_a_wrong_unit_is_underlined(field: str, code: str, marked: str) -> None:
    outcome = bind(f"fields:\n  - {{name: v, role: content, dtype: float32, {field}}}\n")
    assert [finding.code for finding in outcome.diagnostics] == [code]
    span = outcome.diagnostics[0].span
    assert span is not None
    assert span.text in marked


def test_a_dimension_that_agrees_is_accepted_in_both_spellings() -> None:
    body = "fields:\n  - {name: i, role: content, dtype: float32, unit: A, dim: '[Qe] [T]^-1'}\n"
    assert not bind(body).diagnostics


def test_an_expression_is_checked_where_it_stands_and_kept_in_canonical_text() -> None:
    body = (
        "fields:\n"
        "  - {name: a, role: content, dtype: float32, unit: mW}\n"
        "  - {name: t, role: content, dtype: float32, unit: degC}\n"
        "constraints:\n"
        "  - {id: ok, expr: a<=  5 mW}\n"
        "  - {id: bad, expr: a <= t}\n"
    )
    outcome = bind(body)
    assert outcome.value is not None
    assert outcome.value.rules[0].expr == "a <= 5 mW"
    (finding,) = outcome.diagnostics
    assert finding.path == ("constraints", 1, "expr")
    assert finding.span is not None
    assert finding.span.begin[0] == 10


def test_with_an_unknown_unit_expressions_are_not_blamed_as_well() -> None:
    body = "fields:\n  - {name: a, role: content, dtype: float32, unit: mmm}\nconstraints: [{id: c, expr: a <= 5 mW}]\n"
    assert [finding.code for finding in bind(body).diagnostics] == ["unit.unknown"]
