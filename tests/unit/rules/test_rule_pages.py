"""The generic tests of rules: every rule fires on its Bad, and on nothing else there; its Good is spotless."""

import importlib
import pkgutil
import re

import pytest

import synthspec.rules
from synthspec.diag import Severity
from synthspec.rules import RULES
from synthspec.rules.form import Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_bad_fires_this_code_and_no_other(rule, bench):
    assert bench.codes(rule.page.bad) == {rule.code}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_good_is_spotless(rule, bench):
    assert bench.codes(rule.page.good) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_findings_say_where_what_and_what_to_do(rule, bench):
    for finding in bench.findings(rule.page.bad):
        assert finding.severity is rule.severity
        assert finding.message
        assert finding.help
        assert finding.span is not None
        assert finding.span.end > finding.span.start
        assert len(finding.message) < 200
        assert not re.match(r"[A-Z][a-z]+ ", finding.message)
        assert not finding.message.endswith(".")


def _modules():
    for package in pkgutil.iter_modules(synthspec.rules.__path__, "synthspec.rules."):
        if package.ispkg and not package.name.endswith(".documented"):
            folder = importlib.import_module(package.name)
            yield from pkgutil.iter_modules(folder.__path__, package.name + ".")


def test_files_equal_the_table():
    assert sorted(module.name for module in _modules()) == sorted(rule.module for rule in RULES)


def test_a_file_is_named_for_its_offence():
    for rule in RULES:
        axiom, offence = rule.code.split(".")
        folder, file = rule.module.split(".")[-2:]
        assert file == offence.replace("-", "_")
        if axiom.startswith("P405-"):
            assert folder.startswith(f"p405_{int(axiom.removeprefix('P405-')):02d}_")


def test_codes_are_unique_and_causes_are_errors():
    by_code = {rule.code: rule for rule in RULES}
    assert len(by_code) == len(RULES)
    for rule in RULES:
        for cause in rule.after:
            assert by_code[cause].severity is Severity.ERROR


def test_the_decorator_registers_nothing():
    before = tuple(RULES)

    @synthspec.rules.form.rule(code="P405-1.invented")
    def invented(resolved):
        yield from ()

    assert isinstance(invented, Rule)
    assert tuple(RULES) == before
