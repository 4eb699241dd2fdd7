"""What the forms of other tools say, from facts made up here: references lead somewhere, nothing is said that is not known."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from synthspec.exports import WRITERS, Facts, File
from synthspec.exports.facts import Judged, Measured
from synthspec.ir.schema import Field, Schema

FIELDS = (
    Field(name="rid", role="key", dtype="int64"),
    Field(name="v", role="content", dtype="float32", unit="m/s"),
    Field(name="w", role="content", dtype="float32", shape=(2, 2), unit="V"),
    Field(name="k", role="condition", dtype="categorical", enum=(3, 5)),
    Field(name="s", role="condition", dtype="categorical", enum=("a", "b")),
    Field(name="t", role="time", dtype="timestamp"),
)


def file(name, digit="a"):
    return File(name, digit * 64, 12)


FACTS = Facts(
    name="plant",
    version="1.2.0",
    stream="plant",
    created="2026-01-31T12:00:00Z",
    verdict="PASS",
    plan="f" * 64,
    compiler="0.1.0",
    licence="CC-BY-4.0",
    owner="Team Ä",
    purpose="Vibrations.",
    schema=Schema(modality="timeseries", fields=FIELDS, pk=("rid",)),
    schema_name="plant 1.0.0",
    records=7,
    family="flow",
    architecture="spline_coupling",
    parameters=1234,
    objective="nll",
    equation="S405-3",
    source="plant.csv",
    source_sha256="c" * 64,
    files=(file("samples.csv"), file("weights/engine.safetensors", "b"), file("plan.json", "d")),
    metrics=(Measured("W1[test]", "0.25", "1", "0.2", "0.3", "test"), Measured("latency", "40", "ms")),
    contracts=(Judged("C40-511", "W1 <= 0.5", "held"),),
    packages=(("Some_Package.x", "1.0+cpu"), ("numpy", "2.2.0")),
)
BARE = replace(FACTS, licence="", owner="", purpose="", plan="", compiler="", source_sha256="", metrics=(), packages=())


def written(name, facts=FACTS):
    return json.loads(json.dumps(WRITERS[name](facts)))


def references(value):
    if isinstance(value, dict):
        return (
            [value["@id"]] if set(value) == {"@id"} else [each for item in value.values() for each in references(item)]
        )
    return [each for item in value for each in references(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("facts", [FACTS, BARE, replace(FACTS, licence="ours alone")], ids=["whole", "bare", "own"])
def test_every_reference_leads_somewhere(facts):
    graph = written("ro_crate", facts)["@graph"]
    there = [each["@id"] for each in graph]
    assert len(there) == len(set(there))
    assert set(references(graph)) - {"https://w3id.org/ro/crate/1.1"} <= set(there)
    bom = written("ml_bom", facts)
    refs = ["model", *(each["bom-ref"] for each in bom["components"])]
    assert len(refs) == len(set(refs))
    assert {each for node in bom["dependencies"] for each in (node["ref"], *node["dependsOn"])} <= set(refs)
    croissant = written("croissant", facts)
    files = {each["@id"] for each in croissant["distribution"]}
    fields = croissant["recordSet"][0]["field"]
    assert {each["source"]["fileObject"]["@id"] for each in fields} <= files
    assert {each["@id"] for each in croissant["recordSet"][0]["key"]} <= {each["@id"] for each in fields}


@pytest.mark.parametrize(
    "facts", [FACTS, BARE, replace(FACTS, licence="ours", eps="2.5", delta="1e-05", commitment="e" * 64)]
)
def test_the_schema_of_cyclonedx_is_kept(facts):
    pytest.importorskip("cyclonedx", reason="NOT VALIDATED BY cyclonedx-python-lib: it is not installed")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(WRITERS["ml_bom"](facts))) is None


@pytest.mark.parametrize("name", WRITERS)
def test_a_fact_that_is_not_given_leaves_no_trace(name):
    text = json.dumps(written(name, BARE))
    for word in ("sha256:f", "c" * 64, "Team", "Vibrations", "CC-BY", "license", "numpy", '""'):
        assert word not in text, word
    assert all(word in json.dumps(written(name)) for word in ("f" * 64, "Vibrations", "CC-BY-4.0"))


def test_the_serial_is_that_of_the_results():
    other_plan = replace(FACTS, files=(*FACTS.files[:2], file("plan.json", "e")))
    other_samples = replace(FACTS, files=(file("samples.csv", "9"), *FACTS.files[1:]))
    assert FACTS.serial == replace(FACTS, files=FACTS.files[::-1]).serial == other_plan.serial
    assert len({each.serial for each in (FACTS, other_samples, replace(FACTS, version="1.2.1"))}) == 3
    assert all(FACTS.serial.urn in json.dumps(written(name)) for name in WRITERS)


def test_a_field_with_axes_is_a_column_a_number_in_csv_and_one_list_elsewhere():
    def fields(name):
        facts = replace(FACTS, files=(file(name), *FACTS.files[1:]))
        return {each["name"]: each for each in written("croissant", facts)["recordSet"][0]["field"]}

    csv, parquet = fields("samples.csv"), fields("samples.parquet")
    assert list(csv) == ["rid", "v", "w.0", "w.1", "w.2", "w.3", "k", "s", "t"]
    assert list(parquet) == ["rid", "v", "w", "k", "s", "t"]
    assert parquet["w"]["repeated"] is True
    kinds = {name: each["dataType"] for name, each in parquet.items()}
    assert kinds == {
        "rid": "sc:Integer", "v": "sc:Float", "w": "sc:Float", "k": "sc:Integer", "s": "sc:Text", "t": "sc:DateTime",
    }  # fmt: skip
    assert "m/s" in parquet["v"]["description"]


def test_a_licence_that_has_a_page_points_there():
    assert written("croissant")["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    own = replace(FACTS, licence="ours alone")
    assert written("croissant", own)["license"] == "ours alone"
    assert written("ml_bom", own)["metadata"]["component"]["licenses"] == [{"license": {"name": "ours alone"}}]
    page = replace(FACTS, licence="https://example.org/terms")
    assert written("ro_crate", page)["@graph"][1]["license"] == {"@id": "https://example.org/terms"}


def test_a_figure_has_its_unit_and_its_bounds():
    figures = written("ml_bom")["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    bounds = {"lowerBound": "0.2", "upperBound": "0.3"}
    assert figures == [
        {"type": "W1[test]", "value": "0.25", "slice": "test", "confidenceInterval": bounds},
        {"type": "latency [ms]", "value": "40"},
    ]


def test_a_package_url_is_spelled_as_pypi_spells_names():
    urls = [each["purl"] for each in written("ml_bom")["components"] if "purl" in each]
    assert urls == ["pkg:pypi/some-package-x@1.0%2Bcpu", "pkg:pypi/numpy@2.2.0"]
