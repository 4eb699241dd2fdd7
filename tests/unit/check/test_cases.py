"""Every YAML case has exactly the findings that its comments expect, and no normative example has an error."""

from datetime import date
from pathlib import Path

import pytest

from synthspec.pipeline.front import Options, spot, validate
from synthspec.testing.rule_cases import assert_case, cases

ROOT = Path(__file__).parents[3]
CASES = cases(ROOT / "tests" / "cases")
EXAMPLES = sorted((ROOT / "examples").glob("*/spec.yaml"))


def found(path):
    return validate(spot(path), Options(today=date(2026, 6, 1))).diagnostics


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_case(case):
    assert_case(case, found)


def test_there_are_cases():
    assert len(CASES) >= 7


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_normative_example_is_clean(example):
    assert found(example) == ()


def test_the_five_normative_examples_are_there():
    five = {"cancer-dp-vae", "digits-diffusion", "digits-gan", "digits-vae", "fiber-link-flow"}
    assert five <= {path.parent.name for path in EXAMPLES}
