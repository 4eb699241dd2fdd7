"""What is said honestly is consistent, also when it is bad news; what is not is found."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.sign import consistency


@pytest.mark.parametrize(
    "changed",
    [
        {"FID": 99.0},
        {"FID": math.inf},
        {"FID": math.nan},
        {"FID": -math.inf},
        {"FID": None},
        {"MI": 0.9},
        {"without": ("FID", "NFE")},
        {"unspoken": ("C40-511", "C40-519")},
    ],
    ids=str,
)
def test_an_honest_fail_is_consistent(manifest_of, changed):
    manifest = manifest_of(**changed)
    assert manifest.verdict == "FAIL"
    assert consistency(manifest) == ()


@given(st.sampled_from(["FID", "KID", "recall", "covg", "MI", "NFE"]), st.floats())
def test_whatever_was_judged_is_consistent_and_its_verdict_cannot_be_turned(manifest_of, name, value):
    manifest = manifest_of(**{name: value})
    assert consistency(manifest) == ()
    turned = {"PASS": "FAIL", "FAIL": "PASS"}[manifest.verdict]
    found = consistency(manifest.model_copy(update={"verdict": turned}))
    assert [refusal.code for refusal in found] == ["VERDICT_INCONSISTENT"]


@pytest.mark.parametrize("index", range(9))
def test_m73_no_verdict_can_be_removed(manifest_of, index):
    manifest = manifest_of()
    left = manifest.contracts[:index] + manifest.contracts[index + 1 :]
    found = consistency(manifest.model_copy(update={"contracts": left}))
    assert [(refusal.code, refusal.where) for refusal in found] == [("CONTRACT_MISSING", manifest.contracts[index].id)]
