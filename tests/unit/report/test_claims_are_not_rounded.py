"""A bound that is quoted is still a bound: eps and delta are printed with all their digits, and never rounded down."""

import re

from synthspec.ir.manifest_engine import DpSpend
from synthspec.pipeline.publishing import statement
from synthspec.report.verdict_table import claim

EPS, DELTA = 1.993091405, 1.2345678e-06


def test_the_statement_of_both_manifests_claims_no_less_than_was_spent():
    said = statement(DpSpend(eps_total=EPS, delta_total=DELTA, accounting_method="analytic"), "dp-sgd")
    eps, delta = re.search(r"exp\((\S+)\), but for a probability of (\S+?) \(", said).groups()
    assert (float(eps), float(delta)) == (EPS, DELTA)


def test_the_table_of_verdicts_shows_a_claim_as_it_is():
    for value in (EPS, DELTA, 4.0, 1.8283, 123.4561, 1e-05):
        assert float(claim(value)) == value
    assert claim(4.0) == "4"
