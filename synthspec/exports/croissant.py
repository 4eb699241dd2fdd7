"""Croissant 1.0 (http://mlcommons.org/croissant/1.0): the samples as a dataset that loaders of machine learning can read."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.exports.facts import Facts, File
from synthspec.ir.canonical import Json
from synthspec.ir.schema import Field

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
CONTEXT: dict[str, Json] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TABLES = (".csv", ".jsonl", ".parquet")
_KINDS = {"bool": "sc:Boolean", "string": "sc:Text", "timestamp": "sc:DateTime"}


def croissant(facts: Facts) -> Json:
    """The samples with a record set of their fields, where they are a table; else as files alone: npz has no loader there."""
    samples = facts.made("samples.")
    whole: dict[str, Json] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": facts.name,
        "description": facts.description,
        "version": facts.version,
        "datePublished": facts.created,
        "citeAs": f"{facts.owner or facts.name}: {facts.name} {facts.version}, synthetic data, {facts.serial.urn}",
        "isLiveDataset": False,
        "keywords": ["synthetic data", facts.schema.modality, facts.family],
        "identifier": _identifiers(facts),
        "rai:dataCollection": f"Every record was drawn from a generative model ({facts.family}); none was observed.",
        "distribution": [_file(each) for each in samples],
    }
    if facts.licence:
        whole["license"] = facts.licence_url or facts.licence
    if facts.owner:
        whole["creator"] = {"@type": "sc:Organization", "name": facts.owner}
    if facts.privacy:
        whole["rai:personalSensitiveInformation"] = facts.privacy
    if table := next((each for each in samples if each.name.endswith(_TABLES)), None):
        whole["recordSet"] = [_records(facts, table)]
    return whole


def _identifiers(facts: Facts) -> list[Json]:
    named = {"stream": facts.stream, "plan": facts.plan and f"sha256:{facts.plan}", "release": facts.serial.urn}
    return [{"@type": "sc:PropertyValue", "propertyID": name, "value": value} for name, value in named.items() if value]


def _file(file: File) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": file.format,
        "sha256": file.sha256,
    }


def _records(facts: Facts, table: File) -> Json:
    whole: dict[str, Json] = {
        "@type": "cr:RecordSet",
        "@id": "records",
        "name": "records",
        "description": f"One synthetic record a row, with the fields of {facts.schema_name}.",
    }
    # In csv a field with axes is a column a number, so that a key of that kind has no one column.
    scalar = {each.name for each in facts.schema.fields if not each.shape}
    if facts.schema.pk and scalar.issuperset(facts.schema.pk):
        whole["key"] = [{"@id": f"records/{name}"} for name in facts.schema.pk]
    whole["field"] = [part for each in facts.schema.fields for part in _fields(each, table)]
    return whole


def _fields(field: Field, table: File) -> Iterator[Json]:
    if field.shape and table.name.endswith(".csv"):
        for number in range(field.size):
            yield _field(field, f"{field.name}.{number}", table)
    else:
        yield _field(field, field.name, table)


def _field(field: Field, column: str, table: File) -> Json:
    described: dict[str, Json] = {
        "@type": "cr:Field",
        "@id": f"records/{column}",
        "name": column,
        "description": _meaning(field),
        "dataType": _kind(field),
        "source": {"fileObject": {"@id": table.name}, "extract": {"column": column}},
    }
    if field.shape and column == field.name:
        described["repeated"] = True
    return described


def _meaning(field: Field) -> str:
    unit = f"in {field.unit}" if field.unit not in {"", "1", "dimensionless"} else "without a unit"
    of = f", one of {', '.join(map(str, field.enum))}" if field.enum else ""
    return f"{field.role} {field.name}, {unit}{of}"


def _kind(field: Field) -> str:
    if field.dtype == "categorical":
        kinds = {type(member) for member in field.enum}
        known: dict[type, str] = {bool: "sc:Boolean", int: "sc:Integer", float: "sc:Float"}
        return known.get(next(iter(kinds)), "sc:Text") if len(kinds) == 1 else "sc:Text"
    if field.dtype.startswith(("int", "uint")):
        return "sc:Integer"
    return _KINDS.get(field.dtype, "sc:Float")
