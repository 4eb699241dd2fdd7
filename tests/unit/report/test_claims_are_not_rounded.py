"""A bound that is quoted is still a bound: eps and delta are printed with all their digits, and never rounded down."""

import re

import pytest

from synthspec.ir.manifest_engine import DpSpend, LedgerRef, NoisyVector
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


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, ["over 1 release in the ledger", "1 vector of noisy counts (1 number) was released", "drawn from it."]),
        (2, ["over 2 releases in the ledger", "2 vectors of noisy counts (2 numbers) were released", "from them."]),
    ],
)
def test_the_statement_counts_in_words_that_people_use(number, words):
    vector = NoisyVector(name="shares", parts=1, size=1, sigma=1.0, commitment="0" * 64)
    ledger = LedgerRef(name="ward", entry=1, releases=number, eps_total=EPS, delta_total=DELTA)
    spent = DpSpend(
        eps_total=EPS,
        delta_total=DELTA,
        accounting_method="analytic",
        statistics=(vector,) * number,
        ledger=ledger,
    )
    said = statement(spent, "dp-noise")
    assert [each for each in words if each not in said] == []
    assert "(s)" not in said
