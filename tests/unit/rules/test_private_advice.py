"""What a finding about privacy says to do can be done: no advice leads to the next refusal."""

from datetime import date

import pytest

from synthspec.pipeline.front import Options, spot, validate


@pytest.fixture
def advice(edited):
    """The help of the finding of a code after one change of an example."""

    def find(code, example, old, new):
        spec, _ = edited(example, old, new)
        (told,) = [
            each for each in validate(spot(spec), Options(today=date(2026, 6, 1))).diagnostics if each.code == code
        ]
        return told.help

    return find


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("{public: true, value: 398}", "{public: true, value: 250000}", "write less than 4e-06"),
        ("  delta: 1.0e-5", "  delta: 1.0e-2", "write at most 1e-05"),
    ],
)
def test_a_delta_of_one_in_n_is_told_what_is_less(advice, old, new, wanted):
    assert advice("P405-4.delta-too-large", "cancer-dp-vae", old, new) == wanted


def test_what_may_be_watched_is_what_an_engine_of_the_family_releases(advice):
    found = advice(
        "P405-4.private-monitor", "cancer-dp-vae", "signal: step, max: budget", "signal: elbo_val, patience: 5"
    )
    assert found == "watch what is released anyway: step, epoch, lr, grad_norm_released, beta"
