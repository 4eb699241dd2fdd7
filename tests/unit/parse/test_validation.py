"""pydantic's errors in the document's own terms: one finding for each offence, at its place, with what to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from synthspec.diag import Diagnostic
from synthspec.parse import compose, diagnose, validate_model
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef
from synthspec.text import Source

Finding = tuple[str, str, str, str]
EXAMPLES = File(__file__).parents[3] / "examples"


class Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def read_length(value: object) -> object:
    if isinstance(value, int | float):
        raise PydanticCustomError("unit.bare-number", "{n} has no unit", {"n": value, "help": "write 5 m"})
    if isinstance(value, str) and not value[:1].isdigit():
        raise PydanticCustomError("unit.syntax", "{text} is no length", {"text": value, "help": "write 5 m"})
    return value


Length = Annotated[str, BeforeValidator(read_length)]
Count = Annotated[int, Field(ge=1, le=100)]


class Mlp(Closed):
    name: Literal["mlp"]
    hidden: Annotated[tuple[Count, ...], Field(min_length=1)]


class Conv(Closed):
    name: Literal["conv"]
    channels: tuple[Count, ...]
    kernel: tuple[int, int] = (3, 3)


class Unlisted(BaseModel):
    name: str | None = None


def by_name(value: Any) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    return name if name in {"mlp", "conv"} else "other"


Architecture = Annotated[
    Annotated[Mlp, Tag("mlp")] | Annotated[Conv, Tag("conv")] | Annotated[Unlisted, Tag("other")],
    Discriminator(by_name),
]


class Beta(Closed):
    start: float
    end: float | Literal["auto"] = "auto"

    @model_validator(mode="after")
    def ordered(self) -> Beta:
        if isinstance(self.end, float) and self.end < self.start:
            raise PydanticCustomError("beta.order", "the end is below the start", {"help": "swap them"})
        return self


class Vae(Closed):
    family: Literal["vae"]
    architecture: Architecture
    beta: Beta | float | None = None


class Flow(Closed):
    family: Literal["flow"]
    base_dist: Literal["normal", "student_t"] = "normal"
    distance: Length | Literal["far"] = "far"


class Document(Closed):
    apiVersion: Literal["synthspec/v1"]  # noqa: N815 - the name in the language
    kind: Literal["Doc"]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$", examples=["1.0.0"])] = "0.0.0"
    engine: Annotated[Vae | Flow, Field(discriminator="family")]
    engines: tuple[Annotated[Vae | Flow, Field(discriminator="family")], ...] = ()
    eps_budget: Annotated[float, Field(gt=0, le=10)] | None = None
    seed: Annotated[int, Field(description="P405-8: public.")]
    public: bool = True
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    sref: str | Beta = ""
    mode: Literal["fast", "slow"] | None = None
    tolerance: float | None = Field(default=None, alias="C40-511")
    owner: Annotated[str, Field(min_length=2)] = "me"


GOOD = """\
apiVersion: synthspec/v1
kind: Doc
version: 1.0.0
engine:
  family: vae
  architecture: {name: mlp, hidden: [8, 8]}
  beta: {start: 1.0}
eps_budget: 4.0
seed: 1
shares: {0: 0.5}
"""


def findings(text: str, model: type[BaseModel] = Document) -> tuple[Diagnostic, ...]:
    outcome = compose(Source("doc.yaml", text))
    assert outcome.value is not None, outcome.diagnostics
    return outcome.diagnostics + validate_model(outcome.value, model).diagnostics


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def cases() -> Iterator[tuple[str, str, Finding]]:
    """The table of faults and findings beside this file."""
    lines = File(__file__).with_name("validation_cases.txt").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    for change, finding in zip(rows[::2], rows[1::2], strict=True):
        written, _, instead = change.replace("\\n", "\n").partition(" =>")
        what, message, remedy = finding.strip().split(" | ", 2)
        code, _, place = what.partition(" ")
        yield written, instead.removeprefix(" "), (code, place, message, remedy)


@pytest.mark.parametrize(("written", "instead", "expected"), tuple(cases()))
def test_one_finding(written: str, instead: str, expected: Finding) -> None:
    (finding,) = findings(changed(written, instead))
    assert finding.span is not None
    line, column = finding.span.begin
    assert (finding.code, f"{line}:{column}", finding.message, finding.help) == expected


def test_a_good_document_becomes_its_model() -> None:
    outcome = compose(Source("doc.yaml", GOOD)).then(lambda composed: validate_model(composed, Document))
    assert outcome.ok
    assert isinstance(outcome.value, Document)
    assert outcome.value.engine.family == "vae"
    assert outcome.value.shares == {"0": 0.5}


def test_paths_are_those_of_the_document() -> None:
    text = (
        changed("hidden: [8, 8]", "hidden: [8, x]").replace("eps_budget: 4.0", 'eps_budget: "4"').replace("seed: 1", "")
    )
    paths = [finding.path for finding in findings(text)]
    assert paths == [("seed",), ("engine", "architecture", "hidden", 1), ("eps_budget",)]


def test_all_offences_are_found_at_once_and_in_the_order_of_the_text() -> None:
    text = (
        changed("hidden: [8, 8]", "hidden: [x, 0]")
        .replace("eps_budget: 4.0", "eps_budget: -1")
        .replace("0: 0.5", "0: a, 1: 2")
    )
    assert [finding.span.begin for finding in findings(text) if finding.span] == [
        (6, 38),
        (6, 41),
        (8, 13),
        (10, 13),
        (10, 19),
    ]


def test_another_version_says_nothing_else() -> None:
    text = changed("synthspec/v1", "synthspec/v2").replace("seed: 1", "sead: x").replace("kind: Doc", "kind: Other")
    assert [finding.code for finding in findings(text)] == ["schema.version"]
    text = changed("kind: Doc", "kind: SRef").replace("seed: 1", "sead: x")
    assert [finding.code for finding in findings(text)] == ["schema.bad-value"]


@pytest.mark.parametrize(
    ("written", "instead", "codes"),
    [
        ("family: vae", "family: no", ["syntax.ambiguous-scalar"]),
        ("seed: 1", "seed: ~", ["syntax.ambiguous-scalar"]),
        ("seed: 1", "seed:", ["syntax.ambiguous-scalar"]),
        ("seed: 1", "seed: 1\nseed: x", ["syntax.duplicate-key"]),
        ("  beta: {start: 1.0}", "  beta: {<<: *base}", ["syntax.alias"]),
        ("  beta: {start: 1.0}", "  beta: *base", ["syntax.alias"]),
        ("  beta: {start: 1.0}", "  beta: {start: 1.0, end: 0.5, <<: {}}", ["syntax.alias"]),
        ("  beta: {start: 1.0}", "  beta: {start: 1.0, end: 1:30}", ["syntax.ambiguous-scalar"]),
        ("seed: 1", "seed: no\nnope: 1", ["syntax.ambiguous-scalar", "schema.unknown-key"]),
    ],
)
def test_what_the_reader_refused_is_not_reported_again(written: str, instead: str, codes: list[str]) -> None:
    assert [finding.code for finding in findings(changed(written, instead))] == codes


def test_no_model_is_built_on_a_refused_value() -> None:
    composed = compose(Source("s", changed("version: 1.0.0", "version: 1.0.0\nowner: no"))).value
    assert composed is not None
    outcome = validate_model(composed, Document)
    assert outcome.value is None
    assert outcome.diagnostics == ()


def test_diagnose_takes_an_error_as_pydantic_raised_it() -> None:
    composed = compose(Source("s", changed("seed: 1", "seed: x"))).value
    assert composed is not None
    with pytest.raises(ValidationError) as caught:
        Document.model_validate(composed.value)
    (finding,) = diagnose(caught.value, composed.value, composed.places, Document)
    assert (finding.code, finding.path) == ("schema.wrong-type", ("seed",))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-1e3, 1e3)
    | st.sampled_from(["vae", "flow", "mlp", "4", "x y", "5 m"])
)
WORDS = st.sampled_from(
    [*Document.model_fields, "family", "architecture", "beta", "start", "end", "name", "hidden", "str", "Beta", "x"]
)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=3).map(tuple) | st.dictionaries(WORDS, v, max_size=5), max_leaves=16
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=8))
def test_any_error_is_worded_in_our_terms(changes: dict[str, object]) -> None:
    composed = compose(Source("s", GOOD)).value
    assert composed is not None
    value: Any = composed.value | changes
    try:
        Document.model_validate(value)
    except ValidationError as error:
        found = diagnose(error, value, composed.places, Document)
        assert found
        assert len({(finding.code, finding.path, finding.message) for finding in found}) == len(found)
        for finding in found:
            assert finding.span is not None
            text = finding.message + finding.help
            assert not any(
                phrase in text for phrase in ("Input should", "pydantic", "Field required", "function-", "literal[")
            )


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda file: file.name)
def test_examples_validate(file: File) -> None:
    model = SRef if file.name.endswith(".sref.yaml") else EngineSpec
    assert findings(file.read_text(encoding="utf-8"), model) == ()


@pytest.mark.parametrize(
    ("written", "instead", "code", "place", "remedy"),
    [
        ("eps_budget: 4.0", 'eps_budget: "4"', "schema.wrong-type", (30, 15), "remove the quotes: 4"),
        ("family: vae", "family: vaee", "schema.bad-value", (9, 11), "did you mean 'vae'?"),
        ("mechanism: dp-sgd", "mechanism: dpsgd", "schema.bad-value", (20, 14), "did you mean 'dp-sgd'?"),
        ("multiplier: auto", "multiplier: atuo", "schema.bad-value", (27, 23), "did you mean 'auto'?"),
        ("seed: 3", "seeed: 3", "schema.unknown-key", None, "did you mean 'seed'?"),
        (
            "  eps_budget: 4.0",
            "  eps_budget: 4.0\n  eps_budget: 5.0",
            "syntax.duplicate-key",
            (31, 3),
            "keep one of the two",
        ),
    ],
)
def test_faults_in_a_real_spec(
    written: str, instead: str, code: str, place: tuple[int, int] | None, remedy: str
) -> None:
    text = (EXAMPLES / "cancer-dp-vae" / "spec.yaml").read_text(encoding="utf-8")
    (finding,) = findings(text.replace(written, instead, 1), EngineSpec)
    assert finding.span is not None
    # Where the line of the example is longer than the mistake it is looked for.
    expected = place or finding.span.source.line_column(finding.span.source.text.index(instead))
    assert (finding.code, finding.span.begin, finding.help) == (code, expected, remedy)
