"""The conformance kit: the laws that every backend keeps, as checks for pytest.

    import pytest
    from synthspec.testing import catalogue, conformance

    CASE = conformance.Case(
        target="my_package.plugin:BACKEND", sample=catalogue.sample(catalogue.fit("vae", "tabular"))
    )

    @pytest.fixture(scope="module")
    def trial(tmp_path_factory):
        return conformance.Trial(CASE, tmp_path_factory.mktemp("trial"))

    @pytest.mark.parametrize("check", conformance.CHECKS, ids=conformance.name_of)
    def test_backend(trial, check):
        check(trial)

A check raises `NonconformanceError` (an AssertionError) with the law and what was seen. Needs numpy and safetensors.
"""

from __future__ import annotations

from collections.abc import Callable

from synthspec.testing.conformance.assessing import (
    figures_are_those_asked_for,
    scores_are_of_the_records_that_are_attacked,
)
from synthspec.testing.conformance.conditioning import (
    declared_shares_are_honoured,
    empirical_conditions_come_from_training,
    held_conditions_are_honoured,
    no_guidance_is_the_conditional_model,
)
from synthspec.testing.conformance.fitting import (
    faults_of_the_data_are_said,
    fit_never_sees_the_test_rows,
    fit_repeats_itself,
    fit_reports_honestly,
    fit_writes_what_it_says,
    inputs_stay_as_they_are,
)
from synthspec.testing.conformance.loading import (
    loads_no_framework,
    says_what_it_is,
    supports_answers_every_op,
    takes_only_its_own_ops,
    takes_the_case,
)
from synthspec.testing.conformance.sampling import (
    evaluations_are_those_of_the_solver,
    latency_is_timed_request_by_request,
    progress_adds_up,
    replay_finds_what_changed,
    sample_depends_on_the_seed,
    sample_fits_the_schema,
    sample_has_the_prefix_property,
    sample_is_shard_invariant,
)
from synthspec.testing.conformance.trial import Case, NonconformanceError, Trial

Check = Callable[[Trial], None]

CHECKS: tuple[Check, ...] = (
    loads_no_framework,
    says_what_it_is,
    supports_answers_every_op,
    takes_only_its_own_ops,
    takes_the_case,
    fit_repeats_itself,
    fit_writes_what_it_says,
    fit_reports_honestly,
    fit_never_sees_the_test_rows,
    inputs_stay_as_they_are,
    faults_of_the_data_are_said,
    sample_is_shard_invariant,
    sample_has_the_prefix_property,
    sample_depends_on_the_seed,
    sample_fits_the_schema,
    evaluations_are_those_of_the_solver,
    replay_finds_what_changed,
    latency_is_timed_request_by_request,
    progress_adds_up,
    held_conditions_are_honoured,
    empirical_conditions_come_from_training,
    declared_shares_are_honoured,
    no_guidance_is_the_conditional_model,
    figures_are_those_asked_for,
    scores_are_of_the_records_that_are_attacked,
)
"""Every law, in the order in which a failure is best understood."""


def name_of(check: Check) -> str:
    """What a check is called in a test report."""
    return getattr(check, "__name__", repr(check))


__all__ = ["CHECKS", "Case", "Check", "NonconformanceError", "Trial", "name_of"]
