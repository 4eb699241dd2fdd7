"""Numbers that canonical JSON carries as text: read back as numbers where one is meant, and as nothing else anywhere."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synthspec.ir.canonical import canonical_bytes
from synthspec.ir.far import read_with_far
from synthspec.parse import compose, read_source, validate_model
from synthspec.pipeline.resolved import resolved_text
from synthspec.spec.sref import SRef


class Leaf(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    kind: Literal["leaf"] = "leaf"
    value: float
    ends: tuple[float, float] | None = None


class Other(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    kind: Literal["other"] = "other"
    count: int


class Tree(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    name: str = ""
    either: float | Literal["auto"] = "auto"
    leaves: tuple[Annotated[Leaf | Other, Field(discriminator="kind")], ...] = ()


FAR = st.one_of(
    st.floats(min_value=2.0**53, allow_infinity=False), st.floats(max_value=-(2.0**53), allow_infinity=False)
)
NUMBER = st.one_of(FAR, st.floats(-1e3, 1e3), st.integers(-5, 5).map(float))
LEAF = st.builds(Leaf, value=NUMBER, ends=st.none() | st.tuples(NUMBER, NUMBER))
OTHER = st.builds(Other, count=st.integers(-(2**70), 2**70))


@given(
    st.builds(
        Tree,
        name=st.text(max_size=3) | FAR.map(repr),
        either=st.just("auto") | NUMBER,
        leaves=st.lists(LEAF | OTHER, max_size=4).map(tuple),
    )
)
def test_what_is_written_reads_back(tree):
    assert read_with_far(Tree.model_validate_json, canonical_bytes(tree)) == tree


@pytest.mark.parametrize("text", ["1", "1.5", "1e16", "9007199254740993.0", "nan", "inf", "1e+400", " 1e+16", "auto2"])
def test_no_other_text_is_a_number(text):
    with pytest.raises(ValidationError):
        read_with_far(Tree.model_validate_json, canonical_bytes({"leaves": [{"kind": "leaf", "value": text}]}))


def test_bounds_of_a_density_survive_a_plan_and_a_resolved_file():
    sref = Path(__file__).parents[3] / "examples/fiber-link-flow/fiber_link.sref.yaml"
    text = re.sub(r"range: \[[^]]*\]", "range: [-1.0e+18, 2.0e+24]", sref.read_text(), count=1)
    found = read_source(text.encode(), "x.yaml").then(compose).then(lambda c: validate_model(c, SRef))
    assert any(field.range == (-1e18, 2e24) for field in found.value.fields)
    assert read_with_far(SRef.model_validate_json, canonical_bytes(found.value)) == found.value
    again = read_source(resolved_text(found.value).encode(), "y.yaml").then(compose)
    assert again.then(lambda c: validate_model(c, SRef)).value == found.value
