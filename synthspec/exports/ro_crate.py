"""RO-Crate 1.1 (https://w3id.org/ro/crate/1.1): the folder of the run as a research object, with the action that made it."""

from __future__ import annotations

from synthspec.exports.facts import RESULTS, Facts, File
from synthspec.ir.canonical import Json

CONFORMS_TO = "https://w3id.org/ro/crate/1.1"
_ROOT = "./"
_RUN = "#run"
_PROGRAM = "#synthspec"
_SOURCE = "#source"


def ro_crate(facts: Facts) -> Json:
    """Every file with its digest, what it was made from and by, and under which licence."""
    files = sorted(facts.files, key=lambda each: each.name)
    graph: list[Json] = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": CONFORMS_TO},
            "about": {"@id": _ROOT},
        },
        _root(facts, files),
        *(_file(each) for each in files),
        _run(facts, files),
        _program(facts),
        _source(facts),
    ]
    if facts.licence:
        graph.append({"@id": _licence(facts), "@type": "CreativeWork", "name": facts.licence})
    if facts.owner:
        graph.append({"@id": "#owner", "@type": "Organization", "name": facts.owner})
    # The context of 1.1 has no word for digests.
    return {"@context": [f"{CONFORMS_TO}/context", {"sha256": "http://schema.org/sha256"}], "@graph": graph}


def _root(facts: Facts, files: list[File]) -> Json:
    root: dict[str, Json] = {
        "@id": _ROOT,
        "@type": "Dataset",
        "name": f"{facts.name} {facts.version}",
        "description": facts.description,
        "datePublished": facts.created,
        "version": facts.version,
        "identifier": facts.serial.urn,
        "keywords": f"synthetic data, {facts.schema.modality}, {facts.family}",
        "hasPart": _named(files),
        "mentions": {"@id": _RUN},
    }
    if facts.licence:
        root["license"] = {"@id": _licence(facts)}
    if facts.owner:
        root |= {"author": {"@id": "#owner"}, "publisher": {"@id": "#owner"}}
    return root


def _named(files: list[File]) -> Json:
    """References to `files`; the compacted form of JSON-LD has no lists of one."""
    found: list[Json] = [{"@id": each.name} for each in files]
    return found[0] if len(found) == 1 else found


def _licence(facts: Facts) -> str:
    return facts.licence_url or "#licence"


def _file(file: File) -> Json:
    return {
        "@id": file.name,
        "@type": "File",
        "name": file.name,
        "contentSize": str(file.size),
        "encodingFormat": file.format,
        "sha256": file.sha256,
    }


def _run(facts: Facts, files: list[File]) -> Json:
    plan = f" under the plan sha256:{facts.plan}" if facts.plan else ""
    return {
        "@id": _RUN,
        "@type": "CreateAction",
        "name": f"The run of {facts.name} {facts.version} in the stream {facts.stream}",
        "description": f"Training, sampling, enforcing, measuring and judging{plan}; the gate says {facts.verdict}.",
        "endTime": facts.created,
        "instrument": {"@id": _PROGRAM},
        "object": {"@id": _SOURCE},
        "result": _named([each for each in files if each.name.startswith(RESULTS)]),
    }


def _program(facts: Facts) -> Json:
    program: dict[str, Json] = {"@id": _PROGRAM, "@type": "SoftwareApplication", "name": "synthspec"}
    return program | {"version": facts.compiler} if facts.compiler else program


def _source(facts: Facts) -> Json:
    source: dict[str, Json] = {
        "@id": _SOURCE,
        "@type": "CreativeWork",
        "name": facts.source,
        "description": f"What the {facts.family} was trained on; it is no part of this crate.",
    }
    if facts.source_sha256:
        source["sha256"] = facts.source_sha256
    elif facts.commitment:
        source["identifier"] = f"commitment:{facts.commitment}"
    return source
