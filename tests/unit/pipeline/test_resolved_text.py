"""What a resolved spec means is known without reading it only where it is what a run writes, in plain characters."""

import json
from pathlib import Path

import pytest
import yaml

from synthspec.ir.canonical import to_json
from synthspec.parse import compose, read_source, validate_model
from synthspec.pipeline.resolved import reads_as, resolved_text
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef

EXAMPLES = Path(__file__).parents[3] / "examples"


def read(path, model):
    found = read_source(path.read_bytes(), path.name).then(compose).then(lambda c: validate_model(c, model))
    assert found.value is not None, found.diagnostics
    return found.value


SPECS = [(path, EngineSpec) for path in sorted(EXAMPLES.glob("*/spec.yaml"))]
SREFS = [(path, SRef) for path in sorted(EXAMPLES.glob("*/*.sref.yaml"))]


@pytest.mark.parametrize(("path", "model"), SPECS + SREFS, ids=lambda each: getattr(each, "name", ""))
def test_what_a_run_writes_of_an_example_is_known_by_a_plan_that_was_read(path, model):
    document = read(path, model)
    # In a plan the keys of all mappings are sorted.
    planned = model.model_validate_json(json.dumps(to_json(document), sort_keys=True))
    assert reads_as(resolved_text(document).encode(), planned)


def test_every_changed_value_is_noticed():
    document = read(EXAMPLES / "cancer-dp-marginals" / "cancer.sref.yaml", SRef)
    text = resolved_text(document)
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        for other in (line.replace(":", ": #", 1), line + line, "", line.rstrip() + "x\n", " " + line):
            changed = "".join([*lines[:number], other, *lines[number + 1 :]])
            assert changed == text or not reads_as(changed.encode(), document), other


@pytest.mark.parametrize(
    "description", ["größer", "two\nlines", 'so "called"', "back\\slash", "bell\x07", "long " * 60, "x" * (1 << 16)]
)
def test_what_a_reader_might_refuse_is_left_to_the_reader(description):
    document = read(EXAMPLES / "cancer-dp-marginals" / "cancer.sref.yaml", SRef)
    described = document.model_copy(
        update={"metadata": document.metadata.model_copy(update={"description": description})}
    )
    text = resolved_text(described)
    assert yaml.safe_load(text)["metadata"]["description"] == description
    assert not reads_as(text.encode(), described)


def test_another_layout_says_nothing():
    document = read(EXAMPLES / "cancer-dp-marginals" / "cancer.sref.yaml", SRef)
    assert not reads_as(yaml.safe_dump(to_json(document)).encode(), document)
