"""`synthspec account`: the figures, their form, and what is not understood."""

import contextlib
import io
import json
import sys
from unittest import mock

import pytest

from synthspec.cli.main import run

A1 = "--event poisson_gaussian --rate 0.01 --multiplier 1.0 --steps 1000 --delta 1e-5"


def call(line):
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["synthspec", "account", *line.split()]),
    ):
        try:
            run()
        except SystemExit as leaving:
            code = leaving.code or 0
    return code, out.getvalue(), err.getvalue()


def answer(line):
    code, out, _ = call(f"{line} --format json")
    assert code == 0
    return json.loads(out)


def test_the_object_of_the_language():
    assert answer(A1) == {
        "eps_total": 1.8283, "delta": 1e-05, "accountant": "pld", "adjacency": "add_remove",
        "version": "dp-accounting 0.6.0", "event": "poisson_gaussian", "rate": 0.01, "multiplier": 1.0, "steps": 1000,
    }  # fmt: skip


def test_options_reach_the_accountant():
    assert answer(f"{A1} --accountant rdp")["eps_total"] == pytest.approx(2.1014, abs=2e-4)
    replaced = answer(f"{A1} --adjacency replace_one")
    assert (replaced["eps_total"], replaced["adjacency"]) == (2.8435, "replace_one")


def test_events_without_sampling():
    gaussian = answer("--event gaussian --multiplier 1 --delta 1e-5")
    assert gaussian["eps_total"] == pytest.approx(4.377178095681225, abs=1e-8)
    assert gaussian["accountant"] == "analytic"
    composed = answer("--event gaussian --multiplier 10 --steps 100 --delta 1e-5")
    assert composed["eps_total"] == gaussian["eps_total"]
    laplace = answer("--event laplace --multiplier 2 --steps 3 --delta 0")
    assert (laplace["eps_total"], laplace["accountant"]) == (1.5, "analytic")


def test_a_budget_is_solved():
    solved = answer("--event poisson_gaussian --rate 0.01 --steps 1000 --delta 1e-5 --eps-budget 1")
    assert solved["multiplier"] == pytest.approx(1.41464, rel=1e-4)
    assert solved["eps_total"] <= solved["eps_budget"] == 1.0


@pytest.mark.parametrize("line", ["--event gaussian --multiplier 0", "--event shuffled_gaussian --multiplier 1"])
def test_infinite_is_a_word(line):
    assert answer(f"{line} --delta 1e-5")["eps_total"] == "inf"


def test_an_unknown_event_is_not_passed_over_in_silence():
    assert "did you mean 'gaussian'?" in call("--event gausian --multiplier 1 --delta 1e-5")[2]


def test_text_is_a_line_a_fact():
    code, out, _ = call("--event gaussian --multiplier 1 --delta 1e-5")
    assert code == 0
    assert out.splitlines()[0].split() == ["eps_total", "4.377178096"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--event gaussian --delta 1e-5", "one of the two"),
        ("--event gaussian --delta 1e-5 --multiplier 1 --eps-budget 1", "one of the two"),
        ("--event gaussian --multiplier 1", "--delta"),
        ("--event gaussian --multiplier 1 --delta 1", "--delta takes"),
        ("--event gaussian --multiplier 1 --delta nan", "--delta takes"),
        ("--event gaussian --multiplier -1 --delta 1e-5", "--multiplier takes"),
        ("--event gaussian --multiplier inf --delta 1e-5", "--multiplier takes"),
        ("--event gaussian --multiplier 1 --delta 1e-5 --rate 0.1", "every record takes part"),
        ("--event gaussian --multiplier 1 --delta 1e-5 --steps 0", "--steps"),
        ("--event gaussian --multiplier 1 --delta 1e-5 --adjacency both", "--adjacency"),
        ("--event gaussian --multiplier 1 --delta 1e-5 --accountant gdp", "no bound"),
        ("--event gaussian --multiplier 1 --delta 1e-5 --accountant x", "pld, rdp, analytic"),
        ("--event poisson_gaussian --multiplier 1 --delta 1e-5", "--rate"),
        ("--event poisson_gaussian --rate 1.5 --multiplier 1 --delta 1e-5", "--rate"),
        ("--event laplace --eps-budget 0 --delta 1e-5", "no noise"),
        ("--event laplace --eps-budget nan --delta 1e-5", "--eps-budget takes"),
    ],
)
def test_what_is_not_understood_is_usage(line, says):
    code, out, err = call(line)
    assert code == 2
    assert not out
    assert says in err


def test_without_the_library_the_extra_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "dp_accounting"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    code, _, err = call(A1.replace("1000", "999"))
    assert code == 2
    assert "pip install 'synthspec[privacy]'" in err
    assert call("--event gaussian --multiplier 1 --delta 1e-5")[0] == 0
