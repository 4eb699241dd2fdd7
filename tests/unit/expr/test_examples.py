"""Every expression of the normative examples parses and is dimensionally sound with the units of its SRef."""

from pathlib import Path

import pytest
import yaml

from synthspec.expr import BOOLEAN, PLAIN, Context, Number, compile_kernel, compile_trip, infer, names, parse
from synthspec.units import parse_quantity, parse_unit

EXAMPLES = Path(__file__).parents[3] / "examples"


def documents(pattern):
    return {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob(pattern))}


SREFS = documents("*/*.sref.yaml")
SPECS = documents("*/spec.yaml")
CONSTRAINTS = [(path.parent.name, c["expr"], sref) for path, sref in SREFS.items() for c in sref.get("constraints", [])]
DERIVED = [(path.parent.name, f, sref) for path, sref in SREFS.items() for f in sref["fields"] if "expr" in f]
TRIPS = [(path.parent.name, m) for path, spec in SPECS.items() for m in spec["stability"]["monitors"]]


def env(sref):
    return {field["name"]: Number.of(field["unit"]) for field in sref["fields"] if "unit" in field}


def test_there_are_expressions_to_check():
    assert len(CONSTRAINTS) >= 4
    assert len(DERIVED) >= 1
    assert len(TRIPS) >= 7


@pytest.mark.parametrize(("example", "text", "sref"), CONSTRAINTS, ids=lambda v: v if isinstance(v, str) else "")
def test_constraints(example, text, sref):
    outcome = parse(text).then(lambda tree: infer(tree, env(sref), expected=BOOLEAN))
    assert outcome.diagnostics == ()
    assert compile_kernel(parse(text).value, env(sref)).names


@pytest.mark.parametrize(
    ("example", "field", "sref"), DERIVED, ids=lambda v: v.get("name") if isinstance(v, dict) else v
)
def test_derived_fields_come_out_in_their_unit(example, field, sref):
    unit = parse_unit(field["unit"])
    outcome = parse(field["expr"]).then(lambda tree: infer(tree, env(sref), expected=Number.of(unit)))
    assert outcome.diagnostics == ()
    assert outcome.value.coherent == unit
    assert compile_kernel(parse(field["expr"]).value, env(sref), unit).unit == unit


@pytest.mark.parametrize(("example", "monitor"), TRIPS, ids=lambda v: v.get("trip") if isinstance(v, dict) else v)
def test_trips(example, monitor):
    tree = parse(monitor["trip"]).value
    signals = {name: PLAIN for name, _ in names(tree)}
    assert set(signals) == {monitor["signal"]}
    assert infer(tree, signals, expected=BOOLEAN, context=Context.HISTORY).diagnostics == ()
    assert compile_trip(tree, signals)({monitor["signal"]: [1.0]}) in {True, False}


def test_quantities_of_the_contracts():
    fiber = SPECS[EXAMPLES / "fiber-link-flow" / "spec.yaml"]["contracts"]["C40-517"]
    assert parse_quantity(fiber["J_max"]).si == pytest.approx(5e-6, rel=1e-15)
    assert parse_quantity(fiber["tol_Tarr"]).si == pytest.approx(1e-8, rel=1e-15)
    vae = SPECS[EXAMPLES / "digits-vae" / "spec.yaml"]["contracts"]["C40-513"]
    assert parse_quantity(vae["psnr_min"], like=parse_unit("dB")).value == 18
