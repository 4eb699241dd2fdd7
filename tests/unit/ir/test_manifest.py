"""The manifest: one spelling of one content, closed, strict, and back to the nouns that it was made from."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from synthspec.ir.canonical import canonical_bytes
from synthspec.ir.evidence import Evidence, Figure, evidence
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_base import Exact, FileName, Group, Real, Timestamp
from synthspec.ir.manifest_engine import Deep, PrivacyGroup
from synthspec.ir.manifest_evidence import Metric, from_evidence, from_verdicts, to_evidence, to_records
from synthspec.ir.verdict import Bound, BoundRecord, ContractRecord, Gate, Verdicts

NUMBERS = st.floats(allow_nan=False) | st.none()
WORDS = st.text("abc [§]", max_size=6)
FIGURES = st.builds(
    Figure,
    name=st.sampled_from(["FID", "KID"]),
    label=WORDS,
    value=NUMBERS,
    unit=st.sampled_from(["1", "ms"]),
    u=NUMBERS,
    lower=NUMBERS,
    upper=NUMBERS,
    method=WORDS,
    n_real=st.none() | st.integers(0, 2**53 - 1),
    n_syn=st.none() | st.integers(0, 2**53 - 1),
    split=st.sampled_from([None, "train", "val", "test"]),
    null=NUMBERS,
    details=st.dictionaries(WORDS, WORDS | st.booleans() | st.integers(-9, 9)).map(lambda d: tuple(sorted(d.items()))),
    reason=WORDS,
)
BOUNDS = st.builds(
    BoundRecord,
    bound=st.builds(
        Bound,
        metric=WORDS,
        relation=st.sampled_from(["<=", ">="]),
        limit=st.floats(allow_nan=False),
        at=st.sampled_from(["upper", "lower", "value", "value+u"]),
        symbol=WORDS,
        split=st.sampled_from([None, "test"]),
    ),
    result=st.sampled_from(["held", "broken", "unproven"]),
    judged=NUMBERS,
    value=NUMBERS,
    u=NUMBERS,
    n_real=st.none() | st.integers(0, 9),
    label=WORDS,
    reason=WORDS,
)
RECORDS = st.builds(
    ContractRecord,
    id=st.sampled_from(["C40-511", "C40-519"]),
    name=WORDS,
    expr=WORDS,
    severity=st.sampled_from(["info", "warn", "block"]),
    result=st.sampled_from(["held", "broken", "unproven"]),
    bounds=st.lists(BOUNDS, max_size=3).map(tuple),
    tol_source=WORDS,
    action_plan=WORDS,
    reason=WORDS,
)
OPEN = Gate(fidelity_ok=True, privacy_ok=True, contract_ok=True)


def through_the_file(group):
    """`group` as it is after it was written and read."""
    return type(group).model_validate_json(canonical_bytes(group), by_alias=True, by_name=False)


@given(FIGURES)
def test_a_figure_survives_the_manifest(figure):
    (metric,) = from_evidence(Evidence(figures=(figure,)))
    assert to_evidence((through_the_file(metric),)).figures == (figure,)


@given(RECORDS)
def test_a_record_survives_the_manifest(record):
    (entry,) = from_verdicts(Verdicts(records=(record,), gate=OPEN), "evidence.json")
    assert entry.evidence_ref == "evidence.json"
    assert to_records((through_the_file(entry),)) == (record,)


def test_what_is_not_a_number_becomes_a_reason():
    nan = math.nan
    (metric,) = from_evidence(evidence((Figure(name="FID", label="FID", value=nan, u=nan, details=(("x", nan),)),)))
    assert (metric.value, metric.u, metric.details) == (None, None, {"x": "nan"})
    assert metric.reason == "the value is not a number"


def test_a_detail_said_twice_is_our_fault():
    with pytest.raises(ValueError, match="twice"):
        from_evidence(evidence((Figure(name="FID", label="FID", value=1.0, details=(("k", 1), ("k", 2))),)))


class Number(Group):
    """A group of one number."""

    x: Real


@given(st.floats(allow_nan=False))
def test_a_real_has_one_spelling_and_loses_nothing(number):
    written = canonical_bytes(Number(x=number))
    assert Number.model_validate_json(written).x == number
    assert canonical_bytes(Number.model_validate_json(written)) == written


@pytest.mark.parametrize(
    "text", ['"1"', '"nan"', '"Infinity"', '"+inf"', '"9007199254740992"', '"1E+17"', '"1e17"', "true"]
)
def test_other_spellings_of_a_real_are_refused(text):
    with pytest.raises(ValidationError):
        Number.model_validate_json(f'{{"x":{text}}}')


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Exact, ["0", "18446744073709551615", "-7"], ["-0", "01", "1e3", "", "1\n", "+1"]),
        (FileName, ["a/b.c"], ["../a", "/a", "a//b", "a\n", ""]),
        (Timestamp, ["2026-01-31T12:00:00Z"], ["2026-02-30T12:00:00Z", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00+00:00"]),
    ],
    ids=["exact", "name", "timestamp"],
)  # fmt: skip
def test_texts_of_one_form(kind, good, bad):
    adapter = TypeAdapter(kind)
    for text in good:
        assert adapter.validate_python(text) == text
    for text in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(text)


def groups(model, seen):
    """All group classes below `model`."""
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for part in parts(field.annotation):
                groups(part, seen)
    return seen


def parts(annotation):
    if isinstance(annotation, type) and issubclass(annotation, Group):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from parts(inner)


def test_every_group_is_closed_frozen_and_strict_and_adds_only_absence():
    found = groups(Manifest, set())
    assert len(found) > 30
    for model in found:
        config = model.model_config
        assert (config["extra"], config["frozen"], config["strict"]) == ("forbid", True, True)
        assert all(field.is_required() or field.default is None for field in model.model_fields.values()), model


def test_the_verdict_comes_first_and_the_key_tree_is_the_standards():
    names = [field.alias or name for name, field in Manifest.model_fields.items()]
    assert names[0] == "verdict"
    appendix_c = {
        "version",
        "trace",
        "dataset",
        "engine",
        "generation",
        "metrics",
        "privacy",
        "contracts",
        "runtime",
        "sign",
    }
    release = {"schemaVersion", "release", "spec", "ir", "dag", "dependencies", "environment", "randomness"}
    assert set(names) == appendix_c | release | {"verdict", "gate", "disclosure", "deep", "overrides", "waivers", "key"}


def test_the_schema_can_be_generated_and_shows_the_files_keys():
    schema = Manifest.model_json_schema(by_alias=True)
    assert schema["additionalProperties"] is False
    assert next(iter(schema["properties"])) == "verdict"
    assert "createdAt" in schema["$defs"]["Release"]["required"]
    assert json.dumps(schema)


def test_a_mechanism_states_what_it_spent_and_guidance_its_scale():
    with pytest.raises(ValidationError, match="mechanism"):
        PrivacyGroup(mechanism="dp-sgd", attack_suite=())
    plain = {"name": "mlp", "parameters": {}}
    objective = {"measure": "l_simple", "equation": "S405-4", "parameters": {}}
    rest = {
        "family": "diffusion",
        "architecture": plain,
        "objective": objective,
        "weights": [],
        "training": [],
        "lineage": [],
    }
    Deep.model_validate_json(json.dumps(rest))
    with pytest.raises(ValidationError, match="cfg_convention"):
        Deep.model_validate_json(json.dumps(rest | {"w_cfg": 0.5}))


def test_a_bool_is_no_number_and_a_float_no_count():
    good = {"name": "FID", "label": "", "unit": "1", "method": "", "details": {}, "reason": ""}
    for wrong in (
        {"value": True},
        {"n_real": 1.5},
        {"n_real": -1},
        {"n_real": 2**53},
        {"unit": 1},
        {"details": {"a": []}},
    ):
        with pytest.raises(ValidationError):
            Metric.model_validate_json(json.dumps(good | wrong))
