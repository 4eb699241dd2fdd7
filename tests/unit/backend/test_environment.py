"""The facts that bytes depend on."""

from __future__ import annotations

import platform

from synthspec.backend import environment
from synthspec.backend.environment import absent, capabilities, facts

CPUINFO = """processor : 0
model name : Some CPU
flags : sse4_2 avx2 fma avx512f other

processor : 1
flags : sse4_2
"""


def test_facts_name_versions_and_the_processor():
    found = facts(("numpy", "no-such-distribution"))
    assert found["numpy"].count(".") == 2
    assert found["no-such-distribution"] == "absent"
    assert found["machine"] == platform.machine()
    assert "cpu" in found


def test_switches_that_change_kernels_are_facts_when_set(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert "OPENBLAS_CORETYPE" not in facts(())
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert facts(())["OPENBLAS_CORETYPE"] == "Haswell"


def test_capabilities_are_those_of_the_first_processor_in_a_fixed_order():
    assert capabilities(CPUINFO) == ("fma", "avx2", "avx512f")
    assert capabilities("Features : asimd sve\n") == ("asimd", "sve")
    assert capabilities("") == ()


def test_a_machine_without_cpuinfo_still_has_facts(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_CPUINFO", tmp_path / "absent")
    assert facts(())["machine"] == platform.machine()


def test_what_is_absent_names_its_extra():
    assert absent(("json",), "data") == ""
    assert absent(("json", "no_such_package"), "data") == "pip install 'synthspec[data]'"
