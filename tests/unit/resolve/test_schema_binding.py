"""Units, dimensions and expressions of an SRef, and where a mistake in them is shown."""

from typing import cast

import pytest

from synthspec.ir.document import ANY_KEY, Document
from synthspec.parse import compose, validate_model
from synthspec.resolve import bind_schema
from synthspec.spec.sref import SRef
from synthspec.text import Path, Source

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


def test_an_expression_is_not_blamed_for_another_field_and_spared_only_for_its_own() -> None:
    outcome = bind(
        "fields:\n"
        "  - {name: a, role: content, dtype: float32, unit: mmm}\n"
        "  - {name: b, role: content, dtype: float32, unit: mm}\n"
        "  - {name: d, role: content, dtype: float32, unit: m, dim: '[T]'}\n"
        "constraints:\n"
        "  - {id: one, expr: a > 1 s}\n"
        "  - {id: two, expr: b > 1 s}\n"
        "  - {id: three, expr: q > 1 s}\n"
        "  - {id: four, expr: d > 1 K}\n"
    )
    assert [(each.code, each.path[:2]) for each in outcome.diagnostics] == [
        ("unit.unknown", ("fields", 0)),
        ("unit.unit-dim-disagree", ("fields", 2)),
        ("P405-7.dimension-mismatch", ("constraints", 1)),
        ("expr.unknown-name", ("constraints", 2)),
    ]


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        (("fields",), []),
        (("fields", 0, "name"), []),
        (("fields", 0, ANY_KEY), []),
        ((ANY_KEY,), []),
        (("fields", 0, "unit"), [1, 2]),
        (("fields", 1, "dtype"), [0, 2]),
        (("keys",), [0, 1, 2]),
    ],
)
def test_expressions_over_what_could_not_be_read_are_not_inferred(lost: Path, named: list[int]) -> None:
    body = (
        "fields:\n"
        "  - {name: a, role: content, dtype: float32, unit: m}\n"
        "  - {name: b, role: content, dtype: float32, unit: m}\n"
        "constraints:\n"
        "  - {id: one, expr: a > 1 s}\n"
        "  - {id: two, expr: b > 1 s}\n"
        "  - {id: three, expr: q > 1 s}\n"
    )
    composed = compose(Source("x.sref.yaml", HEAD + body)).value
    assert composed is not None
    model = cast("SRef", validate_model(composed, SRef).value)
    found = bind_schema(Document(model, composed.places, frozenset({lost}))).diagnostics
    assert [each.path[1] for each in found] == named


@pytest.mark.parametrize(("rules", "fine"), [(64, True), (65, False)])
def test_the_expressions_of_a_schema_have_a_length_together(rules: int, *, fine: bool) -> None:
    text = "1 + " * 255 + "1>0"
    assert len(text) == 1023
    body = "fields:\n  - {name: a, role: content, dtype: float32, unit: m}\nconstraints:\n"
    body += "".join(f"  - {{id: r{number}, expr: {text}}}\n" for number in range(rules))
    composed = compose(Source("x.sref.yaml", HEAD + body)).value
    assert composed is not None
    read = validate_model(composed, SRef)
    assert [each.code for each in read.diagnostics] == ([] if fine else ["expr.too-large"])
    assert fine or "66,495 characters" in read.diagnostics[0].message


def test_one_expression_is_called_unbalanced_once_and_its_other_faults_are_told() -> None:
    outcome = bind(
        "fields:\n"
        "  - {name: a, role: content, dtype: float32, unit: m^3}\n"
        "constraints:\n"
        "  - {id: one, expr: abs(a - 1 m^2) <= 0.5 * a + 100 m^2}\n"
        "  - {id: two, expr: a - 1 m^2 > q}\n"
    )
    assert [(each.code, each.path[:2]) for each in outcome.diagnostics] == [
        ("P405-7.dimension-mismatch", ("constraints", 0)),
        ("P405-7.dimension-mismatch", ("constraints", 1)),
        ("expr.unknown-name", ("constraints", 1)),
    ]
