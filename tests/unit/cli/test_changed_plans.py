"""`run` takes a plan as `compile` wrote it: what was changed by hand would be signed beside a spec that says otherwise."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthspec.ir.plan import changed_parts

ROOT = Path(__file__).parents[3]
VERB = "from synthspec.cli.main import run; run()"


def synthspec(*words):
    command = [sys.executable, "-c", VERB, *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "digits.plan.json"
    done = synthspec("compile", "examples/digits-diffusion/spec.yaml", "--out", path)
    assert done.returncode == 0, done.stderr
    return path


def test_a_plan_and_each_change_of_it(plan):
    assert changed_parts(json.loads(plan.read_text())) == ()
    stored = json.loads(plan.read_text())
    fit = next(node for node in stored["nodes"] if node["id"] == "fit")
    fit["op"]["training"]["epochs"] += 1
    stored["seed"] = 1
    assert changed_parts(stored) == ("seed", "fit")
    stored["spec"]["training"]["epochs"] += 1
    assert changed_parts(stored) == ("seed", "spec", "fit")


def test_a_changed_plan_is_not_run(plan, tmp_path):
    changed = tmp_path / "digits.plan.json"
    changed.write_text(plan.read_text().replace('"epochs":60', '"epochs":1'))
    done = synthspec("run", changed, "--out", tmp_path / "out", "--store", tmp_path / "store")
    assert done.returncode == 2
    assert "was changed since it was compiled (spec, fit," in done.stderr
    assert not (tmp_path / "out").exists()
