"""A backend made by a stranger, really installed: found by its entry point, and held to the same laws."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE / "thirdparty"

TRY = """
import json, sys
from pathlib import Path
from synthspec.backend.discovery import discover
from synthspec.testing import catalogue, conformance

found = discover()
case = conformance.Case(target="synthspec_marginals.plugin:BACKEND",
                        sample=catalogue.sample(catalogue.fit("vae", "tabular")))
trial = conformance.Trial(case, Path(sys.argv[1]))
failed = {}
for check in conformance.CHECKS:
    try:
        check(trial)
    except AssertionError as error:
        failed[conformance.name_of(check)] = str(error)
print(json.dumps({"found": list(found.backends), "broken": [b.name for b in found.broken],
                  "checks": len(conformance.CHECKS), "failed": failed}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the plugin as pip installs it: built by hatchling, with its metadata; no network, no dependencies."""
    source, target = tmp_path_factory.mktemp("source") / "plugin", tmp_path_factory.mktemp("site")
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def ask(script, site, *arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_plugin_is_found_and_keeps_every_law(installed, tmp_path):
    told = json.loads(ask(TRY, installed, str(tmp_path)))
    assert "marginals" in told["found"]
    assert "marginals" not in told["broken"]
    assert told["checks"] > 20
    assert told["failed"] == {}


def test_without_the_installation_it_is_not_found(tmp_path):
    script = "from synthspec.backend.discovery import installed; print(*installed())"
    assert "marginals" not in ask(script, tmp_path).split()


def test_it_stays_as_small_as_a_recipe():
    lines = [
        line
        for module in ("plugin.py", "kernels.py")
        for line in (SOURCE / "synthspec_marginals" / module).read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith(("import ", "from ", '"""'))
    ]
    assert len(lines) <= 40
