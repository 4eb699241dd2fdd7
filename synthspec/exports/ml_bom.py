"""CycloneDX 1.6 (ECMA-424) as an ML-BOM: the engine as a model with its card, what it was trained on and what it made."""

from __future__ import annotations

import re

from synthspec.exports.facts import Facts, File, Measured
from synthspec.ir.canonical import Json

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_MODEL = "model"
_SOURCE = "training-data"


def ml_bom(facts: Facts) -> Json:
    """One model with its weights, the data it was trained on, the samples, and the distributions that were installed."""
    made = [_file(each) for each in facts.made("samples.")]
    libraries = [_library(name, version) for name, version in facts.packages]
    needed: list[Json] = [_SOURCE, *(f"pypi:{name}" for name, _ in facts.packages)]
    leaning: list[Json] = [{"ref": each.name, "dependsOn": [_MODEL]} for each in facts.made("samples.")]
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": facts.serial.urn,
        "version": 1,
        "metadata": {
            "timestamp": facts.created,
            "tools": {"components": [_program(facts)]},
            "component": _model(facts),
            "properties": _properties(facts),
        },
        "components": [_source(facts), *made, *libraries],
        "dependencies": [{"ref": _MODEL, "dependsOn": needed}, *leaning],
    }


def _program(facts: Facts) -> Json:
    program: dict[str, Json] = {"type": "application", "name": "synthspec"}
    return program | {"version": facts.compiler} if facts.compiler else program


def _model(facts: Facts) -> Json:
    model: dict[str, Json] = {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": facts.name,
        "version": facts.version,
        "description": facts.description,
        "components": [_file(each) for each in facts.made("weights/")],
        "modelCard": _card(facts),
    }
    if facts.licence:
        named: dict[str, Json] = {"name": facts.licence}
        model["licenses"] = [{"license": named | {"url": facts.licence_url} if facts.licence_url else named}]
    if facts.owner:
        model["manufacturer"] = {"name": facts.owner}
    return model


def _card(facts: Facts) -> Json:
    card: dict[str, Json] = {
        "bom-ref": "model-card",
        "modelParameters": {
            "approach": {"type": "unsupervised"},
            "task": f"synthetic data generation ({facts.schema.modality})",
            "architectureFamily": facts.family,
            "modelArchitecture": facts.architecture,
            "datasets": [{"ref": _SOURCE}],
            "outputs": [{"format": each.format} for each in facts.made("samples.")],
        },
    }
    if facts.metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": [_figure(each) for each in facts.metrics]}
    if facts.privacy:
        card["considerations"] = {"technicalLimitations": [facts.privacy]}
    return card


def _figure(measured: Measured) -> Json:
    unit = "" if measured.unit == "1" else f" [{measured.unit}]"
    figure: dict[str, Json] = {"type": f"{measured.label}{unit}", "value": measured.value}
    if measured.split:
        figure["slice"] = measured.split
    if measured.lower and measured.upper:
        figure["confidenceInterval"] = {"lowerBound": measured.lower, "upperBound": measured.upper}
    return figure


def _source(facts: Facts) -> Json:
    data: dict[str, Json] = {
        "type": "dataset",
        "name": facts.source,
        "description": f"What the engine was trained on, read as {facts.schema_name}; it is no part of the release.",
    }
    if facts.commitment:
        data["classification"] = "private"
    source: dict[str, Json] = {"type": "data", "bom-ref": _SOURCE, "name": facts.source, "data": [data]}
    if facts.source_sha256:
        source["hashes"] = _hashes(facts.source_sha256)
    elif facts.commitment:
        source["properties"] = [{"name": "synthspec:commitment", "value": facts.commitment}]
    return source


def _file(file: File) -> Json:
    return {
        "type": "file",
        "bom-ref": file.name,
        "name": file.name,
        "mime-type": file.format,
        "hashes": _hashes(file.sha256),
    }


def _hashes(sha256: str) -> Json:
    return [{"alg": "SHA-256", "content": sha256}]


def _library(name: str, version: str) -> Json:
    # The type `pypi` of package URLs: lower case, dashes (PEP 503).
    normal = re.sub(r"[-_.]+", "-", name).lower()
    return {
        "type": "library",
        "bom-ref": f"pypi:{name}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{normal}@{version.replace('+', '%2B')}",
    }


def _properties(facts: Facts) -> list[Json]:
    """What the form has no word for: of which release and plan, which verdicts, how many numbers, which guarantee."""
    said = {
        "stream": facts.stream,
        "plan": facts.plan and f"sha256:{facts.plan}",
        "verdict": facts.verdict,
        "objective": f"{facts.objective} ({facts.equation})",
        "parameters": "" if facts.parameters is None else str(facts.parameters),
        "eps_total": facts.eps,
        "delta_total": facts.delta,
        **{each.id: f"{each.result}: {each.expr}" for each in facts.contracts},
    }
    return [{"name": f"synthspec:{name}", "value": value} for name, value in said.items() if value]
